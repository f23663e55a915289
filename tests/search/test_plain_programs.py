"""Programs as a user would write them: their students are planned, built, run, and cost what was promised."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from catdsl.backend.module import build_module
from catdsl.project import Project, load
from catdsl.search.budget import parse_budget
from catdsl.search.slicing import kept_channels, slice_weights

UNET = """
style { norm = batch }
block down(x, out) { return x -> conv(out, 3, stride = 2) -> norm -> relu }
block up(x, skip, out) { return concat(x -> deconv(out, 4, stride = 2), skip) -> norm -> relu -> conv(out, 3) -> norm }
generator unet {
    input photo: image(3, 32, 48)
    a = photo -> conv(8, 3) -> norm -> relu
    b = a -> down(16)
    c = b -> down(24)
    d = c -> up(b, 16)
    e = d -> up(a, 8)
    output e -> conv(3, 3) -> tanh
}
search { floor = 1 }
"""
SUPERRES = """
style { norm = batch }
block lift(x) { return x -> conv(tied 4 * x.channels, 3) -> pixel_shuffle(2) -> relu }
block residual(x) { return x + (x -> conv(x.channels, 3) -> norm -> relu -> conv(x.channels, 3) -> norm) }
generator superres {
    input small: image(3, 16, 24)
    stem = small -> conv(12, 3) -> norm -> relu
    body = stem -> 2 * residual
    up   = body -> 2 * lift
    output (up -> conv(3, 3)) + (small -> resize(scale = 4, bilinear))
}
search { floor = 1 }
"""


def random_scores(project: Project, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    graph = project.graph
    return {n.name: rng.random(graph.channels(n.name)) for n in graph.nodes if n.scaled}


@pytest.mark.parametrize("text", [UNET, SUPERRES], ids=["unet", "superres"])
@pytest.mark.parametrize("share", ["60%", "30%", "15%"])
def test_students_of_plain_programs(text: str, share: str) -> None:
    project = load(text)
    assert not project.warnings
    budget = parse_budget(share, "exact", project.cost)
    plan = project.plan(random_scores(project, seed=3), budget)
    weights = {name: value.numpy() for name, value in project.teacher().state_dict().items()}
    kept = kept_channels(project.graph, plan.kept, plan.channels, weights)
    student = project.student_at(plan.kept)
    sliced = slice_weights(project.graph, student, plan.kept, kept, weights)
    module = build_module(student).eval()
    module.load_state_dict({name: torch.from_numpy(value) for name, value in sliced.items()})
    source, output = student.inputs[0].type, student.node[student.output].type
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        made = module(torch.rand(1, 3, source.height, source.width))
    assert made.shape == (1, 3, output.height, output.width)
    assert counter.get_total_flops() == 2 * plan.cost.exact <= 2 * budget.limits[0].most
    # Inputs of other sizes work too, as long as every level divides.
    scale = output.height // source.height
    with torch.no_grad():
        assert module(torch.rand(2, 3, 40, 20)).shape == (2, 3, 40 * scale, 20 * scale)


def test_upsampling_follows_the_body() -> None:
    """The width of each upsampling conv is four times its input's in every student."""
    project = load(SUPERRES)
    plan = project.plan(random_scores(project, seed=1), parse_budget("30%", "exact", project.cost))
    student = project.student_at(plan.kept)
    for step in (0, 1):
        conv = student.node[f"up.{step}.conv0"]
        assert student.channels(conv.name) == 4 * student.channels(conv.inputs[0])
