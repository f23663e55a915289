"""Pieces of Python code laid out: on one line, or broken as ruff would break them."""

from collections.abc import Iterator
from typing import Any

from catdsl.ir.code import Call, For, Halved, Listed, Raw, Slot, argument, flat

LINE = 88


def laid_out(value: Any, indent: int, *, before: int = 0, after: int = 0) -> str:
    """A value that begins after `before` characters on a line of this indent, and that `after` more follow."""
    text = flat(value)
    fits = indent + before + len(text) + after <= LINE and not _always_broken(value)
    if fits or not isinstance(value, Call | For | Listed | tuple):
        return text
    if isinstance(value, For):
        return _looped(value, indent)
    head, parts, end = _parts(value)
    if not parts:
        return text
    inner = indent + 4
    joined = ", ".join(argument(k, flat(v)) for k, v in parts)
    if inner + len(joined) <= LINE and isinstance(value, Call) and not _always_broken(value):
        return f"{head}\n{' ' * inner}{joined}\n{' ' * indent}{end}"
    # A comprehension and a list by itself take no comma after them.
    comma = "" if len(parts) == 1 and isinstance(parts[0][1], For | Listed) else ","
    lines = [
        f"{' ' * inner}{argument(k, laid_out(v, inner, before=len(k) + 1 if k else 0, after=1))}{comma}\n"
        for k, v in parts
    ]
    return f"{head}\n{''.join(lines)}{' ' * indent}{end}"


def _looped(value: For, indent: int) -> str:
    """A generator with its loop on a line of its own."""
    inner = indent + 4 if value.star else indent
    text = f"{laid_out(value.element, inner)}\n{' ' * inner}{value.loop}"
    return f"*(\n{' ' * inner}{text}\n{' ' * indent})" if value.star else text


def _always_broken(value: Any) -> bool:
    """Layers stand below one another."""
    return isinstance(value, Call) and value.head == "nn.Sequential" and len(value.args) > 2


def assigned(target: str, value: Any, indent: int) -> str:
    """`target = value`, in as many lines as it takes."""
    return f"{' ' * indent}{target} = {laid_out(value, indent, before=len(target) + 3)}"


def replaced(value: Any, new: Iterator[Any]) -> Any:
    """The same code with its slots, in the order of `slots`, replaced by what comes next from `new`."""
    return _replaced(value, new, {})


def _replaced(value: Any, new: Iterator[Any], known: dict[int, Any]) -> Any:
    match value:
        case Slot():
            if id(value) not in known:
                known[id(value)] = next(new)
            return known[id(value)]
        case Halved(slot):
            return _half(_replaced(slot, new, known))
        case Call(head, args):
            done = tuple((k, _replaced(v, new, known)) for k, v in args)
            # A padding of nothing is not written, and then its mode is not either.
            bare = ("padding", 0) in done
            return Call(head, tuple((k, v) for k, v in done if not (bare and k in ("padding", "padding_mode"))))
    return value


def slots(value: Any) -> tuple[Slot, ...]:
    """The slots of a value, in order, each once though it is written several times."""
    found: dict[int, Slot] = {}
    _collect(value, found)
    return tuple(found.values())


def _collect(value: Any, found: dict[int, Slot]) -> None:
    match value:
        case Slot():
            found.setdefault(id(value), value)
        case Halved(slot):
            found.setdefault(id(slot), slot)
        case Call(_, args):
            for _, inner in args:
                _collect(inner, found)


def erased(value: Any) -> str:
    """The structure of a value: two are alike where only the numbers in their slots differ."""
    match value:
        case Slot(role, _):
            return f"<{role}>"
        case Halved(slot):
            return f"<half of {slot.role}>"
        case Call(head, args):
            return f"{head}({', '.join(argument(k, erased(v)) for k, v in args)})"
    return flat(value)


def _half(value: Any) -> Any:
    return value // 2 if isinstance(value, int) else Raw(f"{flat(value)} // 2")


def _parts(value: Call | Listed | tuple[Any, ...]) -> tuple[str, tuple[tuple[str | None, Any], ...], str]:
    """How a value begins, what stands in it, and how it ends."""
    match value:
        case Call(head, args):
            return f"{head}(", args, ")"
        case Listed(items):
            return "[", tuple((None, v) for v in items), "]"
    return "(", tuple((None, v) for v in value), ")"
