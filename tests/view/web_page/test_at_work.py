"""A page of `export --web` in Chromium: what it computes is what PyTorch computes."""

import base64
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.jobs.export import Chosen
from catdsl.jobs.web_export import WebOptions, export_web
from catdsl.project import load
from tests.export.networks import network
from tests.view.browser import Browser
from tests.view.web_page.served import runtime_of_npm, served

_SPEC = """
generator little {
    input photo: image(3, 32, 48)
    y = photo -> conv(8, 3, stride = 2) -> instance_norm -> relu -> deconv(8, 4) -> relu
    output concat(photo, y) -> conv(3, 3) -> tanh
}
"""

# The page asks for a camera; what it gets is a canvas that a script has painted.
_PAINTED = """
const canvas = Object.assign(document.createElement("canvas"), {width: 96, height: 64});
const paint = () => { canvas.getContext("2d").fillStyle = "#c02040"; canvas.getContext("2d").fillRect(0, 0, 96, 64); };
paint();
setInterval(paint, 30);
navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
"""


@pytest.fixture(scope="module")
def chosen() -> Chosen:
    project = load(_SPEC)
    return Chosen(project, network(project))


@pytest.fixture(scope="module")
def folder(chosen: Chosen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    runtime, place = runtime_of_npm(), tmp_path_factory.mktemp("web")
    _picture(place / "example.png", 32, 48, seed=5)
    options = WebOptions(runtime, examples=((place / "example.png").read_bytes(),))
    return export_web(chosen, place / "page", options, lambda line: None).folder


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Browser]:
    with served(folder) as address:
        browser.visit(address)
        _wait(browser, "Ready")
        yield browser
        assert browser.complaints() == []


def _picture(path: Path, height: int, width: int, *, seed: int) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def _wait(browser: Browser, words: str) -> None:
    browser.wait(lambda: words in browser.find("main").text, 60)


def _pixels(browser: Browser, canvas: str) -> np.ndarray:
    url = browser.run("return document.getElementById(arguments[0]).toDataURL('image/png')", canvas)
    return np.array(Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1]))).convert("RGB"))


def _by_torch(chosen: Chosen, pixels_HWC: np.ndarray) -> np.ndarray:
    x_BCHW = torch.from_numpy(pixels_HWC).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.no_grad():
        y_HWC = chosen.network.module(x_BCHW)[0].permute(1, 2, 0)
    return ((y_HWC + 1) * 127.5).round().clamp(0, 255).numpy()


def _agrees(browser: Browser, chosen: Chosen, given: np.ndarray) -> None:
    made, expected = _pixels(browser, "output").astype(float), _by_torch(chosen, given)
    assert made.shape == expected.shape
    assert expected.std() > 10  # so that agreement means something
    assert np.abs(made - expected).max() <= 2


@pytest.mark.slow
def test_a_picture_becomes_what_torch_makes_of_it(page: Browser, chosen: Chosen, tmp_path: Path) -> None:
    given = _picture(tmp_path / "given.png", 32, 48, seed=1)
    page.find("#file").send_keys(str(tmp_path / "given.png"))
    _wait(page, "the median of 5 runs")
    assert np.array_equal(_pixels(page, "input"), given)
    _agrees(page, chosen, given)
    assert page.find("#time").text.split()[1:6] == ["ms", "at", "32", "x", "48,"]


@pytest.mark.slow
def test_a_picture_of_another_size_is_cut_or_kept(page: Browser, chosen: Chosen, tmp_path: Path) -> None:
    _picture(tmp_path / "given.png", 41, 33, seed=2)
    page.find("#file").send_keys(str(tmp_path / "given.png"))
    _wait(page, "the median of")
    assert _pixels(page, "input").shape == (32, 48, 3)
    _agrees(page, chosen, _pixels(page, "input"))
    page.find("#size option[value=picture]").click()
    page.wait(lambda: _pixels(page, "output").shape == (42, 34, 3), 30)
    _agrees(page, chosen, _pixels(page, "input"))


@pytest.mark.slow
def test_a_dropped_picture_is_translated(page: Browser, chosen: Chosen) -> None:
    page.run_async("""
        const done = arguments[arguments.length - 1];
        fetch("example0.png").then((answer) => answer.blob()).then((blob) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([blob], "dropped.png", {type: "image/png"}));
          document.getElementById("drop").dispatchEvent(
            new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true}));
          done();
        });
    """)
    _wait(page, "the median of 5 runs")
    _agrees(page, chosen, _pixels(page, "input"))


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_everything_fits_the_window(browser: Browser, folder: Path, width: int, dark: bool) -> None:
    with served(folder) as address:
        browser.visit(address, width=width, dark=dark)
        browser.wait(lambda: browser.find("#sample").is_displayed())
        browser.find("#sample").click()
        _wait(browser, "the median of 5 runs")
        assert browser.stumbling_blocks() == []
        places = [browser.find(f"#{key}").rect for key in ("input", "output")]
    assert places[0]["y"] == places[1]["y"]
    assert places[0]["x"] + places[0]["width"] < places[1]["x"]


@pytest.mark.slow
def test_the_example_and_the_camera(page: Browser, chosen: Chosen) -> None:
    page.find("#sample").click()
    _wait(page, "the median of 5 runs")
    _agrees(page, chosen, _pixels(page, "input"))
    page.run(_PAINTED)
    page.find("#camera").click()
    _wait(page, "pictures of the camera")
    assert page.find("#camera").text == "Stop the camera"
    page.find("#camera").click()
    assert page.find("#camera").text == "Start the camera"
    page.find("#again").click()
    _wait(page, "the median of 5 runs")
    _agrees(page, chosen, _pixels(page, "input"))
    assert np.abs(_pixels(page, "input").astype(int) - (0xC0, 0x20, 0x40)).max() <= 8  # video is not exact


@pytest.mark.slow
def test_troubles_are_told_in_words(page: Browser, tmp_path: Path) -> None:
    (tmp_path / "no.png").write_text("no picture")
    page.find("#file").send_keys(str(tmp_path / "no.png"))
    _wait(page, "no.png is no picture that this browser can read")
    page.run("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError') }")
    page.find("#camera").click()
    _wait(page, "the browser was not allowed to use it")


@pytest.mark.slow
def test_a_damaged_model_is_told_of(browser: Browser, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "damaged")
    (tmp_path / "damaged" / "model.onnx").write_bytes(b"damaged")
    with served(tmp_path / "damaged") as address:
        browser.visit(address)
        _wait(browser, "The model could not be loaded")


@pytest.mark.slow
def test_from_the_disk_it_says_how_to_serve_it(browser: Browser, folder: Path) -> None:
    browser.open(folder / "index.html")
    assert "python -m http.server" in browser.find("#status").text
    assert not browser.find("#choices").is_displayed()
    assert browser.complaints() == []
