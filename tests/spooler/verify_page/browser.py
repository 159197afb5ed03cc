"""A real browser, Debian's chromium, driven over its own protocol through two pipes: no driver, no library, no port.

A process of the browser has one page here. It is asked for what a person would see: text, sizes, pictures, what was fetched.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
LONGEST_SECONDS = 60
_FLAGS = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--remote-debugging-pipe",
        "--no-first-run",
        "--disable-extensions",
    ),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
    *("--disable-dev-shm-usage", "--no-proxy-server", "--lang=zh-CN"),
)


class Page:
    """The one page."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._buffer = b""
        self._number = 0
        self._session = ""
        self.fetched: list[str] = []
        self.complaints: list[str] = []

    def open(self) -> None:
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._call(f"{domain}.enable")

    def size(self, width: int, height: int, *, phone: bool) -> None:
        scale = 2 if phone else 1
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )

    def visit(self, url: str) -> None:
        self.fetched.clear()
        self._loaded = False
        self._call("Page.navigate", url=url)
        self._wait_loaded()

    def click(self, selector: str) -> None:
        """Press what a person would press, and wait for the page that follows."""
        self._loaded = False
        self.run(f"document.querySelector({json.dumps(selector)}).click()")
        self._wait_loaded()

    def run(self, script: str) -> Any:
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    def text(self, selector: str = "body") -> str:
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def framed(self) -> list[str]:
        """Return the addresses of what the page shows in frames."""
        tree = self._call("Page.getFrameTree")["frameTree"]
        return [child["frame"]["url"] for child in tree.get("childFrames", ())]

    def picture(self) -> bytes:
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _wait_loaded(self) -> None:
        while not self._loaded:
            self._take(self._receive())

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._write, json.dumps(asked).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return dict(message["result"])
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        method, said = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.fetched.append(said["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(said["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(said["args"]))

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._read], [], [], LONGEST_SECONDS)
            assert ready, "the browser does not answer"
            more = os.read(self._read, 1 << 20)
            assert more, "the browser has gone"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def browsing(directory: Path) -> Iterator[Page]:
    """Start the browser with a profile below the directory; it ends with the block."""
    binary = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert binary is not None, "no browser: install the Debian package chromium-headless-shell (make setup does)"
    to_browser, we_write = os.pipe()
    we_read, from_browser = os.pipe()
    # The browser reads commands from descriptor 3 and answers on 4.
    shell = ("bash", "-c", 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"', "browser")
    process = subprocess.Popen(
        [*shell, str(to_browser), str(from_browser), binary, *_FLAGS, f"--user-data-dir={directory}"],
        pass_fds=(to_browser, from_browser),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "LANG": "C.UTF-8"},
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        page = Page(we_read, we_write)
        page.open()
        yield page
    finally:
        process.kill()
        process.wait(20)
        os.close(we_read)
        os.close(we_write)
