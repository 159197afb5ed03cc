"""What can go wrong between home and hall, split by who must act.

WireError
├── NotNow                     nobody: it is tried again
│   ├── BrokerUnreachable
│   │   └── BrokerNotGenuine   security: somebody answers in its place, or its certificate is at fault
│   ├── NotConfirmed           the broker did not take it: same id again
│   └── Unroutable             an operator: the queue is missing
└── NotTrusted                 security: the message is not what it must be
    ├── BadSignature
    ├── BadEnvelope
    └── BadMessage
"""


class WireError(Exception):
    """Something about a message or the way it travels."""

    code = "wire"


class NotNow(WireError):
    """Nothing is lost: the same message is sent again later."""

    code = "not-now"


class BrokerUnreachable(NotNow):
    code = "broker-unreachable"


class BrokerNotGenuine(BrokerUnreachable):
    """Something answers at the broker's address, and shows no certificate of the broker's authority for its name."""

    code = "broker-not-genuine"


class NotConfirmed(NotNow):
    code = "not-confirmed"


class Unroutable(NotNow):
    code = "undeliverable"


class NotTrusted(WireError):
    """The message is refused, and never looked into any further."""

    code = "not-trusted"


class BadSignature(NotTrusted):
    code = "signature"


class BadEnvelope(NotTrusted):
    code = "envelope"


class BadMessage(NotTrusted):
    code = "message-format"
