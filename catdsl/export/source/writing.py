"""The text of classes and functions: what they construct, and what they compute."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from catdsl.export.source.code import LINE, assigned, laid_out, replaced
from catdsl.export.source.definitions import Definition, Definitions, Listing, attribute, unique
from catdsl.export.source.literals import docstring
from catdsl.export.source.parts import Body, Chain, Many, Single, Step
from catdsl.ir.code import Call, For, Listed, Raw, call, flat

_PASSING = ("x", "y")
"""Variables that are given a new value as soon as the old one is no longer asked for."""

_SHORT = 3
"""Arguments that are clear without their names."""


def definition_text(definitions: Definitions, made: Definition, summary: str) -> str:
    """A class, or a function that makes a chain."""
    if isinstance(made.part, Chain):
        return _function(made, summary)
    return _class(definitions, made, summary)


def attributes(body: Body) -> list[str | None]:
    """The attribute of each step of a block; None for what is computed by functions alone."""
    taken: set[str] = set()
    return [
        None if isinstance(step.part, Single) and not step.part.owns else unique(_attribute(step), taken)
        for step in body.steps
    ]


def _attribute(step: Step) -> str:
    """Of a single operator its name without the number, which is given again where there are several."""
    name = attribute(step.part.label)
    return name.rstrip("0123456789") if isinstance(step.part, Single) else name


def _function(made: Definition, summary: str) -> str:
    codes = iter(made.code)
    parts = [replaced(single.made, map(_code, codes)) for single in made.part.parts]
    given = [f"{parameter.name}: int" for parameter in made.parameters]
    head = "\n".join(_head(f"def {made.name}(", given, ") -> nn.Sequential:", 0))
    body = laid_out(call("nn.Sequential", *parts), 4, before=7)
    return f"{head}\n    {docstring(summary)}\n    return {body}\n"


def _class(definitions: Definitions, made: Definition, summary: str) -> str:
    body: Body = made.part
    codes = iter(made.code)
    names = attributes(body)
    lines = [f"class {made.name}(nn.Module):", f"    {docstring(summary)}", "", *_signature(definitions, made)]
    lines.append("        super().__init__()")
    for step, name in zip(body.steps, names, strict=True):
        if name is not None:
            value = _constructed(definitions, step.part, codes)
            lines.append(assigned(f"self.{name}", value, 8))
    inputs = [f"{name}: Tensor" for name in _inputs(body)]
    lines += ["", *_head("def forward(", ["self", *inputs], ") -> Tensor:", 4), *_forward(body, names)]
    return "\n".join(lines) + "\n"


def _signature(definitions: Definitions, made: Definition) -> list[str]:
    if not made.parameters:
        return ["    def __init__(self) -> None:"]
    given = [
        f"{parameter.name}: {'Sequence' if isinstance(value, tuple) else 'int'}"
        for parameter, value in zip(made.parameters, definitions.arguments(made.part), strict=True)
    ]
    return _head("def __init__(", ["self", *given], ") -> None:", 4)


def _head(before: str, given: Sequence[str], after: str, indent: int) -> list[str]:
    """The first line of a function, or lines where it is long."""
    space = " " * indent
    line = f"{space}{before}{', '.join(given)}{after}"
    if len(line) <= LINE:
        return [line]
    inner = f"{space}    {', '.join(given)}"
    if len(inner) <= LINE:
        return [f"{space}{before}", inner, f"{space}{after}"]
    return [f"{space}{before}", *(f"{space}    {each}," for each in given), f"{space}{after}"]


def _constructed(definitions: Definitions, part: Any, codes: Iterator[Any]) -> Any:
    """What is assigned to an attribute; takes the codes of its numbers from the definition around it."""
    match part:
        case Single():
            return replaced(part.made, map(_code, codes))
        case Chain():
            return call("nn.Sequential", *(replaced(single.made, map(_code, codes)) for single in part.parts))
        case Many():
            return _list(definitions, part, next(codes))
    made = definitions.of(part)
    return _named(made, [_code(next(codes)) for _ in made.parameters])


def _list(definitions: Definitions, many: Many, listing: Listing) -> Any:
    element = definitions.of(many.parts[0])
    holder = "nn.Sequential" if _is_sequence(many) else "nn.ModuleList"
    if listing.parameter is None:
        made = [_named(element, [_code(a) for a in _explicit(definitions, part, listing)]) for part in many.parts]
        if len(made) > 1 and len({flat(m) for m in made}) == 1:
            return call(holder, For(made[0], f"for _ in range({len(made)})", holder == "nn.Sequential"))
        return call(holder, *made) if holder == "nn.Sequential" else call(holder, Listed(tuple(made)))
    loop = ", ".join(listing.names) if listing.names else "_"
    over = listing.parameter if listing.names else f"range({listing.parameter})"
    values = [Raw(listing.names[f.row]) if f.row is not None else _code(f.parameter or f.literal)
              for f in listing.fields]  # fmt: skip
    return call(holder, For(_named(element, values), f"for {loop} in {over}", holder == "nn.Sequential"))


def _explicit(definitions: Definitions, part: Any, listing: Listing) -> Iterator[Any]:
    for value, field in zip(definitions.arguments(part), listing.fields, strict=True):
        yield field.parameter if field.parameter is not None else value


def _named(made: Definition, values: Sequence[Any]) -> Call:
    """A call of a class or function: its arguments by name where they are many, or lists."""
    if len(values) <= _SHORT and not any(isinstance(v, tuple) for v in values):
        return call(made.name, *values)
    names = (parameter.name for parameter in made.parameters)
    named = [
        (name if index or isinstance(value, tuple) else None, value)
        for index, (name, value) in enumerate(zip(names, values, strict=True))
    ]
    return Call(made.name, tuple(named))


def _is_sequence(many: Many) -> bool:
    """Whether torch itself can call the elements in turn: each takes one tensor."""
    if many.along is None:
        return False
    return all(isinstance(p, Chain) or len(p.inputs) == 1 for p in many.parts)


def _code(value: Any) -> Any:
    return Raw(value) if isinstance(value, str) else value


def _inputs(body: Body) -> list[str]:
    """Names of what `forward` takes: x for a single tensor, else as in the program."""
    if len(body.inputs) == 1:
        return ["x"]
    taken: set[str] = set()
    inner = iter(("x", "skip", "more"))
    return [unique(next(inner) if "." in name else attribute(name), taken) for name in body.inputs]


def _forward(body: Body, names: Sequence[str | None]) -> list[str]:
    """The lines of `forward`: a variable is used again where nobody asks for its old value."""
    held = dict(zip(body.inputs, _inputs(body), strict=True))
    last = {a: i for i, step in enumerate(body.steps) for a in step.args} | {body.output: len(body.steps)}
    uses = Counter(a for step in body.steps for a in step.args)
    lines: list[str] = []
    done = 0
    while done < len(body.steps):
        step, name, args = body.steps[done], names[done], [held[a] for a in body.steps[done].args]
        parts = _split_whole(body.steps[done:])
        looped = isinstance(step.part, Many) and step.part.along is not None and not _is_sequence(step.part)
        if done == len(body.steps) - 1 and not looped:
            return [*lines, *_statement("return ", _expression(step, name, args))]
        at = done + len(parts) - 1
        dying = {a for a in step.args if last[a] <= at}
        living = {variable for value, variable in held.items() if value not in dying}
        held = {value: variable for value, variable in held.items() if value not in dying}
        if len(parts) > 1:
            targets = [unique(n, living) for n in _part_names(parts, body)]
            lines.append(f"        {', '.join(targets)} = {args[0]}.chunk({len(parts)}, dim=1)")
            held |= {part.result: target for part, target in zip(parts, targets, strict=True)}
        else:
            again = (a for a, value in zip(args, step.args, strict=True)
                     if value in dying and a in _PASSING and a not in living)  # fmt: skip
            if looped:
                # What stays the same in every turn must not be what the turns change.
                kept = {a for i, a in enumerate(args) if i != step.part.along}
                living, again = living | kept, (a for a in again if a not in kept)
            several = uses[step.result] > 1 and not isinstance(step.part, Single)
            target = (None if several else next(again, None)) or _fresh(step, living)
            made = _loop(step, name, args, target) if looped else None
            lines += made or _statement(f"{target} = ", _expression(step, name, args))
            held[step.result] = target
        done += len(parts)
    return [*lines, f"        return {held[body.output]}"]


def _split_whole(steps: Sequence[Step]) -> Sequence[Step]:
    """Steps at the beginning that together split one tensor into equal parts; else the first alone."""
    first = steps[0]
    if not (isinstance(first.part, Single) and first.part.node.op.name == "split"):
        return steps[:1]
    count = first.part.node.attrs["parts"]
    for index, step in enumerate(steps[:count]):
        same = isinstance(step.part, Single) and step.part.node.op.name == "split" and step.args == first.args
        if not same or f".chunk({count}, dim=1)[{index}]" not in _expression(step, None, ["x"]):
            return steps[:1]
    return steps[:count] if len(steps) >= count else steps[:1]


def _part_names(parts: Sequence[Step], body: Body) -> list[str]:
    """What the parts of a tensor are: scale and shift of a modulation, or a first, a second, ..."""
    results = tuple(part.result for part in parts)
    for step in body.steps:
        if isinstance(step.part, Single) and step.part.node.op.name == "modulate" and step.args[1:] == results:
            return ["gamma", "beta"]
    return [f"part{i}" for i, _ in enumerate(parts)]


def _fresh(step: Step, living: set[str]) -> str:
    """A variable that is named after the part that makes its value."""
    plain = isinstance(step.part, Single) or step.part.label in ("conv", "deconv")
    return unique("y" if plain else attribute(step.part.label), set(living))


def _loop(step: Step, name: str | None, args: Sequence[str], target: str) -> list[str]:
    """Elements that take more than one tensor, each the result of the one before."""
    along = step.part.along
    lines = [] if args[along] == target else [f"        {target} = {args[along]}"]
    given = ", ".join(target if i == along else a for i, a in enumerate(args))
    return [*lines, f"        for block in self.{name}:", f"            {target} = block({given})"]


def _expression(step: Step, name: str | None, args: Sequence[str]) -> str:
    part = step.part
    if isinstance(part, Many) and part.along is None:
        return f"sum(branch({', '.join(args)}) for branch in self.{name})"
    if isinstance(part, Single) and not part.owns:
        assert part.computed is not None
        return part.computed(part.site, args)
    return f"self.{name}({', '.join(args)})"


def _statement(before: str, expression: str) -> list[str]:
    """One line; a long sum in brackets, a term to the line."""
    line = f"        {before}{expression}"
    if len(line) <= LINE:
        return [line]
    inner = " " * 12
    if len(inner) + len(expression) <= LINE or " + " not in expression:
        return [f"        {before}(", f"{inner}{expression}", "        )"]
    first, *rest = expression.split(" + ")
    return [f"        {before}(", f"{inner}{first}", *(f"{inner}+ {term}" for term in rest), "        )"]
