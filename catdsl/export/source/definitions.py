"""What is written once for all parts of one structure: a class or a function, and the numbers that it takes."""

import keyword
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from catdsl.export.source.code import slots
from catdsl.export.source.literals import checked_path, is_identifier
from catdsl.export.source.parts import Body, Chain, Many, Single, skeleton, walk

Column = tuple[Any, ...]
"""One number, or one list, of every part of a structure."""

# What the file imports, defines or calls by itself; `branch` and `block` are names of its loops.
OF_FILE = frozenset((
    "ABOUT", "F", "Path", "Sequence", "Tensor", "block", "branch", "int", "load", "load_file", "main", "max", "min",
    "nn", "range", "self", "str", "sum", "super", "sys", "torch", *keyword.kwlist,
))  # fmt: skip
TAKEN = frozenset(dir(nn.Module()))
"""Attributes of every module."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where an argument of a list's elements comes from: a number, what the class takes, or the list's rows."""

    literal: Any = None
    parameter: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """How the elements of a list are made in a definition. Without a parameter all its rows stand there."""

    fields: tuple[Field, ...]
    names: tuple[str, ...]
    parameter: str | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a class or function takes, and where its value stands: which of a part's values, and, where
    all elements of a list have it alike, which argument of theirs.
    """

    name: str
    index: int
    at: int | None = None


@dataclass(slots=True)
class Definition:
    """A class or function: its name, one of the parts that it makes, and what it takes."""

    name: str
    part: Any
    parameters: list[Parameter] = field(default_factory=list)
    code: list[Any] = field(default_factory=list)
    """For each value of the part: a number, the name of a parameter as text, or a Listing."""


class Definitions:
    """All definitions of a network, in the order in which they have to stand."""

    def __init__(self, root: Body):
        self.known: dict[int, str] = {}
        self.parts: dict[str, list[Any]] = {}
        self.made: dict[str, Definition] = {}
        self._names = set(OF_FILE)
        for part in walk(root):
            if isinstance(part, Body):
                self._note(part)
            if isinstance(part, Many):
                for inner in part.parts:
                    if isinstance(inner, Chain):
                        self._note(inner)
        self.root = self.of(root)

    def _note(self, part: Any) -> None:
        self.parts.setdefault(skeleton(part, self.known), []).append(part)

    def of(self, part: Any) -> Definition:
        """The definition that a block, or an element of a list, is made by."""
        key = skeleton(part, self.known)
        if key not in self.made:
            # Those of its parts come first, in the file as well.
            vectors = [self._values(p) for p in self.parts[key]]
            self.made[key] = self._define(self.parts[key], vectors)
        return self.made[key]

    def arguments(self, part: Any) -> tuple[Any, ...]:
        """What the definition of this part is called with, in the order of its parameters."""
        definition, values = self.of(part), self._values(part)
        return tuple(_argument(definition, parameter, values[parameter.index]) for parameter in definition.parameters)

    def _values(self, part: Any) -> tuple[Any, ...]:
        """The numbers of all that a definition constructs; of a list, a row for each element."""
        match part:
            case Body():
                return tuple(v for step in part.steps for v in self._inner(step.part))
            case Chain():
                return tuple(s.value for single in part.parts for s in slots(single.made))
        raise AssertionError("only blocks and chains are defined")

    def _inner(self, part: Any) -> tuple[Any, ...]:
        match part:
            case Single():
                return tuple(s.value for s in slots(part.made)) if part.owns else ()
            case Chain():
                return self._values(part)
            case Many():
                return (tuple(self.arguments(inner) for inner in part.parts),)
        return self.arguments(part)

    def _define(self, parts: Sequence[Any], vectors: Sequence[tuple[Any, ...]]) -> Definition:
        made = Definition(self._name(parts), parts[0])
        columns: list[Column] = list(zip(*vectors, strict=True))
        roles = tuple(self._roles(parts[0]))
        groups: dict[Column, str] = {}
        taken: set[str] = set()
        lists = {i for i, role in enumerate(roles) if isinstance(role, Many)}
        for index, column in enumerate(columns):
            if index in lists or len(set(column)) == 1 or column in groups:
                continue
            used = [roles[i] for i, other in enumerate(columns) if other == column and i not in lists]
            groups[column] = unique(_parameter(used), taken)
            made.parameters.append(Parameter(groups[column], index))
        for index, column in enumerate(columns):
            if index in lists:
                made.code.append(self._listing(made, index, column, roles[index], groups, taken))
            else:
                made.code.append(groups.get(column, column[0]))
        return made

    def _listing(
        self, made: Definition, index: int, column: Column, many: Many, groups: dict[Column, str], taken: set[str]
    ) -> Listing:
        """Which arguments of a list's elements are the same for all, which the class has, which differ by element."""
        fields: list[Field] = []
        rows: dict[tuple[Column, ...], int] = {}
        names: list[str] = []
        loops = set(taken)
        for at, parameter in enumerate(self.of(many.parts[0]).parameters):
            by_part = tuple(tuple(row[at] for row in rows_) for rows_ in column)
            alike = tuple(values[0] for values in by_part) if all(len(set(v)) == 1 for v in by_part) else None
            if alike is not None and len(set(alike)) == 1:
                fields.append(Field(literal=alike[0]))
            elif alike is not None:
                if alike not in groups:
                    groups[alike] = unique(parameter.name, taken)
                    made.parameters.append(Parameter(groups[alike], index, at))
                fields.append(Field(parameter=groups[alike]))
            else:
                if by_part not in rows:
                    rows[by_part] = len(rows)
                    names.append(unique(parameter.name, loops))
                fields.append(Field(row=rows[by_part]))
        listing = Listing(tuple(fields), tuple(names), None)
        if len({reduced(listing, rows_) for rows_ in column}) == 1:
            return listing
        name = unique(attribute(many.label), taken | set(names))
        taken.add(name)
        made.parameters.append(Parameter(name, index))
        return Listing(listing.fields, listing.names, name)

    def _roles(self, part: Any) -> Iterator[Any]:
        """For each value what it is: its slot's role, the parameter of the part that takes it, or its list."""
        inner = (step.part for step in part.steps) if isinstance(part, Body) else part.parts
        for each in inner:
            match each:
                case Single() if each.owns or isinstance(part, Chain):
                    yield from (s.role for s in slots(each.made))
                case Chain():
                    yield from (s.role for single in each.parts for s in slots(single.made))
                case Many():
                    yield each
                case Body():
                    yield from self._parameters(each)

    def _parameters(self, part: Body) -> Iterator[Any]:
        yield from (parameter.name for parameter in self.of(part).parameters)

    def _name(self, parts: Sequence[Any]) -> str:
        if isinstance(parts[0], Chain):
            return unique(f"{attribute(_words(parts[0]))}_branch", self._names)
        labels = [attribute(p.label).rstrip("0123456789_") for p in parts]
        common = labels[0] if len(set(labels)) == 1 else "block"
        return unique(_title(common), self._names, "")


def reduced(listing: Listing, rows: Any) -> Any:
    """A list's rows as the class takes them: only what differs, bare where that is one number, else counted."""
    places = [next(at for at, f in enumerate(listing.fields) if f.row == row) for row in range(len(listing.names))]
    if not places:
        return len(rows)
    if len(places) == 1:
        return tuple(row[places[0]] for row in rows)
    return tuple(tuple(row[at] for at in places) for row in rows)


def attribute(label: str) -> str:
    """The last name of a path of the program, as a name in Python. Raises CatError E610 for one that is none."""
    words = reversed(checked_path(label).split("."))
    name = next((word for word in words if not word.isdigit()), "part")
    # Two underscores before it make a name of Python's own, or one that a class spells otherwise.
    name = name if is_identifier(name) and not name.startswith("__") else f"part_{name.lstrip('_')}".rstrip("_")
    return f"{name}_" if name in OF_FILE | TAKEN else name


def unique(name: str, taken: set[str], between: str = "_") -> str:
    """A name that no other thing beside it has: numbered, `between` name and number."""
    found = next(n for n in (name, *(f"{name}{between}{i}" for i in range(2, 10_000))) if n not in taken)
    taken.add(found)
    return found


def _parameter(roles: Sequence[Any]) -> str:
    """What a number is called that stands in these places."""
    words = [str(role) for role in roles]
    if len(set(words)) == 1:
        return words[0]
    if words[0] == "outputs":
        return "width"
    return "channels" if words[0] == "inputs" else words[0]


def _argument(definition: Definition, parameter: Parameter, value: Any) -> Any:
    if parameter.at is not None:
        return value[0][parameter.at]
    listing = definition.code[parameter.index]
    return reduced(listing, value) if isinstance(listing, Listing) else value


def _words(chain: Chain) -> str:
    if any(single.node.op.name == "dwconv" for single in chain.parts):
        return "depthwise"
    return "dense" if len(chain.parts) > 2 else "plain"


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_") if word) or "Block"
