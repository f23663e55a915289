"""Pieces of Python code, and how they are laid out: on one line, or broken as ruff would break them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catdsl.export.source.literals import literal

LINE = 88


@dataclass(frozen=True, slots=True)
class Slot:
    """A number in which networks of one structure may differ; `role` says what it is."""

    role: str
    value: int


@dataclass(frozen=True, slots=True)
class Halved:
    """Half of a slot, rounded down: the padding that keeps the size."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Raw:
    """Code as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call; arguments whose keyword is None are given by place."""

    head: str
    args: tuple[tuple[str | None, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A list display."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class For:
    """A generator: an element and its loop, with a star where a call takes its elements one by one."""

    element: Call
    loop: str
    star: bool


def call(head: str, *values: Any, **named: Any) -> Call:
    return Call(head, (*((None, v) for v in values), *named.items()))


def flat(value: Any) -> str:
    """A value on one line."""
    match value:
        case Raw(text):
            return text
        case Slot(_, number):
            return str(number)
        case Halved(slot):
            return str(slot.value // 2)
        case Call(head, args):
            return f"{head}({', '.join(_argument(k, flat(v)) for k, v in args)})"
        case str():
            return literal(value)
        case For(element, loop, star):
            return f"*({flat(element)} {loop})" if star else f"{flat(element)} {loop}"
        case Listed(items):
            return f"[{', '.join(flat(v) for v in items)}]"
        case tuple():
            inner = ", ".join(flat(v) for v in value)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


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
    joined = ", ".join(_argument(k, flat(v)) for k, v in parts)
    if inner + len(joined) <= LINE and isinstance(value, Call) and not _always_broken(value):
        return f"{head}\n{' ' * inner}{joined}\n{' ' * indent}{end}"
    # A comprehension and a list by itself take no comma after them.
    comma = "" if len(parts) == 1 and isinstance(parts[0][1], For | Listed) else ","
    lines = [
        f"{' ' * inner}{_argument(k, laid_out(v, inner, before=len(k) + 1 if k else 0, after=1))}{comma}\n"
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
            return f"{head}({', '.join(_argument(k, erased(v)) for k, v in args)})"
    return flat(value)


def _half(value: Any) -> Any:
    return value // 2 if isinstance(value, int) else Raw(f"{flat(value)} // 2")


def _argument(keyword: str | None, text: str) -> str:
    return f"{keyword}={text}" if keyword else text


def _parts(value: Call | Listed | tuple[Any, ...]) -> tuple[str, tuple[tuple[str | None, Any], ...], str]:
    """How a value begins, what stands in it, and how it ends."""
    match value:
        case Call(head, args):
            return f"{head}(", args, ")"
        case Listed(items):
            return "[", tuple((None, v) for v in items), "]"
    return "(", tuple((None, v) for v in value), ")"
