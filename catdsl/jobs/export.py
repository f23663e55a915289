"""`export`: the network of a run or a spec as one file that runs without catdsl, checked before it is there."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from catdsl import __version__
from catdsl.acceptance import Acceptance
from catdsl.analysis.sizes import SizeRule, size_rule, sizes_to_check
from catdsl.diagnostics import CatError
from catdsl.diagnostics.printable import printable
from catdsl.export.checking import HALF_TOLERANCE, TOLERANCE, Agreement, check
from catdsl.export.network import INPUT, PROGRAM, STRIDE, Network, network_of, rewritten_network
from catdsl.export.onnx_file import check_onnx, run_onnx, write_onnx
from catdsl.export.program_file import run_program, write_program
from catdsl.export.source.python_file import WEIGHTS, run_python, write_python
from catdsl.files import beside, not_writable, place_all, write_text
from catdsl.ir.graph import Graph
from catdsl.jobs.quantising import Int8Cost, Int8Options, check_options, export_int8
from catdsl.jobs.run_folder import check_student, existing_run
from catdsl.jobs.run_networks import trained_network
from catdsl.jobs.setting import stride
from catdsl.jobs.targets import check_no_input, check_target, files_of, made_by, marked
from catdsl.project import Project
from catdsl.semantics.student import digest


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is written, and how it is run to be checked."""

    shown: str
    write: Callable[..., object]
    run: Callable[[Path, Sequence[tuple[Tensor, ...]]], list[Tensor]]
    beside: tuple[str, ...] = ()
    """Endings of the files that belong to it."""
    pipelines: tuple[str, ...] = ()
    """What rewrites the network first; nothing where the file is there to be read."""
    native_pipelines: tuple[str, ...] = ()
    """What does so after those in float32 on a processor: half precision, int8 and browsers have other kernels."""


COMMAND = "export"

FORMATS: dict[str, Format] = {
    ".onnx": Format("ONNX", write_onnx, run_onnx, pipelines=("deploy",), native_pipelines=("onnxruntime",)),
    ".py": Format("Python", write_python, run_python, beside=(WEIGHTS,)),
    ".pt2": Format("torch.export", write_program, run_program, pipelines=("deploy",)),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, the sizes that it takes, and how far it is from the network."""

    files: tuple[Path, ...]
    format: str
    sizes: SizeRule
    agreement: Agreement
    bytes: int
    int8: Int8Cost | None = None
    """What int8 costs; `agreement` is then that of the float32 model that was quantised."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is exported, and the project that it belongs to."""

    project: Project
    network: Network
    files: tuple[Path, ...] = ()
    """What they were read from."""


def chosen(
    source: Path, weights: Path | None, overrides: Mapping[str, str], *, teacher: bool, acceptance: Acceptance
) -> Chosen:
    """The network that a command means: its graph, its weights, and where they come from.

    Raises CatError E603 where a run has not got that far, E605 where weights do not fit.
    """
    if source.is_dir() and not teacher:
        check_student(existing_run(source, acceptance))
    found = trained_network(source, weights, overrides, teacher=teacher, acceptance=acceptance)
    project, graph = found.project, found.project.graph
    acceptance.say(f"weights  {found.weights}, of the {'teacher' if project.student is None else 'student'}")
    facts = facts_of(project, graph)
    network = network_of(graph, found.tensors(), facts=facts, source=str(found.weights))
    return Chosen(project, network, (*files_of(project), found.weights))


def facts_of(project: Project, graph: Graph) -> dict[str, str]:
    """Words that travel with an exported file: what it was made from, and what it takes and gives."""
    taken = {
        f"{INPUT}{node.name}": f"{graph.channels(node.name)} channels, {_contents(node.attrs)}" for node in graph.inputs
    }
    return {
        "catdsl.version": __version__,
        # In files, in models and on pages: a name without what steers a terminal or no text can hold.
        "catdsl.spec": printable(Path(project.spec.files[0].shown).name),
        "catdsl.network": f"{'teacher' if project.student is None else 'student'} {graph.name}",
        PROGRAM: digest([project.source, *project.spec.files]),
        **taken,
        "catdsl.output": f"{graph.channels(graph.output)} channels, an image with values from -1 to 1",
        "catdsl.sizes": str(size_rule(graph)),
        STRIDE: str(stride(project)),
    }


def export(
    what: Chosen, out: Path, *, half: bool, say: Callable[[str], None], int8: Int8Options | None = None,
    as_searched: bool = False, native: bool = True, overwrite: bool = False,
) -> Exported:  # fmt: skip
    """Write `out` in the format of its ending, once it was seen to compute what the network does.

    What is written is the network after the passes of its format, if `as_searched` does not say
    otherwise; it is compared with the network before them. `native` says whether it is for processors.

    Raises CatError E607 (an unknown ending, a package that is missing), E608 (a place that cannot be
    written, or where a file of another make would be replaced), E609 (the file computes something else;
    nothing is left), E610 (the format cannot hold it).
    """
    form, network = format_of(out), what.network
    _check_asked(out, half=half, int8=int8 is not None)
    files = tuple(out.with_suffix(ending) for ending in (*form.beside, out.suffix))
    inputs = what.files if int8 is None else (*what.files, int8.squeezenet)
    for file in files[:-1]:
        check_no_input(file, inputs)
        _check_beside(file, out)
    check_target(out, COMMAND, overwrite=overwrite, inputs=inputs)
    judge = None if int8 is None else check_options(network, int8)
    native = native and not half and int8 is None
    pipelines = () if as_searched else form.pipelines + (form.native_pipelines if native else ())
    rule = size_rule(network.graph)
    say(f"sizes    {rule}; translate pads to multiples of {network.facts[STRIDE]}")
    if out.is_dir():
        raise CatError.one("E608", f"{out} is a folder", help="give -o the name of a file")
    with beside(out) as folder:
        made = folder / (out.name if int8 is None else f"float_{out.name}")
        try:
            form.write(rewritten_network(network, pipelines), made, half=half)
        except OSError as error:
            raise not_writable(out, error) from error
        agreement = check(
            network, lambda inputs: form.run(made, inputs), sizes_to_check(rule), what=f"the {form.shown} file",
            tolerance=HALF_TOLERANCE if half else TOLERANCE,
        )  # fmt: skip
        cost = None
        if int8 is not None:
            cost = export_int8(what.project, network, made, folder / out.name, int8, judge=judge, say=say)
        if out.suffix == ".py":
            # After the check, which holds the file to what the writer writes: the mark is a comment.
            write_text(made, marked(made.read_text("utf-8"), out.suffix, COMMAND))
        place_all(folder, files)
    return Exported(files, form.shown, rule, agreement, sum(file.stat().st_size for file in files), cost)


def _check_asked(out: Path, *, half: bool, int8: bool) -> None:
    """Refuse what does not go together. Raises CatError E607."""
    if int8 and half:
        raise CatError.one("E607", "--half and --int8 cannot both be had", help="choose one of them")
    if int8 and out.suffix != ".onnx":
        raise CatError.one("E607", f"int8 is written as .onnx alone, not as {out.suffix}", help="end -o in .onnx")
    if out.suffix == ".onnx":
        check_onnx()


def _check_beside(file: Path, out: Path) -> None:
    """Refuse to replace a file beside `out` that no export has made: nobody has named it. Raises CatError E608."""
    try:
        ours = not os.path.lexists(file) or made_by(file, COMMAND)
    except OSError as error:
        raise not_writable(file, error) from error
    if not ours:
        raise CatError.one(
            "E608", f"{file} exists already, and no export has made it: the weights of {out.name} would replace it",
            help="give -o another name, or move that file away",
        )  # fmt: skip


def exported_json(done: Exported) -> str:
    """What was done, for programs."""
    return json.dumps(exported_values(done), indent=1)


def exported_values(done: Exported) -> dict[str, object]:
    """What was done, as JSON values."""
    agreement = done.agreement
    return {
        "files": [str(f) for f in done.files], "format": done.format, "bytes": done.bytes,
        "sizes": {"height": str(done.sizes.height), "width": str(done.sizes.width)},
        "checked": {
            "sizes": agreement.sizes, "batches": agreement.batches, "tolerance": agreement.tolerance,
            "furthest": agreement.furthest,
        },
        "int8": None if done.int8 is None else asdict(done.int8),
    }  # fmt: skip


def format_of(out: Path) -> Format:
    """The format of an ending. Raises CatError E607."""
    if out.suffix not in FORMATS:
        known = ", ".join(FORMATS)
        raise CatError.one("E607", f"`{out.name}` has no ending of a format", help=f"end the name in one of {known}")
    return FORMATS[out.suffix]


def _contents(attrs: Mapping[str, object]) -> str:
    if attrs["kind"] == "image":
        return "an image with values from -1 to 1"
    edges = ", the last the edges between instances" if attrs["edges"] else ""
    return f"a label map, one-hot{edges}"
