"""`.py`: one readable file that needs torch and safetensors alone, with its weights beside it."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save, save_file
from torch import Tensor

from catdsl.analysis.stride import stride
from catdsl.backend.weights import state_of
from catdsl.diagnostics import CatError
from catdsl.export.network import INPUT, Network
from catdsl.export.source.code import LINE
from catdsl.export.source.definitions import Definition, Definitions
from catdsl.export.source.literals import checked_path, docstring
from catdsl.export.source.parts import Body, Chain, Many, Single
from catdsl.export.source.program import LOAD, main_text
from catdsl.export.source.proof import IMPORTS, prove
from catdsl.export.source.structure import structured
from catdsl.export.source.writing import attributes, definition_text
from catdsl.files import write_bytes, write_text
from catdsl.ir.code import literal
from catdsl.ir.graph import Graph

WEIGHTS = ".safetensors"

# What runs the file in a process of its own: no catdsl there, and no folder of this one.
_DRIVER = """
import importlib.util, sys
sys.modules["catdsl"] = None
import torch
from safetensors.torch import load_file, save_file
file, given, made, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
spec = importlib.util.spec_from_file_location("exported", file)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
network, tensors = module.load(), load_file(given)
calls = {}
for name in sorted(tensors):
    calls.setdefault(name.split(".")[0], []).append(tensors[name])
with torch.no_grad():
    save_file({call: network(*inputs).contiguous() for call, inputs in calls.items()}, made)
"""


def write_python(network: Network, path: Path, *, half: bool) -> None:
    """Write the file, and its weights beside it under the same stem. Raises CatError E610."""
    root = structured(network.graph)
    state = state_of(network.module)
    renamed = {new: state[old] for new, old in _weight_names(Definitions(root), root, "")}
    if half:
        renamed = {n: x.half() if x.is_floating_point() else x for n, x in renamed.items()}
    tensors = {n: x.contiguous().clone() for n, x in renamed.items()}
    write_bytes(path.with_suffix(WEIGHTS), save(tensors, dict(network.facts)))
    write_text(path, python_text(network, root))


def python_text(network: Network, root: Body) -> str:
    """The whole file."""
    definitions = Definitions(root)
    made = list(definitions.made.values())
    body = "\n\n".join(
        definition_text(definitions, each, _summary(each, definitions.root, network.graph)) for each in made
    )
    main = main_text(network.graph, stride(network.graph))
    text = f"{body}\n\n{LOAD.format(name=definitions.root.name)}{main}"
    needed = ("sys." in text, ": Sequence" in text, True, "torch." in text, True, True, "F." in text)
    lines = [line for line, wanted in zip(IMPORTS, needed, strict=True) if wanted]
    # A blank line between Python's own and others.
    others = lines.index("from pathlib import Path") + 1
    imports = "\n".join((*lines[:others], "", *lines[others:]))
    return f"{docstring(_told(network.facts))}\n\n{imports}\n\n{_about(network.facts)}\n\n\n{text}"


def run_python(path: Path, inputs: Sequence[tuple[Tensor, ...]]) -> list[Tensor]:
    """The outputs of the file in an interpreter of its own, once it is proved to hold a network alone.

    Raises CatError E609 where it holds more, or where it fails, with what it said.
    """
    _prove(path)
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "inputs"), Path(folder, "outputs")
        save_file(
            {f"{i:03}.{k:03}": x.contiguous() for i, tensors in enumerate(inputs) for k, x in enumerate(tensors)}, given
        )
        words = [sys.executable, "-I", "-c", _DRIVER, path.absolute(), given, made, torch.get_num_threads()]
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise CatError.one(
                "E609", f"the Python file does not run: {said[-1] if said else 'no word of why'}",
                notes=("no file has been written",), help="please report this with the spec",
            )  # fmt: skip
        return [x for _, x in sorted(load_file(made).items())]


def _weight_names(definitions: Definitions, part: Any, path: str) -> Iterator[tuple[str, str]]:
    """Names of weights in the file, each with its name in the graph."""
    inner: list[tuple[str, Any]] = []
    match part:
        case Single():
            for weight in part.node.op.weights(part.node.attrs):
                yield f"{path}.{weight.name}", f"{part.node.name}.{weight.name}"
        case Chain() | Many():
            inner = [(str(index), each) for index, each in enumerate(part.parts)]
        case Body():
            # Attributes are those of the class, which another part of this structure may have named.
            names = attributes(definitions.of(part).part)
            inner = [(name, step.part) for name, step in zip(names, part.steps, strict=True) if name is not None]
    for name, each in inner:
        yield from _weight_names(definitions, each, f"{path}.{name}" if path else name)


def _prove(path: Path) -> None:
    """Hold a file against the metadata of its weights, where its facts were written apart from all code."""
    with safe_open(path.with_suffix(WEIGHTS), framework="pt") as tensors:
        facts = tensors.metadata() or {}
    try:
        text = path.read_bytes().decode("ascii")
    except UnicodeDecodeError:
        text = "\0"
    prove(text, facts, _told(facts))


def _about(facts: Mapping[str, str]) -> str:
    """The facts as a constant: texts from elsewhere, such as the name of a spec, are literals and nothing else."""
    lines = (f"    {literal(key)}: {literal(value)},\n" for key, value in facts.items())
    return f"ABOUT = {{\n{''.join(lines)}}}"


def _told(facts: Mapping[str, str]) -> str:
    """The docstring: what the file holds, in words of our own and names of the program."""
    inputs = sorted(key for key in facts if key.startswith(INPUT))
    lines = [f"Input `{checked_path(key.removeprefix(INPUT))}`: {facts[key]}." for key in inputs]
    lines += [f"Output: {facts['catdsl.output']}.", f"Sizes: {facts['catdsl.sizes']}."]
    first = f"{facts['catdsl.network'].capitalize()}: a generator of images."
    made = f"Exported by catdsl {facts['catdsl.version']}; ABOUT says from what."
    return "\n".join((first, "", made, "", *(fill(line, LINE) for line in lines), ""))


def _summary(made: Definition, root: Definition, graph: Graph) -> str:
    """The docstring of a class or function."""
    if made is root:
        return f"The {graph.kind}, from {' and '.join(n.name for n in graph.inputs)} to an image."
    if isinstance(made.part, Chain):
        return _kinds(made.part)
    return f"A block, as at {made.part.label} of the program."


def _kinds(chain: Chain) -> str:
    """The operators of a chain in words."""
    names = [single.node.op.name.replace("dw", "depthwise ").replace("_", " ") for single in chain.parts]
    return f"{', '.join(names)}.".capitalize()
