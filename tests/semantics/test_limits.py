"""Limits: hostile programs end in an error that names the limit, and the page of limits is right."""

from pathlib import Path

import pytest

from catdsl.ir.builder import MAX_NODES
from catdsl.ir.shapes import MAX_CHANNELS, MAX_PIXELS
from catdsl.semantics.calls import MAX_CALL_DEPTH, MAX_PARTS
from catdsl.semantics.elaborate import MAX_USE_DEPTH
from catdsl.semantics.expressions import MAX_ITEMS, MAX_STEPS
from catdsl.syntax.build import MAX_DEPTH, MAX_NUMBER
from catdsl.syntax.parse import MAX_TEXT, MAX_TOKENS
from tests.semantics.checking import found_in, generator


def test_the_page_gives_the_limits(root: Path) -> None:
    page = (root / "docs" / "language" / "limits.md").read_text("utf-8")
    for limit in (
        MAX_TEXT, MAX_TOKENS, MAX_DEPTH, MAX_CALL_DEPTH, MAX_USE_DEPTH, MAX_ITEMS, MAX_PARTS, MAX_STEPS,
        MAX_NODES, MAX_CHANNELS, MAX_PIXELS,
    ):  # fmt: skip
        assert f"{limit:,}" in page
    assert MAX_NUMBER == 10**18
    assert "10^18" in page


DOUBLING = "block f0(x) { return x%s }\n" + "".join(
    f"block f{i}(x) {{ return x -> f{i - 1} -> f{i - 1} }}\n" for i in range(1, 31)
)
CHAIN = "block f0(x) { return x }\n" + "".join(f"block f{i}(x) {{ return x -> f{i - 1} }}\n" for i in range(1, 40))

HOSTILE = [
    (generator("output x -> f30", DOUBLING % " -> relu"), "E103", f"{MAX_NODES:,} nodes"),
    (generator("output x -> f30", DOUBLING % ""), "E103", f"{MAX_STEPS:,} steps"),
    (generator("output x -> f39", CHAIN), "E103", f"more than {MAX_CALL_DEPTH} deep"),
    (generator("output x -> 10001 * relu"), "E103", "10,000, the limit"),
    (generator("a = [[k for k in range(10000)] for j in range(10000)]\noutput a"), "E103", "steps"),
    (generator("a = range(1000000000000)\noutput a"), "E103", "10,000 items"),
    (generator("a = range(9000) + range(9000)\noutput a"), "E103", "10,000 items"),
    (generator("output x -> conv(70000, 3)"), "E307", "65,536"),
    (generator("output x -> resize(scale = 64) -> resize(scale = 64)"), "E307", "268,435,456 pixels"),
    (generator("output x -> conv(" + " * ".join(["1e18"] * 30) + ", 3)"), "E212", "larger than"),
    (generator("output x -> conv(x.channels" + " * 1e18" * 30 + ", 3)"), "E212", "larger than"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "part"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_programs(text: str, code: str, part: str) -> None:
    (found,) = [d for d in found_in(text) if d.code != "E208"]
    assert (found.code, part in found.message) == (code, True)
    assert found.span is not None
