"""The page around a model as text files: its words, its style, its script and the script's worker."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catdsl.view.describe import amount, percent
from catdsl.view.palette import variables
from catdsl.view.report.markup import Html, element, joined
from catdsl.view.report.page import document, held

INDEX, STYLE, SCRIPT, WORKER = "index.html", "page.css", "page.js", "worker.js"
_FOLDER = Path(__file__).parent
_SCRIPTS = ("pictures.js", "camera.js", "start.js")
"""Parts of the page's script, in the order in which they stand in it."""

# Everything comes from the folder itself; the model's program is WebAssembly; pictures are read from memory.
_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Macs:
    """Exact MACs at the declared size, in the network of the page and in its teacher (None where it is the teacher)."""

    own: int
    teacher: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Sides that are taken: `least` and any number of `step` more; with step 0 that one alone."""

    step: int
    least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebModel:
    """What the page knows of its model."""

    title: str
    network: str
    """"student" or "teacher"."""
    spec: str
    precision: str
    height: Side
    width: Side
    declared: tuple[int, int]
    """Height and width."""
    sizes: str
    """The rule of sizes in words."""
    channels: int
    """Of the input image: 1 or 3."""
    bytes: int
    macs: Macs
    params: int
    input: str
    """What the program calls the image that goes in."""
    model: str
    """The file of the model."""
    runtime: str
    samples: tuple[str, ...]
    """Files of pictures to try it with."""
    made_with: str


def web_page(model: WebModel) -> dict[str, str]:
    """The page's files by their names."""
    head = joined((element("link", rel="icon", href="data:,"), element("link", rel="stylesheet", href=STYLE)))
    body = element(
        "main",
        element("h1", model.title),
        element("p", f"The {model.network} of {model.spec}, computed in this browser: no picture leaves it. "
                     f"It takes pictures of the kind that it was trained on; the program calls them “{model.input}”.",
                class_="about"),
        _status(),
        _choices(model),
        _pair(),
        _figures(model),
        element("footer", f"{model.made_with}; onnxruntime-web {model.runtime}, WebAssembly on one thread."),
    )  # fmt: skip
    scripts = joined((held(data_of(model)), element("script", src=SCRIPT)))
    return {
        INDEX: document(model.title, head, joined((body, scripts)), policy=_POLICY),
        STYLE: variables() + _text("page.css"),
        SCRIPT: '"use strict";\n' + "\n".join(map(_text, _SCRIPTS)),
        WORKER: _text("worker.js"),
    }


def data_of(model: WebModel) -> dict[str, Any]:
    """What the page's script needs, as JSON values."""
    return {
        "model": model.model,
        "bytes": model.bytes,
        "channels": model.channels,
        "declared": {"height": model.declared[0], "width": model.declared[1]},
        "height": {"step": model.height.step, "least": model.height.least},
        "width": {"step": model.width.step, "least": model.width.least},
        "samples": list(model.samples),
    }


def _status() -> Html:
    """What is said until the script says something else: from the disk browsers do not even start it whole."""
    return element(
        "p", "The page is starting. If this stays: it needs JavaScript, and has to be served, for instance with ",
        element("code", "python -m http.server -d DIR"), "; browsers do not run models from files on the disk.",
        id="status", role="status",
    )  # fmt: skip


def _choices(model: WebModel) -> Html:
    """What is translated, and at what size."""
    return element(
        "section",
        element("div",
                element("p", "Drop a picture here, or", class_="hint"),
                element("div",
                        element("label", "Choose a picture", for_="file", class_="button"),
                        element("input", type="file", id="file", accept="image/*", class_="unseen"),
                        element("button", "Show an example", type="button", id="sample") if model.samples else None,
                        element("button", "Start the camera", type="button", id="camera", aria_pressed="false"),
                        class_="row"),
                id="drop"),
        element("div",
                element("label", "Size", for_="size"),
                element("select", id="size"),
                element("p", f"The network takes: {model.sizes}. It was made for {_by(model.declared)}. "
                             "Pictures are scaled, and cut where they are too long.", class_="small muted"),
                class_="sizes"),
        aria_label="Input", id="choices", hidden=True,
    )  # fmt: skip


def _pair() -> Html:
    def side(key: str, words: str) -> Html:
        canvas = element("canvas", id=key, width=1, height=1, role="img", aria_label=words)
        return element("figure", element("figcaption", words), canvas)

    return element(
        "section",
        element("div", side("input", "Input"), side("output", "Output"), class_="pair"),
        element("div",
                element("p", id="time", role="status"),
                element("button", "Measure again", type="button", id="again"),
                element("button", "Save the output", type="button", id="save"),
                id="result", class_="row", hidden=True),
        element("video", id="video", hidden=True, muted=True, playsinline=True),
        aria_label="Input and output", id="work", hidden=True,
    )  # fmt: skip


def _figures(model: WebModel) -> Html:
    rows = (element("div", element("dt", name), element("dd", value)) for name, value in _figure_rows(model))
    return element("section", element("h2", "The network"), element("dl", joined(rows), class_="figures"))


def _figure_rows(model: WebModel) -> Iterator[tuple[str, str]]:
    yield "Size of the model", f"{model.bytes / 1e6:.2f} MB ({model.precision})"
    yield "Parameters", amount(model.params)
    yield f"MACs at {_by(model.declared)}", amount(model.macs.own)
    if model.macs.teacher:
        share = percent(model.macs.own / model.macs.teacher)
        yield "Share of its teacher's MACs", f"{share} of {amount(model.macs.teacher)}"


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def facts_of(model: WebModel, more: Mapping[str, str]) -> dict[str, Any]:
    """What is known of the model, for programs: `facts.json` of the folder."""
    return {
        "made_with": model.made_with, "title": model.title, "network": model.network, "spec": model.spec,
        "input": model.input,
        "precision": model.precision, **data_of(model), "params": model.params,
        "macs": {"exact": model.macs.own, "teacher": model.macs.teacher},
        "runtime": f"onnxruntime-web {model.runtime}", "facts": dict(more),
    }  # fmt: skip
