"""A folder as a page that a browser can ask for, and onnxruntime-web where somebody has put it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

VARIABLE = "CATDSL_ONNXRUNTIME_WEB"


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, as `python -m http.server` would serve it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def runtime_of_npm() -> Path:
    """Where onnxruntime-web is; the test is skipped, with the reason, where it is not."""
    given = os.environ.get(VARIABLE)
    place = Path(given) if given else Path(__file__).parents[3] / "node_modules" / "onnxruntime-web"
    if not place.exists():
        pytest.skip(f"no onnxruntime-web: `npm install onnxruntime-web`, or name the package in {VARIABLE}")
    return place
