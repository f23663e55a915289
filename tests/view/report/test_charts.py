"""Curves: few points that still show every spike, the right scale, and a picture that holds together."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdsl.view.report.chart_plot import described, render_chart
from catdsl.view.report.charts import MOST_POINTS, curve, thinned, training_charts, trend
from catdsl.view.report.content import Chart, Curve
from catdsl.view.typeface import text_width
from tests.view.picture import Frame
from tests.view.report.samples import HOSTILE, LONG, whole

_SVG = "{http://www.w3.org/2000/svg}"


def records(steps: int, **losses: object) -> list[dict[str, float]]:
    made = {name: loss if callable(loss) else (lambda i, loss=loss: loss) for name, loss in losses.items()}
    return [
        {"step": i, "epoch": 1, "lr": 1.0, "seconds": 0.1, **{name: of(i) for name, of in made.items()}}
        for i in range(1, steps + 1)
    ]


@given(st.lists(st.floats(-1e6, 1e6), max_size=1500), st.integers(4, 50))
def test_thinning_keeps_ends_extremes_and_order(values: list[float], most: int) -> None:
    points = list(enumerate(values))
    kept = thinned(points, most)
    assert len(kept) <= max(most, 0)
    assert list(kept) == sorted(kept)
    assert set(kept) <= set(points)
    if values:
        assert kept[0] == points[0]
        assert kept[-1] == points[-1]
        assert min(v for _, v in kept) == min(values)
        assert max(v for _, v in kept) == max(values)


def test_a_spike_of_one_step_is_kept() -> None:
    points = [(i, 100.0 if i == 54_321 else 1.0) for i in range(100_000)]
    kept = thinned(points)
    assert (54_321, 100.0) in kept
    assert len(kept) <= MOST_POINTS


def test_a_trend_is_the_mean_of_stretches() -> None:
    points = [(i, float(i % 2)) for i in range(600)]
    found = trend(points)
    assert len(found) == 60
    assert {value for _, value in found} == {0.5}
    assert found[0][0] == pytest.approx(4.5)
    assert trend(points[:119]) == ()


def test_losses_are_sorted_into_charts() -> None:
    charts = training_charts(
        "student", records(3, discriminator=1.0, gan=1.0, gan_back=1.0, recon=2.0, total=3.0, tap0=0.1, tap10=0.2)
    )
    assert {chart.key: [c.name for c in chart.curves] for chart in charts} == {
        "student-losses": ["recon", "total"],
        "student-gan": ["discriminator", "gan", "gan_back"],
        "student-taps": ["tap0", "tap10"],
    }
    assert charts[2].up == "1 - KA"
    assert training_charts("teacher", []) == ()
    assert [c.up for c in training_charts("student", records(2, tap0=1.0), taps="squared error")] == ["squared error"]


def chart(*curves: Curve) -> Chart:
    return Chart(key="a", title="losses", up="loss", curves=curves)


def rising(name: str, factor: float, steps: int = 50) -> Curve:
    """From 1 to `factor`, evenly on a logarithmic scale."""
    return curve(name, [(i, factor ** (i / steps)) for i in range(steps + 1)])


@pytest.mark.parametrize(
    ("made", "logarithmic"),
    [
        (chart(rising("a", 100)), True),
        (chart(rising("a", 10)), False),
        (chart(rising("a", 5), rising("b", 0.01)), True),
        (chart(rising("a", 1000), Curve(name="b", points=((0, -1.0), (1, 1.0)))), False),
        (chart(Curve(name="a", points=((0, 0.0), (1, 1000.0)))), False),
    ],
)
def test_scales(made: Chart, logarithmic: bool) -> None:
    assert ("loss, logarithmic" in render_chart(made)) == logarithmic


def test_one_step_near_zero_does_not_take_the_axis() -> None:
    values = np.linspace(1, 50, 600)
    values[300] = 1e-9
    svg = render_chart(chart(curve("a", list(enumerate(map(float, values))))))
    assert "1e-" not in svg


_ODD = {
    "no curve": chart(),
    "no points": chart(Curve(name="a", points=())),
    "one point": chart(Curve(name="a", points=((5, 2.0),))),
    "constant": chart(curve("a", [(i, 3.0) for i in range(900)])),
    "zero": chart(curve("a", [(i, 0.0) for i in range(9)])),
    "not numbers": chart(Curve(name="a", points=((1, float("nan")), (2, 1.0), (3, float("inf")), (4, 2.0)))),
    "nothing but nan": chart(Curve(name="a", points=((1, float("nan")),))),
    "huge": chart(rising("a", 1e30)),
    "tiny": chart(rising("a", 1e-30)),
    "many": chart(*(rising(f"loss_number_{i}", 2 + i) for i in range(20))),
    "long": chart(rising(LONG, 3)),
    **{f"hostile {i}": chart(rising(text, 3)) for i, text in enumerate(HOSTILE)},
    **{made.key: made for made in whole().charts},
}


@pytest.mark.parametrize("name", _ODD)
@pytest.mark.parametrize("alone", [True, False])
def test_a_chart_holds_together(name: str, alone: bool) -> None:
    svg = render_chart(_ODD[name], alone=alone)
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == _ODD[name].title
    drawn = "".join(e.get("d", "") for e in root.iter())
    assert not re.search("nan|inf", drawn)
    assert outside(root) == []


def outside(root: ElementTree.Element) -> list[str]:
    """Texts that leave the picture or lie on each other, by the estimate that the rest of the pictures use."""
    _, _, width, height = map(float, root.get("viewBox", "").split())
    page, found, seen = Frame(0, 0, width, height), [], []
    for element in root.iter():
        if element.tag.removeprefix(_SVG) != "text":
            continue
        words, size = element.text or "", 11.0
        wide, x, y = text_width(words, size), float(element.get("x", "nan")), float(element.get("y", "nan"))
        left = x - wide if element.get("text-anchor") == "end" else x
        frame = Frame(left, y - 0.75 * size, left + wide, y + 0.2 * size)
        if not page.holds(frame):
            found.append(f"{words!r} leaves the picture")
        found += [f"{words!r} lies on {other!r}" for other, at in seen if at.overlaps(frame)]
        seen.append((words, frame))
    return found


def test_a_text_outside_is_caught() -> None:
    svg = render_chart(chart(rising("a", 3)), alone=True)
    assert outside(ElementTree.fromstring(svg.replace(">a</text>", f">{LONG}</text>")))


def test_gaps_stay_gaps() -> None:
    svg = render_chart(_ODD["not numbers"])
    drawn, _legend = (e for e in ElementTree.fromstring(svg).iter() if e.get("class") == "curve s0 d0")
    assert drawn.get("d", "").count("M") == 2
    assert "L" not in drawn.get("d", "")


def test_more_curves_than_colours_differ_in_their_lines() -> None:
    svg = render_chart(_ODD["many"])
    styles = {
        e.get("class") for e in ElementTree.fromstring(svg).iter() if (e.get("class") or "").startswith("curve s")
    }
    assert len(styles) == 18  # six colours in three lines; then they come again


def test_a_chart_is_described_in_words() -> None:
    made = chart(rising("a", 100), Curve(name="b", points=()))
    assert described(made) == "a: 1.00 at step 0, 100 at step 50; b: no values"
    assert "<desc>a: 1.00 at step 0" in render_chart(made)


def test_a_file_brings_its_style_along() -> None:
    made = chart(rising("a", 100))
    assert "prefers-color-scheme:dark" in render_chart(made, alone=True)
    assert ">losses</text>" in render_chart(made, alone=True)
    assert "<style" not in render_chart(made)
