"""Checkpoints appear whole or not at all, come back equal, and refuse what does not belong to them."""

import pytest
import torch
from lightning_fabric.plugins.precision.precision import Precision

from catdsl import files
from catdsl.acceptance import Acceptance, Owner
from catdsl.diagnostics import CatError
from catdsl.train.averaging import Average
from catdsl.train.checkpoint import (
    Checkpoint,
    Trained,
    check_settings,
    load_checkpoint,
    save_checkpoint,
)
from catdsl.train.checkpoint_digest import content_digest
from catdsl.train.data.batches import training_batches
from catdsl.train.discriminator import build_discriminator
from catdsl.train.recipe import Recipe
from catdsl.train.systems.judge import Judge
from catdsl.train.systems.paired import Paired
from tests.train.full_disk import files_of_at_most
from tests.train.one_step import one_step
from tests.train.tiny_networks import TinyGenerator

RECIPE = Recipe(gan="hinge", gan_weight=1.0, recon=10.0, epochs=1, decay_epochs=0, batch=2, lr=1e-3, betas=(0.5, 0.999))
SETTINGS = {"lr": 1e-3, "betas": (0.5, 0.999), "data.load": None}


def system(width=4):
    judge = build_discriminator(channels=6, size=(32, 32), width=4, layers=2, seed=0)
    made = Paired(TinyGenerator(width=width), Judge(judge, RECIPE), RECIPE)
    return Trained(made, {"generator": Average(made.networks["generator"], 0.9)}, Precision())


@pytest.fixture
def trained(paired):
    made = system()
    batches = training_batches(paired, batch=2, seed=0)
    for step in range(3):
        one_step(made.system, batches.at(step))
        made.averages["generator"].update()
    return made


def small(value: float) -> Checkpoint:
    return empty(networks={"n": {"w": torch.full((3,), value)}})


def empty(**given) -> Checkpoint:
    nothing = {name: {} for name in ("networks", "optimisers", "pools", "averages", "precision", "settings")}
    return Checkpoint(**{"step": 1, **nothing, **given})


@pytest.mark.parametrize(
    ("without", "told"),
    [((), None), (("run",), "no run"), (("network", "run", "digest"), "no network and no run and no digest")],
)
def test_what_a_checkpoint_does_not_say_is_told(tmp_path, without, told):
    path, owner = tmp_path / "c.pt", Owner("a" * 32, "net", "b" * 32)
    save_checkpoint(path, empty(owner=owner))
    content = torch.load(path, weights_only=True)
    for name in without:
        del content[name]
    content["format"] = 3 if "digest" in without else content["format"]
    if "digest" in content:
        del content["digest"]
        content["digest"] = content_digest(content)
    torch.save(content, path)
    said = []
    load_checkpoint(path, owner, Acceptance(False, said.append))
    load_checkpoint(path, Owner(owner.network), Acceptance(False, said.append))
    assert said == ([f"note: {path} says {told}: only names, shapes and finite values are compared"] if told else [])


def test_the_round_trip_continues_exactly(tmp_path, trained, paired):
    save_checkpoint(tmp_path / "c.pt", trained.capture(step=3, settings=SETTINGS))
    other = system()
    loaded = load_checkpoint(tmp_path / "c.pt")
    other.restore(loaded)
    assert loaded.step == 3
    check_settings(loaded.settings, SETTINGS)
    batch = training_batches(paired, batch=2, seed=0).at(3)
    first, second = one_step(trained.system, batch), one_step(other.system, batch)
    assert {n: v.item() for n, v in first.items()} == {n: v.item() for n, v in second.items()}
    for name, network in trained.system.networks.items():
        theirs = other.system.networks[name].state_dict()
        assert all(torch.equal(t, theirs[k]) for k, t in network.state_dict().items())
    for one in (trained, other):
        one.averages["generator"].update()
    means = (one.averages["generator"].state for one in (trained, other))
    assert all(torch.equal(a, b) for a, b in zip(*(mean.values() for mean in means), strict=True))


def test_a_crash_before_the_renaming_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "c.pt"
    save_checkpoint(path, small(1.0))

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(path, small(2.0))
    assert [p.name for p in tmp_path.iterdir()] == ["c.pt"]
    assert load_checkpoint(path).networks["n"]["w"][0] == 1
    save_checkpoint(path, small(3.0))
    assert load_checkpoint(path).networks["n"]["w"][0] == 3
    assert [p.name for p in tmp_path.iterdir()] == ["c.pt"]


@pytest.mark.parametrize("most", [100, 2000])
def test_a_full_disk_is_an_error_and_leaves_the_old_file(tmp_path, most):
    path = tmp_path / "c.pt"
    save_checkpoint(path, small(1.0))
    large = empty(step=2, networks={"n": {"w": torch.zeros(10_000)}})
    with files_of_at_most(most), pytest.raises(CatError, match=r"E608\]: cannot write .*c\.pt"):
        save_checkpoint(path, large)
    assert load_checkpoint(path).step == 1
    assert [p.name for p in tmp_path.iterdir()] == ["c.pt"]


@pytest.mark.parametrize("damage", ["torn", "empty", "text", "other"])
def test_a_damaged_file_is_an_error(tmp_path, damage):
    path = tmp_path / "c.pt"
    save_checkpoint(path, small(1.0))
    whole = path.read_bytes()
    if damage == "other":
        torch.save({"weights": torch.zeros(2)}, path)
    else:
        path.write_bytes({"torn": whole[: len(whole) // 2], "empty": b"", "text": b"hello"}[damage])
    with pytest.raises(CatError, match=r"E604.*no whole checkpoint"):
        load_checkpoint(path)


def test_no_code_is_run_from_a_checkpoint(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "proof"), "w"))

    torch.save({"step": Evil()}, tmp_path / "c.pt")
    with pytest.raises(CatError, match=r"E604"):
        load_checkpoint(tmp_path / "c.pt")
    assert not (tmp_path / "proof").exists()


def test_another_format_is_refused(tmp_path):
    newer = empty(format=99)
    save_checkpoint(tmp_path / "c.pt", newer)
    with pytest.raises(CatError, match="format 99"):
        load_checkpoint(tmp_path / "c.pt")


def test_changed_settings_are_named_with_both_values():
    check_settings(SETTINGS | {"betas": [0.5, 0.999]}, SETTINGS)
    with pytest.raises(CatError) as caught:
        check_settings({"lr": 0.1, "batch": 4, "same": [1, 2]}, {"lr": 0.2, "same": (1, 2), "seed": None})
    messages = [d.message for d in caught.value.diagnostics]
    assert {d.code for d in caught.value.diagnostics} == {"E604"}
    assert messages == [
        "`lr` was 0.1 when the run began, and is 0.2 now",
        "`batch` was 4 when the run began, and is not set now",
        "`seed` was not set when the run began, and is null now",
    ]


def test_weights_of_other_networks_are_refused(tmp_path, trained):
    save_checkpoint(tmp_path / "c.pt", trained.capture(step=3, settings=SETTINGS))
    loaded = load_checkpoint(tmp_path / "c.pt")
    with pytest.raises(CatError, match=r"E605"):
        system(width=5).restore(loaded)
