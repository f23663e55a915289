"""`.onnx`: one file with the weights inside, free sizes, and names from the graph."""

import ast
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from catdsl.analysis.sizes import SizeRule, size_rule
from catdsl.backend.instance_norms import with_instance_norms
from catdsl.backend.paths import graph_name
from catdsl.diagnostics import CatError
from catdsl.export.network import Network
from catdsl.export.tracing import HALVED, traced
from catdsl.ir.graph import Graph

OPSET = 20
"""The newest that onnxruntime and the exporter both have in full."""

_SCOPES = "pkg.torch.onnx.name_scopes"
_SYMBOL = re.compile(r"\bs\d+\b")


def check_onnx() -> None:
    """Raise CatError E607 where what ONNX needs is not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise CatError.one(
            "E607", f"{error.name or 'onnx'} is not installed, which an export to ONNX needs",
            help="pip install 'catdsl[onnx]', or export to .pt2 or .py",
        ) from error  # fmt: skip


def write_onnx(network: Network, path: Path, *, half: bool) -> None:
    """Write the model. Raises CatError E607, E610."""
    check_onnx()
    # As a group norm, an instance norm would be five operators.
    program = traced(replace(network, module=with_instance_norms(network.module)), half=half)
    inputs = [node.name for node in network.graph.inputs]
    with _quiet():
        made = torch.onnx.export(
            program, dynamo=True, opset_version=OPSET, input_names=inputs, output_names=["output"],
            verbose=False, external_data=False,
        )  # fmt: skip
    assert made is not None
    _name(made.model, network.graph, before=HALVED if half else "")
    _name_sizes(made.model, size_rule(network.graph))
    made.model.producer_name = "catdsl"
    made.model.graph.name = network.graph.name
    made.model.metadata_props.clear()
    made.model.metadata_props.update(network.facts)
    made.save(str(path), external_data=False)


def run_onnx(path: Path, inputs: Sequence[tuple[Tensor, ...]]) -> list[Tensor]:
    """The outputs of a model that onnxruntime loads from its file."""
    session = onnx_session(path)
    names = [given.name for given in session.get_inputs()]
    return [
        torch.from_numpy(session.run(None, {n: x.numpy() for n, x in zip(names, tensors, strict=True)})[0])
        for tensors in inputs
    ]


def onnx_session(path: Path) -> Any:
    """An onnxruntime session on the CPU, with as many threads as torch has."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    # Its threads would look for more work for a while after each run, and slow down whatever runs next.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _name(model: Any, graph: Graph, *, before: str) -> None:
    """Name nodes and their values after the graph's nodes, and drop what the exporter notes of this machine.

    Where a node becomes several, the last bears its name, and the others the name of their operator after it.
    """
    kept = {value.name for value in (*model.graph.inputs, *model.graph.outputs)}
    made: dict[str, list[Any]] = {}
    for node in model.graph:
        path = _path(node, graph, before)
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()
        if path is not None:
            made.setdefault(path, []).append(node)
    for path, nodes in made.items():
        for index, node in enumerate(nodes):
            node.name = path if node is nodes[-1] else f"{path}/{node.op_type}_{index}"
            if len(node.outputs) == 1 and node.outputs[0].name not in kept:
                node.outputs[0].name = node.name
    for value in (*model.graph.initializers.values(), *model.graph.inputs, *model.graph.outputs):
        value.metadata_props.clear()
        value.doc_string = None
    named = {graph_name(name.removeprefix(before)): weights for name, weights in model.graph.initializers.items()}
    # In two steps, as a new name may be another's old one.
    for turn in ("/{}", "{}"):
        for name, weights in named.items():
            weights.name = turn.format(name)


def _path(node: Any, graph: Graph, before: str) -> str | None:
    """The graph's node that an ONNX node comes from: the innermost module of its stack that is one."""
    scopes = ast.literal_eval(node.metadata_props.get(_SCOPES, "[]"))
    names = (graph_name(scope.removeprefix(before)) for scope in reversed(scopes))
    return next((name for name in names if name in graph.node), None)


def _name_sizes(model: Any, rule: SizeRule) -> None:
    """`batch`, `height` and `width` for the exporter's symbols; a side of step 8 is 8 times `height_by_8`."""
    names = {}
    sides = {0: ("batch", 1), 2: ("height", rule.height.step), 3: ("width", rule.width.step)}
    shape = model.graph.inputs[0].shape
    for axis, (name, step) in sides.items():
        for symbol in _SYMBOL.findall(str(shape[axis])):
            names[symbol] = name if step == 1 else f"{name}_by_{step}"
    # Beside inputs and outputs shapes within are notes of the exporter's, which it would have to keep equal.
    for node in model.graph:
        for value in node.outputs:
            value.shape = value.shape if value.is_graph_output() else None
    for value in (*model.graph.inputs, *model.graph.outputs):
        value.shape = type(shape)(
            [s if isinstance(s, int) else _SYMBOL.sub(lambda m: names.get(m[0], m[0]), str(s)) for s in value.shape]
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter speaks of its own progress and of torch's deprecations, which are no news to the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
