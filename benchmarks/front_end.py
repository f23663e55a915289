"""How long text takes to become a costed graph, from 10 to 5,000 residual blocks of two convs.

    .venv/bin/python benchmarks/front_end.py

Each row is the best of three runs in this process. `per block` should stay level: the front end
is linear in the size of the program, whether blocks are written out or repeated.
"""

import time
from collections.abc import Callable

from catdsl.analysis.cost import cost_model
from catdsl.semantics.elaborate import elaborate
from catdsl.semantics.library import SourceFile
from catdsl.syntax.parse import parse

SIZES = (10, 100, 1_000, 2_000, 5_000)
RUNS = 3
HEAD = """
style { norm = batch }
block residual(x) { return x + (x -> conv(x.channels, 3) -> norm -> relu -> conv(x.channels, 3) -> norm) }
generator g {
    input photo: image(3, 64, 64)
    b0 = photo -> conv(32, 3) -> norm -> relu
"""


def written_out(blocks: int) -> str:
    """A statement for each block."""
    lines = [f"    b{i + 1} = b{i} -> residual" for i in range(blocks)]
    return HEAD + "\n".join(lines) + f"\n    output b{blocks} -> conv(3, 3)\n}}\n"


def repeated(blocks: int) -> str:
    """One statement with a repeat."""
    return HEAD + f"    body = b0 -> {blocks} * residual\n    output body -> conv(3, 3)\n}}\n"


def stages(text: str) -> tuple[float, float, float, int]:
    """Seconds for syntax, graph and cost; and the nodes of the graph."""
    parse.cache_clear()
    began = time.perf_counter()
    parse(text, "<text>")
    parsed = time.perf_counter()
    graph = elaborate(SourceFile("<text>", text), {}).network
    built = time.perf_counter()
    cost_model(graph).at()
    return parsed - began, built - parsed, time.perf_counter() - built, len(graph.nodes)


def table(write: Callable[[int], str]) -> None:
    """Measure all sizes and print a row for each."""
    print(f"\n{write.__doc__}")
    print(f"{'blocks':>8}{'nodes':>9}{'syntax ms':>11}{'graph ms':>10}{'cost ms':>9}{'total ms':>10}{'us/block':>10}")
    for blocks in SIZES:
        text = write(blocks)
        parsed, built, costed, nodes = min((stages(text) for _ in range(RUNS)), key=lambda row: sum(row[:3]))
        total = parsed + built + costed
        cells = (parsed * 1e3, built * 1e3, costed * 1e3, total * 1e3)
        print(f"{blocks:>8,}{nodes:>9,}{cells[0]:>11.1f}{cells[1]:>10.1f}{cells[2]:>9.1f}{cells[3]:>10.1f}", end="")
        print(f"{total / blocks * 1e6:>10.0f}")


if __name__ == "__main__":
    table(written_out)
    table(repeated)
