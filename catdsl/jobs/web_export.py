"""`export --web`: a folder with a page that runs the exported model in the browser, there whole or not at all."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from pydantic import JsonValue, TypeAdapter

from catdsl import __version__
from catdsl.acceptance import STRICT, Acceptance
from catdsl.analysis.sizes import SideRule, SizeRule
from catdsl.diagnostics import CatError
from catdsl.diagnostics.printable import printable_json
from catdsl.export.network import Network
from catdsl.export.onnx_file import check_onnx
from catdsl.export.web_runtime import FILES as RUNTIME_FILES
from catdsl.export.web_runtime import Runtime, find_runtime
from catdsl.files import not_writable, write_bytes
from catdsl.jobs.export import Chosen, Exported, export, exported_values
from catdsl.jobs.quantising import Int8Options
from catdsl.jobs.replacing import replacing
from catdsl.jobs.run_folder import existing_run
from catdsl.jobs.targets import OVERWRITE
from catdsl.reading import Door, read_json
from catdsl.train.data.pixels import CHANNELS, Picture, Unreadable, decode, file_bytes
from catdsl.view.report.content import INPUT
from catdsl.view.web_page.page import INDEX, SCRIPT, STYLE, WORKER, Macs, Side, WebModel, facts_of, web_page

MODEL, FACTS = "model.onnx", "facts.json"
_MADE_BY = "catdsl export --web"
_FACTS_DOOR = Door("facts of a page", "E608", "json")
_MADE: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
_SAMPLES = tuple(f"example{i}.png" for i in range(4))
_ALL = frozenset((INDEX, STYLE, SCRIPT, WORKER, MODEL, FACTS, *RUNTIME_FILES, *_SAMPLES))
"""Every file that such a folder may hold; one with others in it is replaced with --overwrite alone, and those stay."""


@dataclass(frozen=True, slots=True)
class WebExported:
    """The folder, its files, and what was found when its model was checked."""

    folder: Path
    files: tuple[Path, ...]
    model: Exported
    runtime: Runtime


@dataclass(frozen=True, slots=True)
class WebOptions:
    """Where the runtime is (None: in ./node_modules), which pictures are examples, and what `export` is told."""

    runtime: Path | None
    _: KW_ONLY
    examples: tuple[bytes, ...] = ()
    half: bool = False
    int8: Int8Options | None = None
    as_searched: bool = False
    overwrite: bool = False

    @property
    def precision(self) -> str:
        """In words."""
        if self.int8 is not None:
            return "int8"
        return "float16" if self.half else "float32"


def examples_of(source: Path, acceptance: Acceptance = STRICT) -> tuple[bytes, ...]:
    """PNG files that an evaluated run holds as inputs; none of a spec, or before `evaluate`.

    Raises CatError E602 for one that is no PNG, E603, E604.
    """
    if not source.is_dir():
        return ()
    run = existing_run(source, acceptance)
    folder = f"{run.report.name}/images/{INPUT}"
    found = sorted(path.name for path in (run.path / folder).glob("*.png"))
    chosen = [found[i * len(found) // len(_SAMPLES)] for i in range(min(len(found), len(_SAMPLES)))]
    return tuple(_png(run.confined(f"{folder}/{name}")) for name in chosen)


def export_web(what: Chosen, out: Path, options: WebOptions, say: Callable[[str], None]) -> WebExported:
    """Make the folder `out`. One that this command has made before is replaced when the new one is whole.

    Raises CatError E607 (a generator that takes no image, or gives none; a runtime that is missing), E608 (a
    place that holds something else, or cannot be written), and what `export` raises.
    """
    channels = _image_channels(what.network)
    check_onnx()
    _check_place(out, overwrite=options.overwrite)
    runtime = find_runtime(options.runtime)
    with replacing(out, own=lambda _: _ALL, say=say, shared=True) as folder:
        model = export(
            what,
            folder / MODEL,
            half=options.half,
            int8=options.int8,
            say=say,
            as_searched=options.as_searched,
            native=False,
        )
        samples = dict(zip(_SAMPLES, options.examples, strict=False))
        page = _model_of(
            what, model, channels=channels, precision=options.precision, runtime=runtime, samples=tuple(samples)
        )
        files = {
            **{name: text.encode() for name, text in web_page(page).items()},
            **runtime.files,
            **samples,
            FACTS: _facts_text(page, what.network.facts),
        }
        for name, data in files.items():
            write_bytes(folder / name, data)
    return WebExported(out, tuple(out / name for name in (MODEL, *files)), model, runtime)


def web_json(done: WebExported) -> str:
    """What was done, for programs; files are those of the folder."""
    values = {
        **exported_values(done.model), "format": "web", "folder": str(done.folder),
        "files": [str(file) for file in done.files], "runtime": done.runtime.version,
    }  # fmt: skip
    return json.dumps(values, indent=1)


def _image_channels(network: Network) -> int:
    """Channels of the one image that goes in. Raises CatError E607 for generators that pages cannot feed."""
    graph = network.graph
    if len(graph.inputs) != 1:
        names = ", ".join(node.name for node in graph.inputs)
        raise CatError.one(
            "E607", f"--web takes generators with one input, and this one has {len(graph.inputs)}: {names}",
            graph.inputs[1].span, help="export it to .onnx, and feed it from a program of your own",
        )  # fmt: skip
    given = graph.inputs[0]
    if given.attrs["kind"] != "image":
        raise CatError.one(
            "E607", f"--web takes generators of images, and `{given.name}` is a label map", given.span,
            help="export it to .onnx, or translate label maps with `catdsl translate`",
        )  # fmt: skip
    for name, words in ((given.name, f"takes images, and `{given.name}`"), (graph.output, "gives images, and these")):
        count = graph.channels(name)
        if count not in CHANNELS:
            raise CatError.one(
                "E607", f"a page {words} would have {count} channels", given.span,
                help="pictures have 1 (grey) or 3 (colour) channels",
            )  # fmt: skip
    return graph.channels(given.name)


def _png(path: Path) -> bytes:
    """A picture as its file has it: a page is published, and no other file is to be. Raises CatError E602."""
    picture, data = decode(path), file_bytes(path)
    problem = next((found.reason for found in (picture, data) if isinstance(found, Unreadable)), None)
    if problem is None and isinstance(picture, Picture) and picture.format != "PNG":
        problem = f"is in the format {picture.format}, and `evaluate` has made PNG"
    if problem is not None or isinstance(data, Unreadable):
        raise CatError.one("E602", f"{path} {problem}", help="evaluate the run again, which makes its pictures anew")
    return data


def _check_place(out: Path, *, overwrite: bool) -> None:
    """Raise CatError E608 where `out` holds what this command has not written."""
    try:
        if not out.is_dir():
            if os.path.lexists(out):
                raise CatError.one("E608", f"{out} is no folder", help="with --web, -o names a folder")
            return
        if overwrite:
            return
        names = {path.name for path in out.iterdir()}
        if not names or (names <= _ALL and _made_by_us(out / FACTS)):
            return
    except OSError as error:
        raise not_writable(out, error) from error
    others = sorted(names - _ALL)[:3] or sorted(names)[:3]
    raise CatError.one(
        "E608", f"{out} holds other files ({', '.join(others)}), which a page would replace",
        help="choose a folder that is empty or not there, or one that `catdsl export --web` has made; "
        f"with {OVERWRITE} only the page's own files are replaced, and others stay",
    )  # fmt: skip


def _made_by_us(facts: Path) -> bool:
    try:
        return read_json(facts, _FACTS_DOOR, _MADE).get("made_by") == _MADE_BY
    except CatError:
        return False


def _model_of(
    what: Chosen, done: Exported, *, channels: int, precision: str, runtime: Runtime, samples: tuple[str, ...]
) -> WebModel:
    project = what.project
    student = project.student is not None
    rule: SizeRule = done.sizes
    return WebModel(
        title=f"{what.network.graph.name} in the browser",
        network="student" if student else "teacher",
        spec=Path(project.spec.files[0].shown).name,
        precision=precision, height=_side(rule.height), width=_side(rule.width),
        declared=rule.declared, sizes=_in_words(rule), channels=channels, bytes=done.bytes,
        macs=Macs(own=project.cost.exact, teacher=project.cost_model.at().exact if student else None),
        params=project.cost.params, input=what.network.graph.inputs[0].name, model=MODEL,
        runtime=runtime.version or "of unknown version", samples=samples,
        made_with=f"catdsl {__version__}",
    )  # fmt: skip


def _in_words(rule: SizeRule) -> str:
    """The rule; one that is the same for both sides is said once."""
    return f"sides {rule.height}" if rule.height == rule.width else str(rule)


def _side(rule: SideRule) -> Side:
    return Side(step=rule.step, least=rule.least)


def _facts_text(page: WebModel, facts: Mapping[str, str]) -> bytes:
    values = {"made_by": _MADE_BY, **facts_of(page, facts)}
    return printable_json(json.dumps(values, indent=1, ensure_ascii=False)).encode()
