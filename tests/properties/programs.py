"""Random programs of the language, as text: every operator, every width form, branches that may vanish."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import assume, note
from hypothesis import strategies as st

from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.types import Width
from catdsl.project import Project, load

HEIGHT, WIDTH = 8, 12
_MOST_HEIGHT = 16
_MOST_CHANNELS = 12

_NAME = re.compile(r"[a-z]\w*")

# Bounds, steps and ties that a random program asks for need not all hold at once.
_CONFLICTS = {"E303", "E304", "E305"}

_BLOCKS = {
    "inception": """
block branch(x, k, mid) {
    return x -> conv(mid in 0.., k) -> norm -> relu -> conv(x.channels, k)
}
block inception(x, mid = x.channels // 2) {
    dense = sum(branch(x, k, mid) for k in [1, 3])
    depth = x -> conv(mid in 0.., 1) -> norm -> relu -> dwconv(3) -> norm(affine = false) -> relu
              -> conv(x.channels, 1)
    return x + norm(dense + depth)
}
""",
    "spade": """
block spade(x, labels, hidden = 3) {
    gamma, beta = labels -> resize(like = x, nearest) -> conv(hidden in 0.., 3) -> norm -> relu
                         -> conv(2 * x.channels, 3) -> split(2)
    return modulate(x -> norm(affine = false), gamma, beta)
}
""",
    "squeeze": """
block squeeze(x, mid) {
    weights = x -> global_pool -> conv(mid in 0.., 1) -> prelu -> conv(x.channels, 1) -> sigmoid
    return x * (weights -> resize(like = x))
}
""",
    "gate": """
block gate(x, mid) {
    return x * (x -> conv(mid in 0.., 1) -> relu -> conv(x.channels, 1) -> sigmoid)
}
""",
}

_UNARY = (
    "relu", "leaky_relu(0.1)", "gelu", "silu", "tanh", "sigmoid", "clamp(-0.5, 0.7)", "clamp(0.1, 0.9)",
    "scale(0.5)", "dropout(0.3)", "norm", "norm(affine = false)", "instance_norm", "batch_norm",
    "batch_norm(tracked = false, eps = 0.001)", "prelu", "prelu(shared = true)", "dwconv(3)",
    "dwconv(5, pad = replicate, bias = false)",
    "dwconv(3, dilation = 2, pad = reflect)",
    "pad(1, reflect) -> max_pool(3, stride = 1)", "avg_pool(3, stride = 1, padding = 1)",
)  # fmt: skip


@dataclass(frozen=True)
class _Tensor:
    name: str
    channels: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width


@dataclass
class _Writer:
    """The statements so far, and the tensors that they name."""

    draw: Callable[[Any], Any]
    lines: list[str] = field(default_factory=list)
    tensors: list[_Tensor] = field(default_factory=list)

    def pick(self, tensors: list[_Tensor] | None = None) -> _Tensor:
        """One of the tensors, the latest first."""
        among = (tensors or self.tensors)[::-1]
        return among[self.draw(st.integers(0, len(among) - 1))]

    def choose(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def write(self, text: str, channels: int, height: int, width: int) -> None:
        name = f"t{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        self.tensors.append(_Tensor(name, channels, height, width))

    def form(self, count: int, *, vanishing: bool = False) -> str:
        """A width form of a count."""
        low = self.draw(st.integers(0, count))
        forms = [
            f"{count} in 0..",
            f"{count}",
            f"{count} in {low}..",
            f"fixed {count}",
            f"{count} in 0..{low}",
        ]
        if count >= 2:
            forms.append(f"{count} in 0.. step 2")
        return forms[0] if vanishing else self.choose(*forms)

    def tail(self) -> str:
        """A few unary operators behind another one."""
        return "".join(f" -> {op}" for op in self.draw(st.lists(st.sampled_from(_UNARY), max_size=2)))

    def like(self, source: _Tensor, target: _Tensor) -> str:
        """`source` brought to the shape of `target`."""
        sized = source.name if source.size == target.size else f"({source.name} -> resize(like = {target.name}))"
        return f"({sized} -> conv({target.name}.channels, 1))"


def _conv(w: _Writer) -> None:
    x, count = w.pick(), w.draw(st.integers(1, 6))
    pad = w.choose("", ", pad = reflect", ", pad = replicate", ", dilation = 2", ", bias = false")
    w.write(f"{x.name} -> conv({w.form(count)}, {w.choose(3, 1)}{pad}){w.tail()}", count, *x.size)


def _down(w: _Writer) -> None:
    x, count = w.pick(), w.draw(st.integers(1, 6))
    if x.height < HEIGHT:
        return _conv(w)
    half = (count, x.height // 2, x.width // 2)
    if w.choose(True, False):
        return w.write(f"{x.name} -> conv({w.form(count)}, 3, stride = 2){w.tail()}", *half)
    how = w.choose("avg_pool", "max_pool(2)", "resize(scale = 0.5, bilinear)")
    return w.write(f"{x.name} -> {how}{w.tail()}", x.channels, *half[1:])


def _up(w: _Writer) -> None:
    x, count = w.pick(), w.draw(st.integers(1, 4))
    if x.height * 2 > _MOST_HEIGHT:
        return _down(w)
    size = (2 * x.height, 2 * x.width)
    match w.choose("shuffle", "deconv", "resize"):
        case "deconv":
            w.write(f"{x.name} -> deconv({w.form(count)}, {w.choose(3, 4, 2)}){w.tail()}", count, *size)
        case "shuffle":
            # In a statement of its own, so that others may read what is shuffled.
            tied = w.choose("", f"tied 4 * {x.name}.channels")
            count = x.channels if tied else count
            w.write(f"{x.name} -> conv({tied or w.form(4 * count)}, 3){w.choose('', ' -> norm')}", 4 * count, *x.size)
            w.write(f"{w.tensors[-1].name} -> pixel_shuffle(2){w.tail()}", count, *size)
        case _:
            to = f"to = [2 * {x.name}.height, {x.name}.width + {x.width}]"
            w.write(f"{x.name} -> resize({w.choose('scale = 2', to)}, nearest)", x.channels, *size)


def _residual(w: _Writer) -> None:
    x, mid = w.pick(), w.draw(st.integers(1, 4))
    inner = f"{x.name} -> conv({w.form(mid, vanishing=True)}, 3){w.tail()} -> conv({x.name}.channels, 1)"
    w.write(f"{x.name} + ({inner})", x.channels, *x.size)


def _block(w: _Writer) -> None:
    x = w.pick()
    call = w.choose(
        "inception", "2 * inception", "inception(mid = 3 in 0..2)", "gate(2)", "squeeze(2)", "0 * inception"
    )
    w.write(f"{x.name} -> {call}", x.channels, *x.size)


def _spade(w: _Writer) -> None:
    x, labels = w.pick(), w.pick()
    w.write(f"spade({x.name}, {labels.name}) -> relu", x.channels, *x.size)


def _modulate(w: _Writer) -> None:
    """gamma and beta from branches that vanish each on its own, or x itself."""
    x = w.pick()
    parts = [f"({x.name} -> conv({w.form(2)}, 1) -> conv({x.name}.channels, 1))" for _ in range(3)]
    first = w.choose(x.name, parts[2])
    w.write(f"modulate({first}, {parts[0]}, {parts[1]})", x.channels, *x.size)


def _add(w: _Writer) -> None:
    """Of two tensors that have the same shape, or are given it."""
    x = w.pick()
    equal = [t for t in w.tensors if t != x and (t.channels, t.size) == (x.channels, x.size)]
    other = w.pick(equal).name if equal else w.like(w.pick(), x)
    sign = w.choose("+", "*")
    w.write(f"{x.name} {sign} {other}", x.channels, *x.size)


def _concat(w: _Writer) -> None:
    x = w.pick()
    y = w.pick([t for t in w.tensors if t.size == x.size])
    count = x.channels + y.channels
    if count > _MOST_CHANNELS:
        return _split(w)
    joined = f"concat({x.name}, {y.name}){w.tail()}"
    text = w.choose(joined, f"({joined}) + ({x.name} -> conv({w.form(count)}, 1))")
    return w.write(text, count, *x.size)


def _partly(w: _Writer) -> None:
    """A tensor of which one part vanishes while its width stays, joined with whole ones."""
    x, count, mid = w.pick(), w.draw(st.integers(1, 3)), w.draw(st.integers(1, 2))
    total = x.channels + count
    part = f"({x.name} -> conv({mid} in 0.., 1) -> conv({count} in 1.., 1))"
    joined = f"concat({x.name}, {part})" if w.choose(True, False) else f"concat({part}, {x.name})"
    whole = f"({x.name} -> conv({total}, 1){w.tail()})"
    third = f"({x.name} -> conv(2 in 0.., 1) -> conv({total}, 1))"
    forms = (
        f"{joined} + {whole}", f"{whole} * {joined}", f"modulate({joined}, {whole}, {third})",
        f"modulate({whole}, {joined}, {third})", f"modulate({third}, {whole}, {joined})",
    )  # fmt: skip
    w.write(w.choose(*forms), total, *x.size)


def _split(w: _Writer) -> None:
    x = w.pick()
    parts = w.choose(2, 3)
    if x.channels % parts:
        return _residual(w)
    first, second = f"p{len(w.lines)}", f"q{len(w.lines)}"
    names = (first, second, f"r{len(w.lines)}")[:parts]
    w.lines.append(f"{', '.join(names)} = {x.name} -> split({parts})")
    w.tensors += (_Tensor(n, x.channels // parts, *x.size) for n in names)
    return None


def _tied(w: _Writer) -> None:
    x, y = w.pick(), w.pick()
    forms = {
        f"{x.name}.channels": x.channels,
        f"2 * {x.name}.channels": 2 * x.channels,
        f"{x.name}.channels + 1": x.channels + 1,
        f"{x.name}.channels + {y.name}.channels": x.channels + y.channels,
    }
    if x.channels % 2 == 0:
        forms[f"{x.name}.channels / 2"] = x.channels // 2
    form = w.choose(*forms)
    w.write(f"{x.name} -> conv(tied {form}, 3){w.tail()}", forms[form], *x.size)


def _branches(w: _Writer) -> None:
    """Branches of which any may vanish; all that is behind vanishes with the last."""
    x, count, mid = w.pick(), w.draw(st.integers(1, 4)), w.draw(st.integers(1, 3))
    inner = f"conv({w.form(mid, vanishing=True)}, 1){w.tail()} -> conv({count} in 0.., k)"
    w.write(f"sum({x.name} -> {inner} for k in [1, 3]){w.tail()}", count, *x.size)


def _scaled(w: _Writer) -> None:
    x = w.pick()
    w.write(f"{x.name} * 0.5 -> scale(2)", x.channels, *x.size)


_PRODUCTIONS = (
    _conv, _residual, _concat, _up, _branches, _add, _partly, _down, _split, _block, _tied, _modulate, _add,
    _up, _spade, _scaled,
)  # fmt: skip


@st.composite
def texts(draw: Callable[[Any], Any]) -> str:
    """The text of a program that the grammar takes; bounds and ties need not all hold."""
    w = _Writer(draw)
    w.tensors.append(_Tensor("photo", draw(st.integers(1, 4)), HEIGHT, WIDTH))
    for production in draw(st.lists(st.sampled_from(_PRODUCTIONS), min_size=2, max_size=7)):
        production(w)
    read = {name for line in w.lines for name in _NAME.findall(line.partition("=")[2])}
    ends = [t for t in w.tensors if t.name not in read] or w.tensors[-1:]
    joined = ", ".join(f"{t.name} -> resize(to = [photo.height, photo.width])" for t in ends)
    norm, bias, pad = w.choose("instance", "batch"), w.choose("auto", "true"), w.choose("zero", "reflect")
    floor = draw(st.integers(0, 3))
    taps = draw(st.lists(st.sampled_from([t.name for t in w.tensors]), max_size=2, unique=True))
    statements = "".join(f"    {line}\n" for line in w.lines)
    # Only the blocks that are called: reading the others would take most of the time.
    blocks = "".join(text for name, text in _BLOCKS.items() if name in statements)
    distill = f"distill {{ taps = [{', '.join(taps)}] }}\n" if taps else ""
    return (
        f"style {{ norm = {norm}, bias = {bias}, pad = {pad} }}\n{blocks}"
        f"generator g {{\n    input photo: image({w.tensors[0].channels}, {HEIGHT}, {WIDTH})\n{statements}"
        f"    output concat({joined}) -> conv(2, 3){w.choose('', ' -> tanh')}\n}}\n"
        f"search {{ score = norm_scale, floor = {floor} }}\n{distill}"
    )


@st.composite
def programs(draw: Callable[[Any], Any]) -> Project:
    """A checked program; what asks for conflicting widths is thrown away."""
    text = draw(texts())
    note(text)
    project = load(text)
    try:
        _ = project.graph
    except CatError as error:
        assume(not {d.code for d in error.diagnostics} & _CONFLICTS)
        raise
    return project


def counts_of(draw: Callable[[Any], Any], graph: Graph) -> dict[str, int]:
    """A count for every independent width: the teacher's, or one that a student may take.

    From a seed: drawn one by one they would stay at the first choice most of the time.
    """
    rng = Random(draw(st.integers(0, 2**32)))
    counts = {w.name: rng.choice(_choices(w)) for w in graph.widths if w.independent}
    note(f"counts {counts}")
    return counts


def _choices(width: Width) -> list[int]:
    """Every count; the low bound, where things vanish, as often as all others, and the teacher's more often."""
    every = [*range(width.low, width.high + 1, width.step), width.count]
    return [*every, *[width.low] * len(every), *[width.count] * (len(every) // 2)]
