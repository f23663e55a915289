"""Costs of the shipped specs, to the integer: as published, as torch counts, and without torch."""

from dataclasses import replace
from math import prod
from pathlib import Path

import pytest

from catdsl.analysis.cost import Cost, cost_model, floor_counts
from catdsl.diagnostics import CatError
from catdsl.project import Project, load
from tests.analysis.reference import ROOT, read_json

RESNET, SPADE, ORIGINAL = "resnet_inception", "spade_inception", "resnet_original"

# The same figures as in the reference folder, for checkouts without it.
FIGURES = {
    (RESNET, "instance"): Cost(exact=36_242_644_992, paper=43_527_405_568, params=8_154_255),
    (RESNET, "batch"): Cost(exact=36_242_644_992, paper=43_490_402_304, params=8_136_389),
    # 56.8 G (paper) and 49.55 G (exact) as published.
    (ORIGINAL, "instance"): Cost(exact=49_551_507_456, paper=56_831_770_624, params=11_388_675),
    (SPADE, ""): Cost(exact=109_773_614_880, paper=109_773_614_880, params=55_592_325),
}


def spec(name: str, norm: str = "") -> Project:
    return load(Path(ROOT / "specs" / f"{name}.cat"), {"norm_kind": norm} if norm else {})


def published(cost: Cost) -> Cost:
    """A cost without the bytes of weights."""
    return replace(cost, weights=0)


@pytest.mark.parametrize(("name", "norm"), FIGURES)
def test_teachers_cost_what_is_published(name: str, norm: str) -> None:
    assert published(spec(name, norm).cost) == FIGURES[name, norm]


@pytest.mark.parametrize(
    ("key", "name", "norm"),
    [
        ("resnet9_instance", RESNET, "instance"),
        ("resnet9_batch", RESNET, "batch"),
        ("spade_cityscapes", SPADE, ""),
    ],
)
def test_teachers_cost_what_the_released_code_counts(key: str, name: str, norm: str) -> None:
    wanted = read_json("teachers.json")[key]
    cost = spec(name, norm).cost
    assert (cost.exact, cost.paper, cost.params) == (
        wanted["macs_exact"],
        wanted["macs_paper"],
        wanted["params"],
    )


@pytest.mark.parametrize(("name", "norm"), FIGURES)
def test_torch_counts_the_same(name: str, norm: str) -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from catdsl.backend.module import build_module

    project = spec(name, norm)
    with torch.device("meta"):
        module = build_module(project.graph).eval()
        image = torch.empty(1, *_input(project))
    with FlopCounterMode(display=False) as counter:
        module(image)
    assert counter.get_total_flops() == 2 * project.cost.exact
    assert sum(p.numel() for p in module.parameters()) == project.cost.params


def _input(project: Project) -> tuple[int, int, int]:
    node = project.graph.inputs[0]
    return project.graph.channels(node.name), node.type.height, node.type.width


def test_the_conventions_differ_as_they_say() -> None:
    """Paper counts a transposed conv at its output, and each element of an untracked norm."""
    text = (
        "generator g {{ input x: image(3, 8, 12)\n"
        "output x -> deconv(5, 3, stride = 2, bias = true) -> {norm} -> conv(2, 1, bias = true) }}"
    )
    deconv, head, norm = 3 * 5 * 9 * 96, 5 * 2 * 384, 5 * 384
    params = 3 * 5 * 9 + 5 + 5 * 2 + 2
    batch = load(text.format(norm="batch_norm")).cost
    assert published(batch) == Cost(deconv + head, 4 * deconv + head, params + 10)
    instance = load(text.format(norm="instance_norm(affine = false)")).cost
    assert published(instance) == Cost(deconv + head, 4 * deconv + head + norm, params)
    assert load(text.format(norm="batch_norm(tracked = false)")).cost.paper == instance.paper
    assert load(text.format(norm="instance_norm(tracked = true)")).cost.paper == batch.paper


@pytest.mark.parametrize(("name", "norm"), FIGURES)
def test_floor_is_the_cost_of_the_smallest_student(name: str, norm: str) -> None:
    project = spec(name, norm)
    floor = project.cost_model.floor()
    smallest = project.student_at(floor_counts(project.graph))
    assert floor == cost_model(smallest).at()
    assert floor.exact < project.cost.exact / 20


def test_floor_of_the_resnet_by_hand() -> None:
    """At the floor every branch is gone and the blocks with them: the stem and the head are left."""
    h = 256
    stem = (3 * 16 * 49) * h**2 + (16 * 16 * 9) * (h // 2) ** 2 + (16 * 16 * 9) * (h // 4) ** 2
    ups = (16 * 16 * 9) * (h // 4) ** 2 + (16 * 16 * 9) * (h // 2) ** 2
    last = (16 * 3 * 49) * h**2
    assert spec(RESNET, "batch").cost_model.floor().exact == stem + ups + last
    assert spec(RESNET, "batch").cost_model.floor().paper == stem + 4 * ups + last
    convs = (3 * 16 * 49) + 4 * (16 * 16 * 9) + (16 * 3 * 49)
    # Without biases before batch norms; 5 norms; the last conv has a bias.
    assert spec(RESNET, "batch").cost_model.floor().params == convs + 5 * 2 * 16 + 3


def test_space_is_the_product_of_what_each_width_may_take() -> None:
    widths = [w for w in spec(RESNET, "instance").graph.widths if w.independent]
    # 64, 128, 256 down to 16; 54 branches of 0 to 42; 128 and 64 down to 16; the output fixed.
    assert prod(w.choices for w in widths) == 49 * 113 * 241 * 43**54 * 113 * 49
    assert [w.name for w in widths if not w.searched] == ["head.conv0"]


def test_space_with_steps_bounds_and_ties() -> None:
    graph = load(
        "generator g { input x: image(3, 8, 12)\n"
        "a = x -> conv(20 in 4.. step 8, 3)\nb = a -> conv(12 in 3..9, 1)\nc = b -> conv(fixed 5, 1)\n"
        "d = c -> conv(tied a.channels / 2, 1)\noutput d -> conv(2, 1) }\nsearch { floor = 1 }"
    ).graph
    choices = {w.name: (w.low, w.high, w.step, w.choices) for w in graph.widths if w.independent}
    assert choices == {
        "a.conv0": (8, 16, 8, 2),
        "b.conv0": (3, 9, 1, 7),
        "c.conv0": (5, 5, 1, 1),
        "output.conv0": (2, 2, 1, 1),
    }


def test_per_node_costs_add_up_and_name_the_nodes() -> None:
    project = spec(RESNET, "instance")
    per_node = project.cost_model.per_node()
    assert sum(per_node.values(), Cost()) == project.cost
    assert published(per_node["stem.conv0"]) == Cost(3 * 64 * 49 * 256**2, 3 * 64 * 49 * 256**2, 3 * 64 * 49 + 64)
    assert "body.0.norm0" in per_node
    assert "stem.relu0" not in per_node


def test_a_giant_is_refused() -> None:
    text = "generator g { input x: image(4096, 16384, 16384)\noutput x -> conv(65536, 127) -> conv(65536, 127) }"
    with pytest.raises(CatError) as caught:
        _ = load(text).cost
    assert caught.value.diagnostics[0].code == "E103"


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        # A conv that only a vanished branch reads.
        ("x -> conv(8, 3) -> relu -> conv(4 in 0.., 3) -> conv(2, 1)", {"y.conv1": 0}),
        # The other factor of a vanished product.
        ("(x -> conv(4, 3)) * (x -> conv(3 in 0.., 1) -> conv(4, 1)) -> conv(2, 1)", {"y.conv1": 0}),
        # gamma of an x that is gone.
        (
            "modulate(x -> conv(3 in 0.., 1) -> conv(4, 1), x -> conv(4, 3), x -> conv(4, 3)) -> conv(2, 1)",
            {"y.conv0": 0},
        ),
    ],
)
def test_what_leads_nowhere_costs_nothing(text: str, counts: dict[str, int]) -> None:
    project = load(
        f"generator g {{ input x: image(3, 8, 12)\ny = {text}\noutput y + (x -> conv(2, 1)) }}\nsearch {{ floor = 1 }}"
    )
    promised = project.cost_model.at(counts)
    student = project.student_at(counts)
    assert promised == cost_model(student).at()
    assert promised.exact < project.cost.exact
    assert promised.params == sum(
        prod(w.shape(inputs=student.in_channels(n), outputs=student.channels(n.name)))
        for n in student.nodes
        for w in n.op.weights(n.attrs)
    )


def test_channels_that_go_four_by_four_cost_four_times() -> None:
    """A conv that reads what is shuffled elsewhere: 12 input channels of a width of 3."""
    project = load(
        "generator g { input x: image(3, 8, 12)\na = x -> conv(12 in 0.., 1)\n"
        "b = a -> pixel_shuffle(2) -> avg_pool\n"
        "output (b -> conv(2, 1)) + (a -> norm -> conv(2, 1)) }\nstyle { norm = batch }"
    )
    pixels = 8 * 12
    assert project.cost.exact == pixels * (3 * 12 + 3 * 2 + 12 * 2)
    assert published(project.cost_model.at({"a.conv0.0": 2})) == Cost(
        *(pixels * (3 * 8 + 2 * 2 + 8 * 2),) * 2, params=(3 * 8 + 8) + (2 * 2 + 2) + 2 * 8 + (8 * 2 + 2)
    )


def test_a_tap_keeps_what_it_compares() -> None:
    """Distillation needs the tensor, even where the output does not."""
    text = (
        "generator g {{ input x: image(3, 8, 12)\nt = x -> conv(8, 3)\n"
        "y = t -> conv(4 in 0.., 3) -> conv(2, 1)\n"
        "output y + (x -> conv(2, 1)) }}\nsearch {{ floor = 1 }}\n{distill}"
    )
    for distill, kept in (("", False), ("distill { taps = [t] }", True)):
        project = load(text.format(distill=distill))
        student = project.student_at({"y.conv0": 0})
        assert ("t.conv0" in student.node) == kept
        assert project.cost_model.at({"y.conv0": 0}) == cost_model(student).at()
