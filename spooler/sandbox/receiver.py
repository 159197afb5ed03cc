"""The registration system's end of the callbacks: checks the signature, writes a line for each, answers 204.

python -m spooler.sandbox.receiver DIR
"""

import json
import sys
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from spooler.callback_verify import NotGenuine, verify
from spooler.sandbox.ports import LOOPBACK
from spooler.sandbox.site import load


class Receiver(ThreadingHTTPServer):
    """Keeps what was told in `received`, a JSON object a line: the event, and beside it its webhook-id and headers."""

    daemon_threads = True

    def __init__(self, port: int, secret: str, received: Path) -> None:
        super().__init__((LOOPBACK, port), _Callback)
        self.secret = secret
        self._received = received
        self._writing = threading.Lock()

    def keep(self, body: bytes, headers: dict[str, str]) -> None:
        event = json.loads(body)
        line = {"id": headers["webhook-id"], **event, "headers": headers, "body": body.decode()}
        with self._writing, self._received.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


class _Callback(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower().startswith("webhook-")}
        try:
            verify(body, headers, secrets=[self.server.secret], now=datetime.now(UTC))
        except NotGenuine:
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        self.server.keep(body, headers)
        self._answer(HTTPStatus.NO_CONTENT)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """What came is in the file; nothing else is said."""


def main(arguments: list[str]) -> None:
    site = load(Path(arguments[0]))
    Receiver(site.receiver_port, site.callback_secret, site.received).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
