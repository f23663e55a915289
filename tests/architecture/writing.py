"""Where a module writes to the disk by itself, and not by `catdsl.files`."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Module

# The one way to write, and what it stands on.
WAY = ("catdsl.files", "catdsl.temporary")

# Calls elsewhere that may write: in which module, which call, and why.
ALLOWED: tuple[tuple[str, str, str], ...] = (
    ("catdsl.export.onnx_file", "made.save", "the library takes a path: a file in the folder of `beside`"),
    ("catdsl.export.quantised", "onnx.save", "the same"),
    ("catdsl.export.program_file", "torch.export.save", "the same"),
    ("catdsl.export.source.python_file", "save_file", "tensors for the interpreter that tries the file"),
    ("catdsl.export.source.python_file", "tempfile.TemporaryDirectory", "the same, in the system's own place"),
    ("catdsl.jobs.bench_forms", "TemporaryDirectory", "a model that is timed and thrown away"),
    ("catdsl.evaluate.memory", "TemporaryDirectory", "a trace that is read and thrown away"),
    ("catdsl.evaluate.resident", "(_PROCESS / 'clear_refs').write_text", "a switch of the system, no file"),
    ("catdsl.cli.streams", "open", "the standard streams, where they are closed"),
    ("catdsl.cli.streams", "os.open", "the same, where they take no more"),
    ("catdsl.train.data.scenes", "Image.fromarray(pixels).save", "hundreds of files in a `whole_folder`"),
)

# Methods and functions that write, whatever they are called on.
_WRITERS = (
    "write_text", "write_bytes", "touch", "symlink_to", "hardlink_to", "rename", "renames", "replace", "link",
    "symlink", "move", "copy", "copy2", "copyfile", "copytree", "copymode", "copyfileobj", "make_archive",
    "unpack_archive", "extractall", "truncate", "mkstemp", "mkdtemp", "NamedTemporaryFile", "TemporaryFile",
    "TemporaryDirectory", "SpooledTemporaryFile", "save", "save_file", "savez", "savez_compressed", "savetxt",
    "savefig", "tofile",
)  # fmt: skip
# Plain functions of these names that write nothing, by the package that they come from.
_HARMLESS = (("save", "safetensors"), ("replace", "dataclasses"), ("copy", "copy"))
# What only writes where it is called on these: on others it is a method of text, or of tensors and graphs.
_ON = {
    **dict.fromkeys(("link", "symlink", "rename", "renames"), ("os",)),
    **dict.fromkeys(("move", "copy", "copy2", "copyfile", "copytree", "copymode", "copyfileobj"), ("shutil",)),
}
_STREAM = "stream"
"""What `write_whole` hands out, by this name everywhere; to write into it is the way."""


def writing(module: Module) -> list[str]:
    """Calls that write to the disk outside of the one way."""
    if module.name in WAY:
        return []
    return [
        f"{module.path}:{call.lineno}: {name} writes by itself; use catdsl.files"
        for call, name in _calls(module)
        if (module.name, name) not in {(where, what) for where, what, _ in ALLOWED}
    ]


def unused(modules: Iterator[Module] | tuple[Module, ...]) -> list[str]:
    """Rows of ALLOWED that no module needs any more."""
    found = {(module.name, name) for module in modules for _, name in _calls(module)}
    return [f"{where}: {what}" for where, what, _ in ALLOWED if (where, what) not in found]


def _calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    functions = _imported(module)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _writes(node, functions):
            yield node, ast.unparse(node.func)


def _imported(module: Module) -> dict[str, str]:
    """Where plain names come from: `move` is a function of shutil only where it was imported from there."""
    return {
        alias.asname or alias.name: node.module or ""
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _writes(call: ast.Call, functions: dict[str, str]) -> bool:
    match call.func:
        case ast.Name(id="open" | "ZipFile" | "TarFile") | ast.Attribute(attr="ZipFile" | "TarFile"):
            return _opens_to_write(call, mode_at=1)
        case ast.Attribute(value=ast.Name(id="os"), attr="open"):
            return not _reads_alone(call)
        case ast.Attribute(value=ast.Name(id="os" | "io"), attr="fdopen" | "open"):
            return _opens_to_write(call, mode_at=1)
        case ast.Attribute(attr="open"):
            # Of a path the mode comes first; of a module such as tarfile, the path does.
            mode_first = bool(call.args) and isinstance(call.args[0], ast.Constant)
            return _opens_to_write(call, mode_at=0 if mode_first else 1)
        case ast.Name(id=name) if name in _WRITERS and name in functions:
            package = functions[name].split(".")[0]
            return package != "catdsl" and (name, package) not in _HARMLESS
        case ast.Attribute(value=on, attr=name) if name in _WRITERS:
            return _writes_on(name, ast.unparse(on), call)
    return False


def _writes_on(name: str, on: str, call: ast.Call) -> bool:
    if any(isinstance(given, ast.Name) and given.id == _STREAM for given in call.args):
        return False
    if name == "replace":
        # Of text it takes two words, of a path one; `dataclasses.replace` takes values by name.
        return on == "os" or (len(call.args) == 1 and not call.keywords)
    return name not in _ON or on in _ON[name] or (name == "rename" and len(call.args) == 1 and not call.keywords)


def _opens_to_write(call: ast.Call, *, mode_at: int) -> bool:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] + call.args[mode_at : mode_at + 1]
    modes = [mode.value for mode in given if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    if len(modes) != len(given):
        return True  # a mode that is computed
    # Of an archive, what follows a colon is how it is packed.
    return any(letter in mode.partition(":")[0] for mode in modes for letter in "wax+")


def _reads_alone(call: ast.Call) -> bool:
    flags = ast.unparse(call.args[1]) if len(call.args) > 1 else "O_RDWR"
    return "O_RDONLY" in flags and not any(flag in flags for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND"))
