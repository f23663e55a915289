"""Which module imports which, and which of these imports point up or hide in a function."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.architecture.source import Module

# From the ground up. A module imports from its own floor and from floors that stand before it here;
# those in one row stand side by side and may not import each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("catdsl",),  # the package's own `__init__`: its version, and on demand what PUBLIC names
    ("catdsl.resources", "catdsl.diagnostics"),
    ("catdsl.limits", "catdsl.temporary", "catdsl.exchanging", "catdsl.acceptance"),
    ("catdsl.provenance",),
    ("catdsl.files", "catdsl.reading"),
    ("catdsl.weights_file",),
    ("catdsl.syntax",),
    ("catdsl.ir",),
    ("catdsl.ops",),
    ("catdsl.semantics",),
    ("catdsl.analysis",),
    ("catdsl.passes",),
    ("catdsl.search",),
    ("catdsl.backend",),
    ("catdsl.train",),
    ("catdsl.evaluate",),
    ("catdsl.export",),
    ("catdsl.view",),
    ("catdsl.project",),
    ("catdsl.jobs",),
    ("catdsl.cli",),
    ("catdsl.__main__",),
)

_TORCH_SIDE = ("torch", "catdsl.backend", "catdsl.train", "catdsl.evaluate", "catdsl.export")

# What users import from `catdsl` itself; its `__init__` loads it when it is first asked for.
PUBLIC = ("catdsl.project", "catdsl.diagnostics")

# Imports inside functions: in which modules, of what, and why. All others stand at the top.
LAZY: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("catdsl.ops", ("torch", "catdsl.backend.functions"), "builders: a spec is checked without torch"),
    ("catdsl.ir.graph", ("catdsl.view.notebook",), "notebooks ask a value itself for its picture"),
    ("catdsl.search.plan", ("catdsl.view.notebook",), "the same"),
    ("catdsl.project", (*_TORCH_SIDE, "catdsl.search", "catdsl.view"), "loaded when it is used"),
    ("catdsl.train.processes", ("lightning_fabric",), "takes two seconds, which `catdsl --help` need not wait for"),
    ("catdsl.train.records", ("torch.utils.tensorboard",), "an extra that need not be installed"),
    ("catdsl.evaluate", ("torchvision", "torch_fidelity"), "take seconds; torchvision may need its operators declared"),
    ("catdsl.evaluate.ssim", ("torchmetrics",), "loads torchvision"),
    ("catdsl.evaluate.segmenters", ("transformers",), "an extra that need not be installed"),
    ("catdsl.evaluate.onnx_segmenter", ("onnx", "onnxruntime", "google.protobuf"), "the same"),
    ("catdsl.export", ("onnx", "onnxruntime", "onnxscript"), "an extra that need not be installed"),
    ("catdsl.cli", (*_TORCH_SIDE, "catdsl.view", "catdsl.jobs", "catdsl.cli", "rich"), "a command loads what it needs"),
)

_IMPORTING_CALLS = ("import_module", "__import__")
_COMPUTED = "a name that is computed"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: `target` is dotted and whole, `lazy` where it stands inside a function."""

    path: str
    line: int
    source: str
    target: str
    lazy: bool

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.source} imports {self.target}"


def imports(module: Module) -> Iterator[Import]:
    """Every import of a module, also those in functions, in `if TYPE_CHECKING`, and by call."""
    lazy = {
        id(inner)
        for outer in ast.walk(module.tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        or (module.name == "catdsl" and _for_types(outer))
        for inner in ast.walk(outer)
    }
    for node in ast.walk(module.tree):
        for target in _targets(node, module):
            yield Import(module.path, node.lineno, module.name, target, id(node) in lazy)  # type: ignore[attr-defined]


def _for_types(node: ast.AST) -> bool:
    """`if TYPE_CHECKING`, which never runs; only the package's own `__init__` may look up with it."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _targets(node: ast.AST, module: Module) -> tuple[str, ...]:
    if isinstance(node, ast.Import):
        return tuple(alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        base = _absolute(node, module)
        return tuple(f"{base}.{alias.name}" for alias in node.names)
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in _IMPORTING_CALLS:
        match node.args:
            case [ast.Constant(value=str(name)), *_]:
                return (name,)
        return (_COMPUTED,)
    return ()


def _absolute(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    above = node.level - module.path.endswith("/__init__.py")
    return ".".join([*parts[: len(parts) - above], *([node.module] if node.module else [])])


def floor(dotted: str) -> int | None:
    """The floor on which a dotted name stands; None for a name of catdsl that no floor claims."""
    if dotted in ("catdsl", "catdsl.__version__"):
        return 0
    rows = (index for index, row in enumerate(FLOORS) if index and any(_within(dotted, part) for part in row))
    return next(rows, None)


def _within(dotted: str, part: str) -> bool:
    return dotted == part or dotted.startswith(part + ".")


def _part(dotted: str) -> str:
    return ".".join(dotted.split(".")[:2])


def upward(module: Module) -> list[str]:
    """Imports of catdsl that point up or sideways, and modules and imports on no floor at all."""
    here = floor(module.name)
    if here is None:
        return [f"{module.path}: stands on no floor"]
    problems = []
    for item in imports(module):
        if item.target.split(".")[0] != "catdsl" or (item.lazy and allowed_lazily(item)):
            continue
        there = floor(item.target)
        if there is None or there > here or (there == here and _part(item.target) != _part(module.name)):
            problems.append(str(item))
    return problems


def allowed_lazily(item: Import) -> bool:
    if item.source == "catdsl":
        return any(_within(item.target, part) for part in PUBLIC)
    return any(
        _within(item.source, where) and any(_within(item.target, what) for what in targets)
        for where, targets, _ in LAZY
    )


def hidden(module: Module) -> list[str]:
    """Imports inside functions that the list does not name, and those whose name cannot be read."""
    found = (item for item in imports(module) if item.lazy or item.target == _COMPUTED)
    return [str(item) for item in found if not allowed_lazily(item)]
