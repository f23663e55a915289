"""A network as a torch.export program whose batch, height and width are free within the sizes that it takes."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config as tracing_config

from catdsl.analysis.sizes import SideRule, SizeRule, size_rule
from catdsl.backend.module import attach
from catdsl.diagnostics import CatError, first_line
from catdsl.export.network import Network, random_inputs

# What torch tells only whoever looks for it: which line of which file a node was traced from.
_TRACES = ("stack_trace", "source_fn_stack", "torch_fn", "from_node")

HALVED = "halved."
"""Before the names of weights in half precision."""


class Applied(nn.Module):
    """A function with its keyword arguments as a module, so that what is traced of it bears a name."""

    def __init__(self, function: Callable[..., Tensor], arguments: dict[str, Any]):
        super().__init__()
        self.function, self.arguments = function, arguments

    def forward(self, *tensors: Tensor) -> Tensor:
        return self.function(*tensors, **self.arguments)


def _halved(module: fx.GraphModule) -> fx.GraphModule:
    """The same network, of the same inputs, computing in half precision between inputs and output in float32."""
    root, code = nn.Module(), fx.Graph()
    root.add_module(HALVED.rstrip("."), deepcopy(module).half())
    given = [code.placeholder(n.target, type_expr=Tensor) for n in module.graph.nodes if n.op == "placeholder"]
    halves = tuple(code.call_method("half", (x,)) for x in given)
    code.output(code.call_method("float", (code.call_module(HALVED.rstrip("."), halves),)))
    return fx.GraphModule(root, code)


def traced(network: Network, *, half: bool = False) -> ExportedProgram:
    """The program, its weights at their paths in the module (after HALVED in half precision).

    Raises CatError E610 where torch cannot keep a size free.
    """
    rule = size_rule(network.graph)
    module = _named(network.module)
    module = _halved(module) if half else module
    # Two images, since a batch of 1 would be taken for a constant.
    example = random_inputs(network.graph, rule.declared, batch=2, seed=0)
    free = _free_axes(rule)
    shapes = tuple(free for _ in example)
    try:
        # Without this a size that happens to be 1 somewhere inside would be excluded.
        with tracing_config.patch(backed_size_oblivious=True), torch.no_grad():  # type: ignore[attr-defined]
            program = torch.export.export(module, example, dynamic_shapes=shapes)
    except Exception as error:
        # Torch says what it lacks through exceptions of a dozen classes without a base of their own.
        raise CatError.one(
            "E610", f"torch.export cannot trace `{network.graph.name}`: {first_line(error)}",
            network.graph.nodes[0].span, help="export it as .py, which needs no tracing",
        ) from error  # fmt: skip
    return _untraced(program)


def _named(module: fx.GraphModule) -> fx.GraphModule:
    """The same network with every function called as a module at its path in the graph."""
    code = fx.Graph()
    values: dict[fx.Node, fx.Node] = {}
    root = nn.Module()
    for name, child in module.named_children():
        root.add_module(name, _shell(child))
    for node in module.graph.nodes:
        values[node] = code.node_copy(node, lambda n: values[n])
        if node.op == "call_function":
            path = attach(root, node.meta["path"], Applied(node.target, dict(node.kwargs)))
            values[node].op, values[node].target, values[node].kwargs = "call_module", path, {}
    return fx.GraphModule(root, code)


def _shell(module: nn.Module) -> nn.Module:
    """A container of its own with the same operators, so that the network that was given stays as it is."""
    if type(module) is not nn.Module:
        return module
    shell = nn.Module()
    for name, child in module.named_children():
        shell.add_module(name, _shell(child))
    return shell


def _free_axes(rule: SizeRule) -> dict[int, Any]:
    axes = {0: Dim("batch"), 2: _side("height", rule.height), 3: _side("width", rule.width)}
    return {axis: dim for axis, dim in axes.items() if dim is not None}


def _side(name: str, rule: SideRule) -> Any:
    """Sides as torch.export writes them: `step * name + rest`."""
    if not rule.step:
        return None
    if rule.step == 1:
        return Dim(name, min=rule.least)
    times, rest = divmod(rule.least, rule.step)
    side = rule.step * Dim(f"{name}_by_{rule.step}", min=times)
    return side + rest if rest else side


def _untraced(program: ExportedProgram) -> ExportedProgram:
    """Without the lines and files of this machine that torch notes on every node."""
    for part in program.graph_module.modules():
        if isinstance(part, fx.GraphModule):
            for node in part.graph.nodes:
                for key in _TRACES:
                    node.meta.pop(key, None)
    return program
