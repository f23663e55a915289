"""Pages of the language's reference that are made from its parts: one per operator, and one for the grammar."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from catdsl.analysis.cost import Cost, cost_model
from catdsl.files import write_text
from catdsl.ir.op import REQUIRED, Absence, Arg, Axis, Example, Kind, Op
from catdsl.ops import ALL
from catdsl.ops.norm import BY_STYLE
from catdsl.semantics.elaborate import elaborate
from catdsl.semantics.library import SourceFile
from catdsl.syntax.layout import format_text
from catdsl.syntax.parse import grammar

# Operators that are written as signs.
SIGNS = {"add": "+", "mul": "*"}
FOLDER = "operators"
_ABSENCE = {
    Absence.MAKES: "Makes a width, which the search may change. Absent where its input is, or where that width is 0.",
    Absence.PASSES: "Passes the channels of its input on; absent where its input is.",
    Absence.ANY: "All tensors have one width. Absent tensors are left out; absent where all are.",
    Absence.ALL: "All tensors have one width. Absent where any of them is.",
    Absence.MODULATES: "All tensors have one width. With gamma and beta absent it is `x`.",
    Absence.JOINS: "The channels of each tensor stand one after another; absent ones are left out.",
    Absence.SLICES: "Divides the channels of its input, whose width is refined.",
}
_AXES = {Axis.OUT: "output channels", Axis.IN: "input channels", Axis.FIXED: ""}


def documented() -> tuple[Op, ...]:
    """The operators that a program can write."""
    return tuple(op for op in ALL if op.in_language or op.name in SIGNS)


def pages() -> dict[str, str]:
    """The text of every page, by its path below `docs/language`."""
    made = {f"{FOLDER}/{op.name}.md": operator_page(op) for op in documented()}
    return {"operators.md": _index(), "grammar.md": _grammar(), **made}


def write(folder: Path) -> None:
    """Write all pages below `folder`. Raises CatError E608."""
    for name, text in pages().items():
        write_text(folder / name, text)


def operator_page(op: Op) -> str:
    """One operator: how it is written, its arguments, channels, weights, and an example with its cost."""
    lines = [f"# {_title(op)}", "", _sentence(op.summary), ""]
    styles = [style for style, stands in BY_STYLE.items() if stands is op]
    if styles:
        lines += [f"Also written `norm` where the [style](../settings.md) says `norm = {styles[0]}`.", ""]
    if op.args:
        lines += ["| argument | takes | default | |", "|---|---|---|---|", *map(_argument, op.args), ""]
    lines += [_ABSENCE[op.absence], ""]
    lines += _examples(op)
    return "\n".join(lines)


def _title(op: Op) -> str:
    return f"{op.name}: `a {SIGNS[op.name]} b`" if op.name in SIGNS else op.name


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _argument(arg: Arg) -> str:
    name = f"`{arg.name} =`" if arg.keyword_only else f"`{arg.name}`"
    return f"| {name} | {_takes(arg)} | {_default(arg)} | {arg.summary} |"


def _takes(arg: Arg) -> str:
    if arg.choices:
        return ", ".join(f"`{word}`" for word in arg.choices)
    if arg.low is None and arg.high is None:
        return arg.kind.value
    low, high = ("" if end is None else f"{end:,g}" if abs(end) < 1e6 else f"{end:,}" for end in (arg.low, arg.high))
    return f"{arg.kind.value}, {low} to {high}" if low and high else f"{arg.kind.value}, at least {low}"


def _default(arg: Arg) -> str:
    if arg.style is not None:
        return f"the style's `{arg.style}`"
    if arg.default is REQUIRED:
        return "needed"
    if arg.default is None:
        return ""
    return f"`{str(arg.default).lower() if arg.kind is Kind.BOOL else arg.default}`"


def _examples(op: Op) -> Iterator[str]:
    if not op.examples:
        return
    yield from ("```cat", _program(op, op.examples[0]).rstrip(), "```", "")
    yield from ("| written | input | result | MACs (exact) | MACs (paper) | parameters |", "|---|---|---|---|---|---|")
    yield from (_row(op, example) for example in op.examples)
    yield ""
    weights = _weights(op)
    if weights:
        yield from ("Weights: " + "; ".join(weights) + ".", "")


def _names(example: Example) -> list[str]:
    return ["abc"[i] if len(example.inputs) > 1 else "x" for i in range(len(example.inputs))]


def _written(op: Op, example: Example) -> str:
    names = _names(example)
    if op.name in SIGNS:
        return f" {SIGNS[op.name]} ".join(names)
    if len(names) > 1:
        return f"{op.name}({', '.join(filter(None, (*names, example.arguments)))})"
    return f"{names[0]} -> {op.name}" + (f"({example.arguments})" if example.arguments else "")


def _program(op: Op, example: Example) -> str:
    inputs = " ".join(
        f"input {name}: image({c}, {h}, {w})" for name, (c, h, w) in zip(_names(example), example.inputs, strict=True)
    )
    written = _written(op, example)
    body = f"output concat({written})" if op.absence is Absence.SLICES else f"output {written}"
    return format_text(f"generator example {{ {inputs} {body} }}", f"{op.name}.md")


def _row(op: Op, example: Example) -> str:
    graph = elaborate(SourceFile("<text>", _program(op, example)), {}).network
    node = next(node for node in graph.nodes if node.op is op)
    cost = cost_model(graph).per_node().get(node.name, Cost())
    sources = " and ".join(_shape(shape) for shape in example.inputs)
    result = _shape((graph.channels(node.name), node.type.height, node.type.width))
    each = " each" if op.absence is Absence.SLICES else ""
    return (
        f"| `{_written(op, example)}` | {sources} | {result}{each} "
        f"| {cost.exact:,} | {cost.paper:,} | {cost.params:,} |"
    )


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _weights(op: Op) -> list[str]:
    """The weights of the first example, with what each axis follows."""
    graph = elaborate(SourceFile("<text>", _program(op, op.examples[0])), {}).network
    node = next(node for node in graph.nodes if node.op is op)
    made = []
    for weight in op.weights(node.attrs):
        sizes = iter(weight.sizes)
        axes = [str(next(sizes)) if axis is Axis.FIXED else _AXES[axis] for axis in weight.axes]
        made.append(f"`{weight.name}`" + (f" ({' x '.join(axes)})" if axes else ""))
    return made


def _index() -> str:
    rows = [f"| [{_title(op)}]({FOLDER}/{op.name}.md) | {_sentence(op.summary)} |" for op in documented()]
    return "\n".join(["# Operators", "", "| | |", "|---|---|", *rows, ""])


# ---- the grammar ----

_ALIAS = re.compile(r"\s*->\s*[a-z_]+\s*$", re.MULTILINE)
_HEADING = re.compile(r"^// ---- (?P<title>[^,-]+)(?:, (?P<rest>[^-]+?))? ----$")


def _grammar() -> str:
    """The grammar file with its comments as text; names of tree nodes, which users do not see, are left out."""
    lines = ["# Grammar", "", "Made from `grammars/cat.lark`, in the notation of Lark; LALR(1), without conflicts.", ""]
    rules: list[str] = []
    inlined = False

    def close() -> None:
        body = "\n".join(rules).strip("\n")
        if body:
            lines.extend(("```text", body, "```", ""))
        rules.clear()

    _, _, text = grammar().partition("\n\n")  # what precedes is for those who work on the grammar
    for line in _ALIAS.sub("", text).splitlines():
        heading = _HEADING.match(line)
        if heading is not None:
            close()
            lines.extend((f"## {heading['title'].strip().capitalize()}", ""))
            lines.extend((f"{heading['rest'].capitalize()}.", "") if heading["rest"] else ())
        elif line.startswith("//"):
            rules.append(f"# {line.removeprefix('//').strip()}")
        else:
            inlined = line.startswith("?") or (inlined and line.startswith(" "))
            rules.append(line[1:] if inlined else line)
    close()
    return "\n".join(lines)
