"""The naive agent that everybody writes first: consume, print, acknowledge. Here to be measured beside ours, never used.

python -m tests.storm.naive BROKER_URL QUEUE CUPS_SOCKET PRINTER PDF
"""

import sys
from collections.abc import Sequence

import cups
import pika


def main(arguments: Sequence[str]) -> None:
    """Print each message until killed. Whatever goes wrong ends the process; it is started again, and the broker delivers again."""
    url, queue, socket, printer, pdf = arguments
    cups.setServer(socket)
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.basic_qos(prefetch_count=1)
    for method, properties, _ in channel.consume(queue):
        assert method is not None and properties is not None
        cups.Connection().printFile(printer, pdf, properties.message_id, {"print-scaling": "none"})
        channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    main(sys.argv[1:])
