"""What the guards demand of each module and each file, as functions from text to complaints."""

import ast
import re
from collections.abc import Iterable

from tests.architecture.source import Module

MAX_LINES = 400
EMPTY_NAMES = ("utils", "util", "helpers", "helper", "common", "misc")

# An absolute path that only one machine has, on any of the usual systems.
_MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:home|root|Users|work|tmp|mnt|media|opt|srv)/\w|\b[A-Z]:\\{1,2}Users\b")
_LEFT_OVER = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b")  # in brackets, so that this line passes
# The one way to print is told of control characters, of encodings that lack a character, and of streams that
# are closed. A training's bar is a console of rich.
_PRINTING = {
    "print": (), "builtins.print": (), "typer.echo": (), "typer.secho": (), "traceback.print_exc": (),
    "sys.stdout.write": (), "sys.stderr.write": (),
    "Console": ("catdsl/cli/printing.py", "catdsl/train/progress.py"),
    "rich.print": (),
}  # fmt: skip
_CODE = re.compile(r"\bE[1-9]\d\d\b")


def naming(module: Module) -> list[str]:
    """A name says what the file is about; these say nothing."""
    stem = module.name.split(".")[-1]
    return [f"{module.path}: name it after its one idea"] if stem in EMPTY_NAMES else []


def docstring(module: Module) -> list[str]:
    """The first line of a module says what it is, in a sentence that ends on that line."""
    text = ast.get_docstring(module.tree)
    if not text:
        return [f"{module.path}: has no docstring"]
    if not re.search(r"\w.*[.!?]$", text.splitlines()[0]):
        return [f"{module.path}: the docstring's first line is not a whole sentence"]
    return []


def length(module: Module) -> list[str]:
    lines = len(module.text.splitlines())
    return [f"{module.path}: {lines} lines, more than {MAX_LINES}"] if lines > MAX_LINES else []


def asking_for_attributes(module: Module) -> list[str]:
    """`hasattr` asks at run time what a type should have said."""
    return [
        f"{module.path}:{node.lineno}: calls hasattr"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("hasattr", "builtins.hasattr")
    ]


def printing(module: Module) -> list[str]:
    """Words for a terminal go through catdsl/cli/printing.py, or through `write_line` below it."""
    return [
        f"{module.path}:{node.lineno}: calls {called}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        for called in [ast.unparse(node.func)]
        if called in _PRINTING and module.path not in _PRINTING[called]
    ]


def codes_raised(modules: Iterable[Module]) -> dict[str, str]:
    """Every code that stands as a string of its own in a module, with the first place where it does."""
    found: dict[str, str] = {}
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
                found.setdefault(node.value, f"{module.path}:{node.lineno}")
    return found


def codes_mentioned(modules: Iterable[Module]) -> dict[str, str]:
    """Every code that a module's text contains, docstrings and comments too, with the module."""
    return {code: module.path for module in modules for code in _CODE.findall(module.text)}


def stray_codes(modules: Iterable[Module], codes: Iterable[str]) -> list[str]:
    """Codes that are spoken of but not documented, and codes documented that nothing raises."""
    modules, codes = tuple(modules), set(codes)
    raised, mentioned = codes_raised(modules), codes_mentioned(modules)
    unknown = [f"{place}: {code} has no entry" for code, place in mentioned.items() if code not in codes]
    return sorted(unknown) + [f"{code}: nothing raises it" for code in sorted(codes - set(raised))]


def traces(path: str, text: str) -> list[str]:
    """Paths of one machine, and marks of work left over."""
    return [
        f"{path}:{number}: {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), 1)
        if _MACHINE_PATH.search(line) or _LEFT_OVER.search(line)
    ]
