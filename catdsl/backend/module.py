"""A graph as a torch.fx module: readable code, and a state_dict whose keys are paths of the graph."""

import keyword
from typing import Any

import torch
from torch import fx, nn

from catdsl.backend.paths import module_path
from catdsl.ir.graph import Graph, Node


def build_module(graph: Graph) -> fx.GraphModule:
    """The network of a graph, with torch's default weights. Maps B x C x H x W tensors to one.

    The `state_dict` keys are `<node>.<parameter>`, as in the graph's axis tables, but for what
    `module_path` says of some. The caller's random state is left as it was.
    """
    root = nn.Module()
    code = fx.Graph()
    values: dict[str, fx.Node] = {}
    with torch.random.fork_rng(devices=[]):
        for node in graph.nodes:
            values[node.name] = _emit(graph, node, root, code, values)
    code.output(values[graph.output])
    return fx.GraphModule(root, code, class_name=graph.name.title().replace("_", ""))


def with_taps(module: fx.GraphModule, graph: Graph, taps: tuple[str, ...]) -> fx.GraphModule:
    """The same network, sharing all parameters, that returns (output, tensors of the nodes `taps`)."""
    code = fx.Graph()
    values: dict[fx.Node, fx.Node] = {}
    output = code.graph_copy(module.graph, values)
    # The generated nodes are found by the graph's names, which `_emit` noted on them.
    by_name = {node.meta["path"]: values[node] for node in module.graph.nodes if "path" in node.meta}
    code.output((output, tuple(by_name[name] for name in taps)))
    return fx.GraphModule(module, code, class_name=f"{graph.name.title()}WithTaps")


def _emit(graph: Graph, node: Node, root: nn.Module, code: fx.Graph, values: dict[str, fx.Node]) -> fx.Node:
    name = node.name.replace(".", "_")
    if not node.inputs:
        made = code.placeholder(f"{name}_" if _reserved(name) else name, type_expr=torch.Tensor)
    else:
        inputs = tuple(values[i] for i in node.inputs)
        made = _call(node, name, inputs, root, code, node.op.build(graph.site(node)))
    made.meta["path"] = node.name
    return made


def _reserved(name: str) -> bool:
    """Whether an argument of `forward` cannot be called so: the code has another use for the word."""
    word = name.rstrip("_")
    return keyword.iskeyword(word) or word in ("self", "torch") or name == "__debug__"


def _call(node: Node, name: str, inputs: tuple[fx.Node, ...], root: nn.Module, code: fx.Graph, built: Any) -> fx.Node:
    if isinstance(built, nn.Module):
        return code.create_node("call_module", attach(root, node.name, built), inputs, name=name)
    function, arguments = built if isinstance(built, tuple) else (built, {})
    return code.create_node("call_function", function, inputs, arguments, name=name)


def attach(root: nn.Module, node: str, module: nn.Module) -> str:
    """Put a node's module at its path, which is returned; the steps in between are plain containers."""
    path = module_path(node)
    *parents, last = path.split(".")
    at = root
    for part in parents:
        if part not in at._modules:
            at.add_module(part, nn.Module())
        at = at.get_submodule(part)
    at.add_module(last, module)
    return path
