"""Pictures of a page: every one of them, and two over each other with a divider where scripts run."""

from collections.abc import Sequence
from dataclasses import dataclass

from catdsl.view.report.markup import Html, element, image, joined


@dataclass(frozen=True, slots=True)
class Shown:
    """What there is to see of one example: PNGs by what they are, such as `teacher`."""

    name: str
    images: tuple[tuple[str, bytes], ...]


def viewer(shown: Sequence[Shown], sides: tuple[str, str]) -> Html | None:
    """All examples that have a picture, and what compares two; `sides` are those it begins with.

    Raises CatError E602 for bytes that are no PNG.
    """
    shown = [example for example in shown if example.images]
    if not shown:
        return None
    roles = tuple(dict.fromkeys(role for example in shown for role, _ in example.images))
    return joined((_compare(roles, sides) if len(roles) > 1 else None, _all(shown)))


def _compare(roles: tuple[str, ...], sides: tuple[str, str]) -> Html:
    """Empty, and hidden, until the script fills it from the pictures below."""
    wanted = [side if side in roles else role for side, role in zip(sides, roles, strict=False)]
    stage = element(
        "div",
        element("div", class_="layer right"), element("div", class_="layer left"),
        element("span", class_="tag left"), element("span", class_="tag right"), element("span", class_="divider"),
        class_="stage",
    )  # fmt: skip
    both = element("div", stage, element("div", class_="now"))
    slider = joined(
        (
            element("label", "Divider: drag it on the picture, or use the arrow keys here", for_="divider"),
            element("input", type="range", id="divider", min=0, max=100, step=1, value=50, autocomplete="off"),
        )
    )
    choices = (_choice(side, roles, role) for side, role in zip(("left", "right"), wanted, strict=True))
    return element(
        "div",
        both,
        element(
            "div",
            element("div", element("b", data_title=True)),
            element("div", joined(choices), class_="choice"),
            element("div", slider),
            element("div", class_="thumbs", role="group", aria_label="Examples"),
            class_="controls",
        ),
        class_="viewer", data_viewer=True, hidden=True,
    )  # fmt: skip


def _choice(side: str, roles: tuple[str, ...], chosen: str) -> Html:
    options = (element("option", role, value=role, selected=role == chosen) for role in roles)
    key = f"side-{side}"
    return element(
        "div",
        element("label", side.capitalize(), for_=key),
        element("select", joined(options), id=key, data_side=side, autocomplete="off"),
    )


def _all(shown: Sequence[Shown]) -> Html:
    return element(
        "details", element("summary", "All pictures side by side"), joined(map(_example, shown)),
        data_all=True, open=True,
    )  # fmt: skip


def _example(example: Shown) -> Html:
    figures = (
        element(
            "figure",
            image(png, alt=f"{role}, {example.name}", data_role=role, decoding="async"),
            element("figcaption", role),
        )
        for role, png in example.images
    )
    return element(
        "div", element("h3", example.name), element("div", joined(figures), class_="row"), data_example=example.name
    )
