"""Names of the graph as paths of modules, and back: a part that PyTorch's modules or Python need gets a `_`.

A statement may be called `half`, `train` or `lambda`. A module of that name would hide the method, be
hidden by it, or be no name at all in the code of `forward`. Graphs, files of weights and all that is
shown keep the names of the program.
"""

import keyword

from torch import fx, nn

_TAKEN = frozenset((*dir(fx.GraphModule(nn.Module(), fx.Graph())), *keyword.kwlist))


def module_path(name: str) -> str:
    """Where the module of a node lies, or a weight: `half.conv0` at `half_.conv0`."""
    return ".".join(f"{part}_" if _taken(part) else part for part in name.split("."))


def graph_name(path: str) -> str:
    """The inverse of `module_path`."""
    return ".".join(part[:-1] if part.endswith("_") and _taken(part[:-1]) else part for part in path.split("."))


def _taken(part: str) -> bool:
    """Whether it is one of those names, with any number of `_` behind it: so both ways stay one to one.

    Those with two `_` before them are all taken, since torch.compile adds such to modules as it goes.
    """
    return part.startswith("__") or any(
        part[: len(part) - more] in _TAKEN for more in range(len(part) - len(part.rstrip("_")) + 1)
    )
