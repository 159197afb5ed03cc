"""Somebody who listens with TLS in the broker's place, for tests."""

import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Thread


def speaking(context: ssl.SSLContext, oldest: ssl.TLSVersion, newest: ssl.TLSVersion | None = None) -> None:
    """Let this side speak versions of TLS that OpenSSL itself would not."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = oldest
        if newest is not None:
            context.maximum_version = newest


@contextmanager
def listening(context: ssl.SSLContext, talk: Callable[[ssl.SSLSocket], object]) -> Iterator[int]:
    """Take one after the other and talk with each; yield the port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = Thread(target=_take_all, args=(listener, context, talk), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _take_all(listener: socket.socket, context: ssl.SSLContext, talk: Callable[[ssl.SSLSocket], object]) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return  # the test is over
        with closing(plain):
            plain.settimeout(5)
            try:
                with context.wrap_socket(plain, server_side=True) as stream:
                    talk(stream)
            except OSError:
                continue  # hung up on
