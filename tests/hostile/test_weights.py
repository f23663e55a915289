"""Weights that are damaged, another program's or another run's, through every command that reads them."""

import random
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from catdsl.backend.weights import read_weights
from catdsl.diagnostics import CatError
from catdsl.train.checkpoint import load_checkpoint
from tests.hostile.damages import BINARY
from tests.hostile.doors import CHECKPOINT, RUN, STUDENTS, TEACHERS, WEIGHTS
from tests.hostile.refusing import refused

pytestmark = pytest.mark.slow

FLIPS = 600


@pytest.mark.parametrize("damage", BINARY, ids=str)
def test_a_file_that_is_none(cli, place: Path, damage: str) -> None:
    shutil.copy(place / "run" / "teacher" / "weights.safetensors", place / "w.safetensors")
    BINARY[damage](place / "w.safetensors")
    for name in WEIGHTS:
        refused(cli, WEIGHTS.words(name, "w.safetensors"), codes="E403|E603|E605")


@pytest.mark.parametrize("name", list(WEIGHTS))
def test_another_program_of_equal_shapes(cli, place: Path, name: str) -> None:
    words = WEIGHTS.words(name, "stranger/teacher/weights.safetensors")
    told = refused(cli, words, codes="E605")
    assert "came from another network: generator `tiny` of" in told
    assert "--accept-changes" in told


@pytest.mark.parametrize("name", ["translate", "export", "plan", "sweep", "graph"])
def test_another_program_on_purpose(cli, place: Path, name: str) -> None:
    words = WEIGHTS.words(name, "stranger/teacher/weights.safetensors")
    assert "warning: the weights in" in cli(*words, "--accept-changes").stderr


@pytest.mark.parametrize("part", ["teacher", "student"])
@pytest.mark.parametrize("name", sorted({*TEACHERS, *STUDENTS}))
def test_a_file_of_another_run(cli, place: Path, name: str, part: str) -> None:
    """A sibling has the same program and another seed: names, shapes and network are equal."""
    if name not in {"teacher": TEACHERS, "student": STUDENTS}[part]:
        pytest.skip(f"{name} does not read the {part}")
    file = Path(part) / "weights.safetensors"
    shutil.copy(place / "sibling" / file, place / "run" / file)
    told = refused(cli, RUN.words(name, "run"), codes="E605")
    assert "another run" in told or "another network" in told
    assert "--accept-changes" in told


@pytest.mark.parametrize("name", TEACHERS)
def test_values_that_are_not_finite(cli, place: Path, name: str) -> None:
    file = place / "run" / "teacher" / "weights.safetensors"
    tensors = load_file(file)
    tensors["stem.norm1.weight"][2] = torch.nan
    save_file(tensors, file)
    refused(cli, RUN.words(name, "run"), codes="E403|E605")


@pytest.mark.parametrize("damage", BINARY, ids=str)
@pytest.mark.parametrize("name", list(CHECKPOINT))
def test_a_checkpoint_that_is_none(cli, place: Path, name: str, damage: str) -> None:
    BINARY[damage](place / "run" / "teacher" / "checkpoint.pt")
    if name == "compress --resume":
        # With its weights there, it is not read; without them it decides what the teacher is.
        (place / "run" / "teacher" / "weights.safetensors").unlink()
    refused(cli, CHECKPOINT.words(name, "run"), codes="E603|E604")


@pytest.mark.parametrize("name", list(CHECKPOINT))
@pytest.mark.parametrize("other", ["sibling", "stranger"])
def test_a_checkpoint_of_another_run(cli, place: Path, name: str, other: str) -> None:
    shutil.copy(place / other / "teacher" / "checkpoint.pt", place / "run" / "teacher" / "checkpoint.pt")
    if name == "compress --resume":
        (place / "run" / "teacher" / "weights.safetensors").unlink()
    assert "another run" in refused(cli, CHECKPOINT.words(name, "run"), codes="E604")


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_checkpoint_without_a_network(cli, place: Path, network: str) -> None:
    """Not a start from scratch that is reported as finished; its digest is made to fit."""
    path = place / "run" / "teacher" / "checkpoint.pt"
    content = torch.load(path, weights_only=True)
    del content["networks"][network]
    content.update(format=3)
    for name in ("digest", "network", "shown", "run"):
        del content[name]
    torch.save(content, path)
    (place / "run" / "teacher" / "weights.safetensors").unlink()
    words = RUN.words("compress --resume", "run")
    assert f"the checkpoint lacks the network `{network}`" in refused(cli, words, codes="E605")


def _flips(path: Path, draw: random.Random):
    whole = path.read_bytes()
    for _ in range(FLIPS):
        changed = bytearray(whole)
        place = draw.randrange(len(whole))
        changed[place] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        yield place


def test_no_flipped_bit_of_weights_passes(place: Path) -> None:
    path = place / "run" / "teacher" / "weights.safetensors"
    wanted = read_weights(path)[0]
    refusals = 0
    for _ in _flips(path, random.Random("flips of weights")):
        try:
            found = read_weights(path)[0]
        except CatError as error:
            refusals += error.diagnostics[0].code == "E605"
            continue
        assert list(found) == list(wanted)
        assert all(torch.equal(found[name], value) for name, value in wanted.items())
    assert refusals > FLIPS / 2


def test_no_flipped_bit_of_a_checkpoint_passes(place: Path) -> None:
    path = place / "run" / "teacher" / "checkpoint.pt"
    wanted = load_checkpoint(path)
    refusals = 0
    for _ in _flips(path, random.Random("flips of a checkpoint")):
        try:
            found = load_checkpoint(path)
        except CatError as error:
            refusals += error.diagnostics[0].code == "E604"
            continue
        assert found.settings == wanted.settings
        assert (found.step, found.owner) == (wanted.step, wanted.owner)
        for name, network in wanted.networks.items():
            assert all(torch.equal(found.networks[name][key], value) for key, value in network.items())
    assert refusals > FLIPS / 2


def test_scores_in_numpy_and_torch_are_held_to_the_same(cli, place: Path) -> None:
    """`plan` reads weights without torch."""
    file = place / "run" / "teacher" / "weights.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    told = {name: refused(cli, RUN.words(name, "run"), codes="E605") for name in ("plan", "evaluate")}
    assert all("are not those that were written" in text for text in told.values())
