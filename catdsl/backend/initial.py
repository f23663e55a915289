"""Initial weights by the spec's style, from a seed, in the order of the graph."""

import torch
from torch import nn
from torch.nn import init
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from catdsl.backend.paths import module_path
from catdsl.ir.graph import Graph
from catdsl.ir.op import Initial
from catdsl.semantics.settings import StyleSettings


@torch.no_grad()
def initialize(module: nn.Module, graph: Graph, style: StyleSettings, seed: int) -> None:
    """Fill all parameters with the initial values that the operators give: drawn as the style says, or constant.

    With the defaults this is the N(0, 0.02) of the published recipes. Reproducible: only `seed`
    and the graph decide.
    """
    generator = torch.Generator().manual_seed(seed)
    for node in graph.nodes:
        table = [w for w in node.op.weights(node.attrs) if not w.buffer]
        if not table:
            continue
        owner = module.get_submodule(module_path(node.name))
        for weight in table:
            parameter = _parameter(owner, weight.name)
            values = torch.empty(parameter.shape)
            _fill(values, weight.initial, style, generator)
            parameter.copy_(values)
        if parametrize.is_parametrized(owner):
            _renew_spectral_norm(owner, generator)


def _renew_spectral_norm(owner: nn.Module, generator: torch.Generator) -> None:
    """Estimate the spectral norm of the weights that are there now, from the seed.

    The estimate that a layer was built with is one of torch's default weights, from chance.
    """
    parametrize.remove_parametrizations(owner, "weight", leave_parametrized=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        spectral_norm(owner)


def _parameter(owner: nn.Module, name: str) -> nn.Parameter:
    if parametrize.is_parametrized(owner, name):
        return owner.get_parameter(f"parametrizations.{name}.original")
    return owner.get_parameter(name)


def _fill(values: torch.Tensor, initial: Initial | float, style: StyleSettings, generator: torch.Generator) -> None:
    if not isinstance(initial, Initial):
        values.fill_(initial)
        return
    match initial, style.init:
        case Initial.SCALE, _:
            values.normal_(1.0, style.init_gain, generator=generator)
        case Initial.KERNEL, "normal":
            init.normal_(values, 0.0, style.init_gain, generator=generator)
        case Initial.KERNEL, "xavier":
            init.xavier_normal_(values, style.init_gain, generator=generator)
        case Initial.KERNEL, "kaiming":
            init.kaiming_normal_(values, generator=generator)
