"""Which sizes a network takes is what PyTorch itself says of it."""

import pytest
import torch

from catdsl.analysis.sizes import SideRule, size_rule, sizes_at, sizes_to_check
from catdsl.backend.module import build_module
from catdsl.project import load
from tests.export.networks import SMALL, SPECS

_PROGRAMS = {
    "skip": "input x: image(2, 16, 16)\ny = x -> conv(4, 3, stride = 2) -> deconv(4, 4)\noutput (x -> conv(4, 1)) + y",
    "reflect": "input x: image(2, 12, 20)\noutput x -> conv(2, 7, pad = reflect) -> conv(2, 3, stride = 4)",
    "valid": "input x: image(2, 11, 11)\noutput x -> conv(2, 5, padding = 0) -> instance_norm",
    "halved": "input x: image(2, 16, 24)\noutput x -> resize(scale = 0.5, bilinear) -> max_pool(2) -> conv(1, 1)",
    "fixed": "input x: image(2, 8, 8)\noutput (x -> conv(3, 1)) + (x -> conv(3, 1) -> resize(to = [8, 8]))",
    "odd": "input x: image(2, 9, 9)\ny = x -> conv(2, 3, padding = 0, stride = 2)\n"
           "output (y -> resize(scale = 2, nearest)) + (x -> conv(2, 2, padding = 0))",
}  # fmt: skip


@pytest.mark.parametrize("name", _PROGRAMS)
def test_the_rule_is_what_torch_takes(name: str) -> None:
    graph = load(f"generator g {{\n{_PROGRAMS[name]}\n}}").graph
    module = build_module(graph)
    rule = size_rule(graph)
    # At a height of 1 torch would take the one for the many beside it, and compute something else.
    for height in range(2, 25):
        size = (height, rule.declared[1])
        assert isinstance(sizes_at(graph, *size), dict) == _runs(module, size), size
        # The rule may be narrower than torch, and never wider.
        assert not rule.height.takes(height) or _runs(module, size), size


def _runs(module: torch.nn.Module, size: tuple[int, int]) -> bool:
    try:
        with torch.no_grad():
            module(torch.randn(2, 2, *size))
    except (RuntimeError, ValueError):
        return False
    return True


def test_rules_of_these_programs() -> None:
    rules = {name: size_rule(load(f"generator g {{\n{text}\n}}").graph).height for name, text in _PROGRAMS.items()}
    assert rules["skip"] == SideRule(step=2, least=2)
    assert rules["valid"] == SideRule(step=1, least=6)  # of 5 x 5 one pixel is left, which has no variance
    assert rules["fixed"] == SideRule(step=0, least=8)
    assert rules["odd"] == SideRule(step=2, least=3)
    assert str(rules["skip"]) == "multiples of 2 from 2 on"
    assert str(rules["odd"]) == "3, 5, 7, ..."
    assert str(rules["fixed"]) == "8 alone"


@pytest.mark.parametrize("name", SMALL)
def test_sizes_to_check_are_taken(name: str) -> None:
    graph = load(SPECS / f"{name}.cat", SMALL[name]).graph
    rule = size_rule(graph)
    sizes = sizes_to_check(rule)
    assert len(sizes) == 3
    assert sizes[0] == rule.declared
    assert sizes[1][0] > rule.declared[0]
    assert sizes[1][0] != sizes[1][1]
    assert all(
        rule.height.takes(h) and rule.width.takes(w) and isinstance(sizes_at(graph, h, w), dict) for h, w in sizes
    )
    # The smallest is: a step less is refused, or the first odd one was taken instead of an even one.
    assert sizes[2][0] - rule.height.least in (0, rule.height.step)


def test_every_shipped_spec_is_named() -> None:
    assert set(SMALL) == {path.stem for path in SPECS.glob("*.cat")}


def test_three_sizes_also_where_the_declared_one_is_the_least() -> None:
    rule = size_rule(load(
        "generator g { input x: image(3, 8, 8)\n"
        "y = x -> 2 * conv(4, 3, stride = 2) -> conv(3, 3, pad = reflect)\noutput (y -> resize(scale = 4)) + x }"
    ).graph)  # fmt: skip
    sizes = sizes_to_check(rule)
    assert sizes[0] == (rule.height.least, rule.width.least) == (8, 8)
    assert len(set(sizes)) == 3
