"""Small networks to draw, made by hand: each has something in it that a layout can get wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catdsl.diagnostics import Span
from catdsl.ir.builder import GraphBuilder
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph, Tap
from catdsl.ir.op import REQUIRED
from catdsl.ir.shapes import WidthForm
from catdsl.ir.widths import Range
from catdsl.ops import BY_NAME

_STYLE = {"pad": "zero", "bias": True, "spectral": False}


class Maker:
    """A builder that fills in what the language would."""

    def __init__(self, size: int = 64, name: str = "net"):
        self.builder = GraphBuilder(name, "generator", floor=4)
        self.photo = self.input("photo", size)

    def input(self, name: str, size: int, channels: int = 3) -> str:
        attrs = {"channels": channels, "height": size, "width": size, "kind": "image"}
        return self.builder.input(name, BY_NAME["input"], attrs, span=None)

    def op(self, name: str, *inputs: str, op: str = "", **given: Any) -> str:
        """An operator named by its node (`stem.conv0`) unless told otherwise."""
        word = op or name.rpartition(".")[2].rstrip("0123456789")
        operator = BY_NAME[word]
        attrs = {a.name: None if a.default is REQUIRED else a.default for a in operator.args}
        attrs |= {key: value for key, value in _STYLE.items() if key in attrs} | given
        return self.builder.add(
            name, operator, inputs, attrs, word=word, operands=[""] * len(inputs),
            span=Span("net.cat", 7, 5, 7, 12),
        )  # fmt: skip

    def conv(self, name: str, source: str, width: int, kernel: int = 3, *, low: int | None = None, **given: Any) -> str:
        bounds = () if low is None else (Range(low=low),)
        return self.op(name, source, width=WidthForm(width, bounds), kernel=kernel, **given)

    def unit(self, scope: str, source: str, width: int, kernel: int = 3, **given: Any) -> str:
        """conv, norm, relu."""
        made = self.conv(f"{scope}.conv0", source, width, kernel, **given)
        made = self.op(f"{scope}.norm0", made, op="instance_norm")
        return self.op(f"{scope}.relu0", made)

    def finish(self, output: str, *taps: Tap) -> Graph:
        graph = self.builder.finish(output, taps)
        return graph


def inception(blocks: int = 2, kernels: Sequence[int] = (1, 3, 5)) -> Graph:
    """Stem, residual blocks of two times as many branches as kernels, head."""
    m = Maker(name="inception")
    x = m.unit("stem", m.photo, 32, 7)
    taps = [Tap("stem", x)]
    for b in range(blocks):
        ends = []
        for family in ("dense", "depth"):
            terms = []
            for k, kernel in enumerate(kernels):
                scope = f"body.{b}.{family}.{k}"
                y = m.unit(scope, x, 10, kernel if family == "dense" else 1, low=0)
                if family == "depth":
                    y = m.op(f"{scope}.dwconv0", y, kernel=kernel)
                    y = m.op(f"{scope}.relu1", m.op(f"{scope}.norm1", y, op="instance_norm"))
                terms.append(m.conv(f"{scope}.conv1", y, 32, 1))
            ends.append(m.op(f"body.{b}.{family}.add0", *terms))
        both = m.op(f"body.{b}.norm0", m.op(f"body.{b}.add0", *ends), op="instance_norm")
        x = m.op(f"body.{b}.add1", x, both)
    taps.append(Tap(f"body[{blocks - 1}]", x))
    return m.finish(m.op("head.tanh0", m.conv("head.conv0", x, 3, 7)), *taps)


def unet(depth: int = 4) -> Graph:
    """Down and up again, each level joined to its counterpart by concat."""
    m = Maker(name="unet")
    x, skips = m.photo, []
    for level in range(depth):
        x = m.unit(f"down{level}", x, 16 * 2**level)
        skips.append(x)
        x = m.op(f"down{level}.max_pool0", x)
    x = m.unit("middle", x, 16 * 2**depth)
    for level in reversed(range(depth)):
        x = m.conv(f"up{level}.deconv0", x, 16 * 2**level, 3)
        x = m.op(f"up{level}.concat0", x, skips[level])
        x = m.unit(f"up{level}", x, 16 * 2**level)
    return m.finish(m.op("out.sigmoid0", m.conv("out.conv0", x, 1, 1)), Tap("bottleneck", "middle.relu0"))


def nested(depth: int = 9) -> Graph:
    """A residual in a residual in a residual."""
    m = Maker(name="nested")

    def inside(scope: str, x: str, left: int) -> str:
        if not left:
            return m.unit(scope, x, 8)
        y = inside(f"{scope}.in{left}", m.conv(f"{scope}.conv0", x, 8, 1), left - 1)
        return m.op(f"{scope}.add0", x, y)

    start = m.conv("start.conv0", m.photo, 8)
    return m.finish(m.conv("end.conv0", inside("a", start, depth), 3))


def fan(branches: int = 12) -> Graph:
    """Many branches, of one to three convolutions, into one sum and one concat; some are used twice."""
    m = Maker(name="fan")
    x = m.unit("stem", m.photo, 8)
    ends = []
    for i in range(branches):
        y = x
        for k in range(1 + i % 3):
            y = m.conv(f"wide.{i}.conv{k}", y, 8)
        ends.append(y)
    total = m.op("wide.add0", *ends)
    some = m.op("wide.concat0", total, ends[0], ends[5 % branches])
    return m.finish(m.conv("end.conv0", m.op("wide.mul0", m.conv("wide.conv9", some, 8), total), 3))


def ladder(rungs: int = 5) -> Graph:
    """Operators of one scope, side by side, with shortcuts of every length: no nesting helps here."""
    m = Maker(name="ladder")
    left, right, every = m.conv("conv0", m.photo, 8), m.conv("conv1", m.photo, 8), []
    for i in range(rungs):
        left, right = m.conv(f"a.conv{i}", m.op(f"x.add{i}", left, right), 8), m.op(f"y.mul{i}", right, left)
        every.append(left)
    return m.finish(m.conv("end.conv0", m.op("z.add0", right, *every), 3))


def tangled() -> Graph:
    """A statement that is left and entered again, and one whose parts have nothing to do with each other."""
    m = Maker(name="tangled")
    x = m.unit("stem", m.photo, 8)
    y = m.conv("z.0.conv0", x, 8)
    y = m.op("z.relu0", m.op("z.add0", y, m.conv("z.1.conv0", x, 8)))
    y = m.op("z.add1", m.conv("z.0.conv1", y, 8), m.conv("z.1.conv1", y, 8), x)
    a = m.op("p.relu0", y)
    b = m.op("q.relu0", m.op("q.add0", a, x))
    c = m.op("p.add0", a, b)
    seg = m.input("seg", 16, 5)
    guide = m.op("g.resize0", seg, y, mode="nearest", scale=None, to=(("height", 1), ("width", 1)))
    gamma, beta = m.conv("g.conv0", guide, 8), m.conv("g.conv1", guide, 8)
    return m.finish(m.conv("end.conv0", m.op("out.modulate0", c, gamma, beta), 3))


def circular() -> Graph:
    """Two nets side by side, each with a pin above one of the other: whole, each would have to turn off first."""
    m = Maker(name="circular")
    start = m.conv("start.conv0", m.photo, 4, 1)
    first = m.conv("c.d.e.conv0", start, 4, 1)
    second = m.conv("c.d.e.conv1", first, 4, 1)
    third = m.conv("c.conv2", first, 4, 1)
    left = m.conv("a.conv9", m.conv("b.conv3", m.op("b.concat3", second, first, start), 4, 1), 4, 1)
    right = m.conv("a.conv5", m.op("a.concat5", first, first, second, third), 4, 1)
    return m.finish(m.conv("end.conv0", m.op("end.add0", left, right), 3, 1))


def long_chain(length: int = 40) -> Graph:
    """Blocks one after another: far taller than wide unless it is set in columns."""
    m = Maker(name="long_chain")
    x = m.conv("start.conv0", m.photo, 8)
    for i in range(length):
        x = m.op(f"body.{i}.add0", x, m.unit(f"body.{i}.main", x, 8))
    return m.finish(m.conv("end.conv0", x, 3))


def long_names() -> Graph:
    """Names that fit nowhere, in scripts that are set wide, and names that look like markup."""
    m = Maker(name="<script>alert(1)</script>")
    wide = "漢字かな交じり文" * 6
    x = m.unit("a_statement_with_a_name_that_goes_on_and_on_and_on_without_end", m.photo, 4096)
    y = m.op(f"{wide}.add0", m.unit(f"{wide}.first", x, 4096), x)
    z = m.op(f"<script>alert('{wide}')</script>.relu0", y, op="relu")
    z = m.op("W" * 120 + "0", z, op="relu")
    quotes = 'body[<script>alert(2)</script> & "quotes" that never end' + "!" * 80 + "]"
    taps = (Tap(quotes, y), Tap("x" * 200, z))
    return m.finish(m.conv("end.conv0", z, 3), *taps)


GRAPHS: Mapping[str, Callable[[], Graph]] = {
    f.__name__: f for f in (inception, unet, nested, fan, ladder, tangled, circular, long_chain, long_names)
}


def student_of(graph: Graph, *, gone: Sequence[str] = ()) -> Graph:
    """About a third of every width that may be searched; those in `gone` vanish."""
    searched = [w for w in graph.widths if w.searched]
    chosen = {w.name: w.low + max(0, w.high // 3 - w.low) // w.step * w.step for w in searched}
    chosen |= dict.fromkeys(gone, 0)
    return with_counts(graph, chosen, arrange=BY_NAME["arrange"])
