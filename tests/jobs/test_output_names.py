"""Names of results are unique on every file system, stay in their folder, and fit."""

import os
from pathlib import Path
from unicodedata import normalize

from hypothesis import example, given, settings
from hypothesis import strategies as st

from catdsl.jobs.output_names import output_names
from tests.examples import examples

_PARTS = st.one_of(
    st.sampled_from(["a", "A", "b", "x", "X", "b_x", "a_x", "x-2", "x-3", "b_x-2", "\u00e9", "e\u0301", "\u00c9",
                     "\u1e9e", "ss", "\u00df", "a.b", "a.", "..x", "x" * 250, "x" * 249 + "y", "\u00e9" * 120]),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=6),
).filter(lambda name: name not in (".", ".."))  # fmt: skip
_IMAGES = st.lists(
    st.builds(lambda folders, stem, ending: Path(*folders, f"{stem}{ending}"),
              st.lists(st.one_of(_PARTS, st.just("..")), max_size=3), _PARTS, st.sampled_from([".png", ".jpg", ""])),
    max_size=12,
)  # fmt: skip


@given(_IMAGES)
@settings(max_examples=examples(300))
@example([Path("a/x.png"), Path("b/x.png"), Path("b_x.png")])
@example([Path("a/x.png"), Path("A/X.png"), Path("a_x.png"), Path("A_X-2.png")])
@example([Path("../x.png"), Path("../../x.png"), Path("/x.png")])
def test_no_two_are_one_file(images: list[Path]) -> None:
    names = output_names(images)
    assert len(names) == len(images)
    # Each of these is what some file system compares.
    for alike in (
        str,
        str.casefold,
        str.lower,
        str.upper,
        lambda name: normalize("NFC", name),
        lambda name: normalize("NFD", name),
        lambda name: normalize("NFC", name.casefold()),
        lambda name: normalize("NFD", name).casefold(),
    ):
        assert len({alike(name) for name in names}) == len(names)
    for name in names:
        assert Path("out", name).parent == Path("out")
        assert name not in (".", "..")
        assert name.endswith(".png")
        assert len(os.fsencode(name)) <= 240


@given(_IMAGES)
@settings(max_examples=examples(100))
def test_they_are_the_same_for_the_same_images(images: list[Path]) -> None:
    assert output_names(images) == output_names(list(images))


def test_names_are_those_that_one_expects() -> None:
    assert output_names([Path("a/x.png"), Path("y.jpg")]) == ["x.png", "y.png"]
    assert output_names([Path("a/x.png"), Path("b/x.png")]) == ["a_x.png", "b_x.png"]
    assert output_names([Path("a/x.png"), Path("b/x.png"), Path("b_x.png")]) == ["a_x.png", "b_x-2.png", "b_x.png"]
    assert output_names([Path("a/x.png"), Path("a/X.png")]) == ["a_x.png", "a_X-2.png"]


def test_many_of_one_name_take_no_time() -> None:
    names = output_names([Path(f"{i}/a/x.png") for i in range(20_000)])
    assert len(set(names)) == 20_000
