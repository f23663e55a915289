"""What channels are ranked by: norms, filters or chance, one by one, for their price, or all widths alike."""

import numpy as np
import pytest

from catdsl.diagnostics import CatError
from catdsl.project import Project, load
from catdsl.search.budget import parse_budget
from catdsl.search.scores import width_scores

TEXT = """
generator g {
    input x: image(3, 8, 8)
    a = x -> conv(4, 3) -> batch_norm -> relu
    b = a -> conv(8, 3) -> batch_norm -> relu -> conv(4, 1) -> batch_norm
    c = a + b
    output c -> conv(3, 3)
}
search { floor = 1 }
"""


def project(search: str = "") -> Project:
    return load(TEXT.replace("floor = 1", f"floor = 1{search}"))


def weights(found: Project, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    state = found.teacher().state_dict()
    return {name: rng.normal(size=tuple(value.shape)) for name, value in state.items() if value.ndim}


def plan(found: Project, share: str = "50%"):
    return found.plan(found.scores(weights(found)), parse_budget(share, "exact", found.cost))


@pytest.mark.parametrize(("score", "power"), [("l1", 1), ("l2", 2)])
def test_norms_of_filters(score: str, power: int) -> None:
    found = project(f", score = {score}")
    held = weights(found)
    scores = found.scores(held)
    inner = held["b.conv0.weight"]
    np.testing.assert_allclose(scores["b.conv0"], np.linalg.norm(inner.reshape(8, -1), ord=power, axis=1))
    # The residual stream is made by two convs; the method's choice is the first.
    np.testing.assert_allclose(
        scores["a.conv0"], np.linalg.norm(held["a.conv0.weight"].reshape(4, -1), ord=power, axis=1)
    )


@pytest.mark.parametrize("score", ["norm_scale", "l2"])
@pytest.mark.parametrize(("group", "join"), [("mean", np.mean), ("max", np.max)])
def test_groups_take_all_that_carry_a_width(score: str, group: str, join) -> None:
    found = project(f", score = {score}, group = {group}")
    held = weights(found)
    if score == "norm_scale":
        parts = [np.abs(held[f"{norm}.weight"]) for norm in ("a.batch_norm0", "b.batch_norm1")]
    else:
        parts = [np.linalg.norm(held[f"{conv}.weight"].reshape(4, -1), axis=1) for conv in ("a.conv0", "b.conv1")]
    scored = width_scores(found.graph, found.scores(held), group).by_width["a.conv0"]
    np.testing.assert_allclose(scored, join(parts, axis=0))


def test_random_scores_follow_from_the_seed() -> None:
    found = project(", score = random")
    first, again, other = found.scores({}, seed=1), found.scores({}, seed=1), found.scores({}, seed=2)
    assert all(np.array_equal(first[n], again[n]) for n in first)
    assert not np.array_equal(first["b.conv0"], other["b.conv0"])


def test_scores_may_be_given_by_width() -> None:
    found = project()
    values = np.array([1.0, 5, 2, 3, 8, 7, 6, 4])
    given = {"a.conv0": np.ones(4), "b.conv0": values}
    chosen = found.plan(given, parse_budget("70%", "exact", found.cost))
    best = set(np.argsort(-values)[: chosen.kept["b.conv0"]].tolist())
    assert set(chosen.channels["b.conv0"]) == best
    with pytest.raises(CatError, match="the width has 8 channels"):
        found.plan(given | {"b.conv0": np.ones(3)}, parse_budget("70%", "exact", found.cost))


def test_uniform_scaling_narrows_all_widths_alike() -> None:
    kept = plan(project(", policy = uniform"), "40%").cut
    assert abs(kept["a.conv0"] / 4 - kept["b.conv0"] / 8) <= 0.25


def test_value_per_cost_buys_cheap_channels_first() -> None:
    """Of equal scores the cheaper width's channels come first."""
    text = TEXT.replace("conv(8, 3)", "conv(8, 1)")
    found = load(text.replace("floor = 1", "floor = 1, policy = value_per_cost"))
    ones = {name: np.ones_like(values) for name, values in found.scores(weights(found)).items()}
    kept = found.plan(ones, parse_budget("60%", "exact", found.cost)).cut
    assert kept["b.conv0"] == 8
    assert kept["a.conv0"] < 4
