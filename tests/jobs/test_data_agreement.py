"""`data check` and training agree on drawn folders: what one refuses the other does, and what one proposes trains."""

from collections import Counter

import pytest

from catdsl.diagnostics import CatError
from catdsl.jobs.data_check import check_json, check_text, problem_of
from catdsl.jobs.setting import open_data
from catdsl.project import load
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.batches import training_batches
from catdsl.train.data.survey import survey
from tests.jobs.drawn_folders import DEPTHS, can_be_read, draw_folder, draw_sides
from tests.train.opened import opened

DRAWN = 320
# Scenes reach 170 of 255 at least; levels that fit a number of bits may be twice those in use.
DARK = 60

# Halves its images twice, so that sizes which fit a usual generator are asked for.
BODY = "{input} -> conv(4, 3, stride = 2) -> relu -> conv(4, 3, stride = 2) -> relu -> deconv(4, 3) -> deconv(4, 3)"


def spec_of(path, found):
    """A spec with the block and the input that `data check` prints for the folder."""
    shown = check_json(found)
    labels = found.proposal.source.labels
    # Where no label map can be read, there is no line to print.
    what = "image(3" if labels is None else f"labels({labels.classes}"
    edges = ", edges = true" if labels is not None and labels.edges else ""
    line = shown["input"] or f"input map: {what}, {found.proposal.size[0]}, {found.proposal.size[1]}{edges})"
    # What a generator makes is as many times larger as the images are.
    size = tuple(int(side * times) for side, times in zip(found.proposal.size, found.proposal.scale, strict=True))
    head = "" if found.proposal.scale == (1, 1) else f" -> resize(to = [{size[0]}, {size[1]}], nearest)"
    system = {"unpaired": "cyclegan", "paired": "pix2pix", "labels": "pix2pix"}[shown["kind"]]
    path.write_text(
        f"generator g {{\n    {line}\n    output {BODY.format(input='map')}{head} -> conv(3, 3) -> tanh\n}}\n"
        f"{shown['settings']}\ntrain {{ system = {system}, batch = 1 }}\n",
        encoding="utf-8",
    )
    return path


def asked(folder):
    """What `data check` finds and refuses."""
    try:
        found = survey(folder)
    except CatError as error:
        return None, error
    return found, problem_of(found)


def words(error):
    return [(d.code, d.message, d.notes) for d in error.diagnostics]


@pytest.mark.parametrize("part", range(8))
def test_drawn_folders(tmp_path, part):
    outcomes = Counter()
    for seed in range(part, DRAWN, 8):
        folder = tmp_path / str(seed)
        folder.mkdir()
        made = draw_folder(folder, seed)
        drawn = f"seed {seed}: {made.words}"
        found, refused = asked(folder)
        assert refused is None or not made.sound, f"{drawn}: {refused}"
        outcomes[refused is None] += 1
        if found is None:
            for kind in ("paired", "unpaired", "labels"):
                with pytest.raises(CatError) as caught:
                    open_data(load(plain_spec(tmp_path / "plain.cat", kind)), folder)
                assert caught.value.diagnostics[0].code in ("E601", "E602"), drawn
            continue
        assert check_text(found), drawn
        project = load(spec_of(tmp_path / "drawn.cat", found))
        if refused is None:
            data, _ = open_data(project, folder)
            assert training_batches(data, batch=1, seed=0).at(0).input_BCHW.shape[0] == 1, drawn
            outcomes["levels"] += "levels" in found.proposal.block
            # A damage may leave black pictures alone.
            assert not made.sound or min(brightest(data)) > DARK, drawn
        else:
            with pytest.raises(CatError) as caught:
                open_data(project, folder)
            assert words(caught.value) == words(refused), drawn
    assert min(outcomes[True], outcomes[False], outcomes["levels"]) > 3, outcomes


def brightest(data):
    """The highest level that training reads on each side; label maps have none."""
    items = [item for i in range(len(data.train)) for item in data.train.read([i])]
    for images in list(zip(*items, strict=True))[data.kind == "labels" :]:
        yield max(int(image.max()) for image in images)


SIDES = [*((depth,) for depth in DEPTHS), ("10 of 16 bits", "8 bits"), ("12 of 16 bits", "16 bits"),
         ("12 of 16 bits", "16-bit colour"), ("dark colour", "16-bit colour"), ("dark colour", "16 bits"),
         ("dark colour", "12 of 16 bits")]  # fmt: skip


@pytest.mark.parametrize("of_a", SIDES, ids=", ".join)
def test_every_two_depths(tmp_path, of_a):
    """What is refused is known, and nothing is read as almost black, whatever the other side is like."""
    for place, of_b in enumerate(SIDES):
        folder = tmp_path / str(place)
        draw_sides(folder, of_a, of_b)
        found = survey(folder)
        refused = problem_of(found)
        assert (refused is None) == (can_be_read({*of_a}) and can_be_read({*of_b})), (of_b, refused)
        project = load(spec_of(tmp_path / "depths.cat", found))
        if refused is not None:
            with pytest.raises(CatError) as caught:
                open_data(project, folder)
            assert words(caught.value) == words(refused), of_b
            continue
        data, _ = open_data(project, folder)
        assert min(brightest(data)) > DARK, of_b
        assert min(brightest(opened(folder, turned(found.proposal), size=(16, 16)))) > DARK, of_b


def turned(proposal):
    """The settings that the printed remark speaks of: the other direction, and the two levels swapped."""
    block = dict(proposal.block) | {"direction": "b_to_a"}
    if "target_levels" in block:
        block["levels"], block["target_levels"] = block["target_levels"], block["levels"]
    return DataSettings(**block)


def plain_spec(path, kind):
    """A spec that takes whatever is of a kind."""
    line, system = {
        "paired": ("image(3, 16, 16)", "pix2pix"), "unpaired": ("image(3, 16, 16)", "cyclegan"),
        "labels": ("labels(4096, 16, 16)", "pix2pix"),
    }[kind]  # fmt: skip
    path.write_text(
        f"generator g {{\n    input map: {line}\n    output map -> conv(4, 3) -> conv(3, 3) -> tanh\n}}\n"
        f"data {{ kind = {kind} }}\ntrain {{ system = {system} }}\n",
        encoding="utf-8",
    )
    return path


def test_the_drawing_reaches_every_kind(tmp_path):
    said = Counter()
    for seed in range(0, DRAWN, 3):
        (tmp_path / str(seed)).mkdir()
        said.update(draw_folder(tmp_path / str(seed), seed).words.split(", "))
    assert {
        "labels",
        "two",
        "joined",
        "endings",
        "unpaired",
        "plain",
        "mask",
        "spread",
        "lonely",
        "dangling",
        *DEPTHS,
    } <= said.keys()
