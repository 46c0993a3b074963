"""A headless Chromium that is driven as a person would: keys pressed, files chosen, pictures looked at.

It speaks the DevTools protocol over two pipes (--remote-debugging-pipe), JSON ended by a zero byte:
https://chromedevtools.github.io/devtools-protocol/.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--no-first-run",
)  # fmt: skip
PATIENCE = 60
"""Seconds that anything may take on a busy machine."""
KEYS = {
    "Tab": (9, ""),
    "Enter": (13, "\r"),
    "Space": (32, " "),
    "ArrowDown": (40, ""),
    "ArrowUp": (38, ""),
    "Delete": (46, ""),
}

CONTRAST = """
(() => {
  const parts = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return [...[r, g, b].map((v) => (colour.startsWith("color(") ? v : v / 255)), a];
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const colour = parts(getComputedStyle(node).backgroundColor);
    if (colour[3] === 1 || !node.parentElement) return colour;
    const below = behind(node.parentElement);
    return [0, 1, 2].map((k) => colour[3] * colour[k] + (1 - colour[3]) * below[k]).concat(1);
  };
  return [...document.querySelectorAll("h1, h2, p, li, label, input, select, button, th, td, a, .error")]
    .map((node) => [light(parts(getComputedStyle(node).color).slice(0, 3)), light(behind(node).slice(0, 3))].sort((a, b) => b - a))
    .map(([high, low]) => (high + 0.05) / (low + 0.05)).reduce((a, b) => Math.min(a, b));
})()
"""
"""The smallest contrast of a text with what is behind it."""


class Chromium:
    """A browser with one page.

    Attributes
    ----------
    requests : list of str
        The addresses that the page asked for.
    complaints : list of str
        Errors in its console, such as an exception or a violation of its policy.
    """

    def __init__(self, folder: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._count, self._received = 0, b""
        # High numbers, so that 3 and 4, which Chromium wants, are free in the child.
        theirs_in, ours_out = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in os.pipe())
        ours_in, theirs_out = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in os.pipe())

        def place_pipes() -> None:
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        self._process = subprocess.Popen(
            [str(BROWSER), *FLAGS, f"--user-data-dir={folder}", "--remote-debugging-pipe"],
            preexec_fn=place_pipes,  # noqa: PLW1509 - nothing else numbers the child's files
            pass_fds=(3, 4),
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in = ours_out, ours_in
        self._session: dict[str, str] = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Network", "Log", "DOM", "Accessibility"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)

    def call(self, method: str, **params: Any) -> Any:
        """Send a command of the protocol and return its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params, **self._session}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            found = self._receive()
            if found.get("id") == self._count:
                assert "error" not in found, f"{method}: {found['error']}"
                return found["result"]
            self._note(found.get("method", ""), found.get("params", {}))

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            assert select.select([self._in], [], [], PATIENCE)[0], "Chromium does not answer"
            part = os.read(self._in, 2**20)
            assert part, "Chromium ended"
            self._received += part
        first, _, self._received = self._received.partition(b"\0")
        return json.loads(first)

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])

    def open(self, url: str, until: str = "true") -> None:
        """Go to a page and wait until an expression is true in it."""
        found = self.call("Page.navigate", url=url)
        assert "errorText" not in found, f"{url}: {found['errorText']}"
        self.wait(f"document.readyState === 'complete' && ({until})")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        end = time.monotonic() + PATIENCE
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < end, f"{expression} is not true after {PATIENCE} seconds"
            time.sleep(0.05)

    def text(self, selector: str = "body") -> str:
        """Return the text that is to be seen in the first element."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")

    def press(self, key: str, *commands: str) -> None:
        """Press a key of `KEYS` and let it go; a command is what an editor does, such as selectAll."""
        code, text = KEYS[key]
        event = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, commands=commands, **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def tab_to(self, selector: str) -> None:
        """Press Tab until an element has the focus."""
        for _ in range(200):
            if self.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
                return
            self.press("Tab")
        raise AssertionError(f"{selector} is not reached by Tab")

    def type_over(self, text: str) -> None:
        """Type over what is in the field that has the focus."""
        self.press("Delete", "selectAll", "deleteBackward")
        self.type_letters(text)

    def type_letters(self, text: str) -> None:
        """Type where the focus is."""
        for letter in text:
            self.call("Input.dispatchKeyEvent", type="char", text=letter)

    def choose_file(self, selector: str, file: Path) -> None:
        """Choose a file, as in the dialog of the operating system."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(file)], nodeId=node)

    def accessible(self) -> list[dict[str, str]]:
        """Return role and name of all that a screen reader finds."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            {key: node.get(key, {}).get("value", "") for key in ("role", "name", "description")}
            for node in nodes
            if not node["ignored"]
        ]

    def check_legible(self, width: int, dark: bool) -> None:
        """Check that a page is dark or light, has enough contrast, and is not too wide."""
        background = self.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, background[4:-1].split(","))) < 200) == dark
        assert self.evaluate(CONTRAST) >= 4.5, "WCAG 2.2, 1.4.3"
        assert self.evaluate("document.documentElement.scrollWidth") <= width

    def picture(self, file: Path, width: int, height: int, dark: bool = False) -> None:
        """Save what is to be seen in a window of this size as PNG."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        found = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(found["data"]))
