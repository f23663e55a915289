"""A real browser without a window, for pages: Chromium as a system has it, driven by Selenium. Nothing is fetched."""

import os
import shutil
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--no-first-run",
    "--no-default-browser-check", "--hide-scrollbars", "--force-color-profile=srgb",
)  # fmt: skip
_TALLEST = 12_000

# What a reader would stumble over, as sentences: pages that move sideways, words and controls that are cut off.
_LAYOUT = """
const found = [];
if (document.documentElement.scrollWidth > innerWidth)
  found.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${innerWidth}`);
// Whether an ancestor scrolls by itself, or shortens text with an ellipsis: it takes what does not fit.
const held = (e) => {
  for (; e; e = e.parentElement) {
    const style = getComputedStyle(e);
    if (/auto|scroll/.test(style.overflowX) || style.textOverflow === "ellipsis") return true;
  }
  return false;
};
for (const e of document.body.querySelectorAll("*")) {
  const box = e.getBoundingClientRect(), style = getComputedStyle(e), words = e.textContent.trim();
  if (!e.checkVisibility({visibilityProperty: true}) || !box.width || held(e)) continue;
  const name = `${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? ""} ${JSON.stringify(words.slice(0, 40))}`;
  if (box.right > innerWidth + 0.5 || box.left < -0.5) found.push(`${name} reaches from ${box.left} to ${box.right}`);
  const picture = e.closest("svg")?.getBoundingClientRect();
  if (picture) {
    const aside = box.left < picture.left - 0.5 || box.right > picture.right + 0.5;
    if (e.tagName === "text" && (aside || box.bottom > picture.bottom + 0.5)) found.push(`${name} leaves its picture`);
  } else if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && words && style.display !== "inline")
    found.push(`${name} needs ${e.scrollWidth} pixels and has ${e.clientWidth}`);
}
return found;
"""


@dataclass(frozen=True, slots=True, eq=False)
class Browser:
    """One tab. What the page complains of in its console is kept until it is asked for."""

    driver: "Chrome"

    def open(self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open a page from the disk, in a window of this size; older complaints are forgotten."""
        self.visit(page.resolve().as_uri(), width=width, height=height, dark=dark)

    def visit(self, address: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """The same of a page that is served."""
        self.complaints()
        self._command("Emulation.setDeviceMetricsOverride",
                      width=width, height=height, deviceScaleFactor=1, mobile=False)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])
        self.driver.get(address)

    def run(self, script: str, *values: Any) -> Any:
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(script, *values)

    def run_async(self, script: str, *values: Any) -> Any:
        """What a piece of JavaScript hands to its last argument, a function."""
        return self.driver.execute_async_script(script, *values)

    def find(self, selector: str) -> "WebElement":
        """The first element of a CSS selector."""
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> "list[WebElement]":
        """Every element of a CSS selector."""
        return self.driver.find_elements("css selector", selector)

    def style(self, selector: str, name: str) -> str:
        """A computed property of style."""
        return str(self.run("return getComputedStyle(arguments[0])[arguments[1]]", self.find(selector), name))

    def wait(self, until: Callable[[], object], seconds: float = 5) -> None:
        """Wait for something to come true."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "it did not come true"
            time.sleep(0.05)

    def complaints(self) -> list[str]:
        """Errors and warnings of the console since they were last asked for."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] != "INFO"]

    def stumbling_blocks(self) -> list[str]:
        """What does not fit the window, or its own place."""
        return list(self.run(_LAYOUT))

    def picture(self, path: Path) -> None:
        """The whole page as a PNG, as wide as the window."""
        height = min(int(self.run("return document.documentElement.scrollHeight")), _TALLEST)
        width = int(self.run("return innerWidth"))
        self._command("Emulation.setDeviceMetricsOverride",
                      width=width, height=height, deviceScaleFactor=1, mobile=False)  # fmt: skip
        path.write_bytes(self.driver.get_screenshot_as_png())

    @contextmanager
    def on_paper(self) -> Iterator[None]:
        """For as long as it lasts, the page is styled as for a printer."""
        self._command("Emulation.setEmulatedMedia", media="print")
        try:
            yield
        finally:
            self._command("Emulation.setEmulatedMedia", media="")

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return b64decode(self._command("Page.printToPDF", printBackground=True)["data"])

    def _command(self, command: str, **arguments: Any) -> dict[str, Any]:
        return dict(self.driver.execute_cdp_cmd(command, arguments))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all tests; they are skipped, with the reason, where there is none."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (extra `dev`)")
    chromium = next((found for name in _CHROMIUM if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no Chromium with its chromedriver on PATH (Debian: chromium and chromium-driver)")
    # A driver that does not fit must fail, not be looked for elsewhere.
    os.environ |= {"SE_OFFLINE": "true", "SE_AVOID_STATS": "true"}
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    from selenium.webdriver.chrome.service import Service

    tab = selenium.Chrome(options=options, service=Service(executable_path=driver))
    try:
        yield Browser(tab)
    finally:
        tab.quit()
