"""Initial weights by the spec's style, from a seed, in the order of the graph."""

import torch
from torch import nn
from torch.nn import init
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from catdsl.backend.paths import module_path
from catdsl.ir.graph import Graph
from catdsl.semantics.settings import StyleSettings


@torch.no_grad()
def initialize(module: nn.Module, graph: Graph, style: StyleSettings, seed: int) -> None:
    """Fill all parameters: conv weights by `style.init`, biases 0, norm scales N(1, gain).

    With the defaults this is the N(0, 0.02) of the published recipes. Reproducible: only `seed`
    and the graph decide.
    """
    generator = torch.Generator().manual_seed(seed)
    for node in graph.nodes:
        table = [w for w in node.op.weights(node.attrs) if not w.buffer]
        if not table:
            continue
        owner = module.get_submodule(module_path(node.name))
        for name, parameter in owner.named_parameters():
            values = torch.empty(parameter.shape)
            if node.op.is_norm and name == "weight":
                values.normal_(1.0, style.init_gain, generator=generator)
            elif parameter.ndim < 2:
                values.zero_()
            else:
                _fill(values, style, generator)
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


def _fill(values: torch.Tensor, style: StyleSettings, generator: torch.Generator) -> None:
    match style.init:
        case "normal":
            init.normal_(values, 0.0, style.init_gain, generator=generator)
        case "xavier":
            init.xavier_normal_(values, style.init_gain, generator=generator)
        case "kaiming":
            init.kaiming_normal_(values, generator=generator)
