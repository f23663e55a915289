"""catdsl: a language and compiler for compressing image-to-image generators.

    import catdsl

    project = catdsl.load("specs/resnet_inception.cat", {"ngf": 32})
    project.graph       # the typed graph
    project.cost        # MACs in both conventions, and parameters
    project.teacher()   # a torch module with initial weights

Mistakes in a spec are `catdsl.CatError`, with every diagnostic in `.diagnostics`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catdsl.diagnostics import CatError
    from catdsl.project import Project, load

__version__ = "0.1.0"
__all__ = ["CatError", "Project", "__version__", "load"]


def __getattr__(name: str) -> Any:
    # On demand: the command line imports this module, and shall not load the compiler for `--version`.
    if name == "CatError":
        from catdsl.diagnostics import CatError

        return CatError
    if name in ("Project", "load"):
        from catdsl import project

        return getattr(project, name)
    raise AttributeError(f"module `catdsl` has no attribute `{name}`")
