"""Batches follow from (seed, step) alone, and treat both images of a pair alike."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.batches import plain_batches, training_batches
from tests.train.opened import opened


@pytest.fixture
def coordinates(tmp_path):
    """5 pairs whose pixels tell image, row and column; B is A in another channel order."""
    for i in range(5):
        rows, columns = np.meshgrid(np.arange(12), np.arange(14), indexing="ij")
        a = np.stack((np.full_like(rows, i), rows, columns), -1).astype(np.uint8)
        Image.fromarray(np.concatenate((a, a[..., ::-1]), axis=1)).save(tmp_path / f"{i}.png")
    return opened(tmp_path, DataSettings(load=(12, 14), crop=(8, 9), holdout=0, joined=True), size=(8, 9))


def pixels(images):
    return images.add(1).mul(127.5).round().long()


def places(batch):
    """(image, top, left, mirrored) of each item, after checking that it is one whole joint window."""
    found = []
    for a, b in zip(pixels(batch.input_BCHW), pixels(batch.target_BCHW), strict=True):
        assert torch.equal(a, b.flip(0))
        image, rows, columns = a
        left, right = columns[0, 0].item(), columns[0, -1].item()
        expected = torch.arange(left, right + 1) if left < right else torch.arange(left, right - 1, -1)
        assert torch.equal(columns, expected.expand(8, 9))
        assert torch.equal(rows, (rows[0, 0] + torch.arange(8))[:, None].expand(8, 9))
        found.append((image[0, 0].item(), rows[0, 0].item(), min(left, right), left > right))
    return found


@pytest.mark.parametrize(("up", "down"), [(2, 1), (1, 2)])
def test_windows_of_targets_of_another_size_are_the_same_places(tmp_path, up, down):
    """Inputs 12 x 16 whose pixels tell their place in halves, targets twice or half as large."""
    for i in range(4):
        for side, size in (("A", (12, 16)), ("B", (12 * up // down, 16 * up // down))):
            rows, columns = ((np.arange(n) + 0.5) * 12 / size[0] * 8 for n in size)
            image = np.stack(np.broadcast_arrays(i, rows[:, None], columns[None]), -1).round().astype(np.uint8)
            (tmp_path / side).mkdir(exist_ok=True)
            Image.fromarray(image).save(tmp_path / side / f"{i}.png")
    scale = (Fraction(up, down),) * 2
    settings = DataSettings(load=(12, 16), crop=(8, 8), holdout=1)
    data = opened(tmp_path, settings, size=(8, 8), scale=scale)
    assert data.validation.format.target_size == (8 * up // down,) * 2
    batches = training_batches(data, batch=3, seed=0)
    corners = set()
    for step in range(120):
        batch = batches.at(step)
        assert batch.target_BCHW.shape[2:] == (8 * up // down,) * 2
        means = pixels(batch.input_BCHW).double().mean((2, 3)), pixels(batch.target_BCHW).double().mean((2, 3))
        torch.testing.assert_close(*means, rtol=0, atol=0.6)
        corners |= {tuple(place.tolist()) for place in pixels(batch.input_BCHW).amin((2, 3))[:, 1:]}
    assert len(corners) == (5 // down + down - 1) * (9 // down + down - 1)


def test_sizes_that_do_not_scale_whole_are_refused(tmp_path):
    with pytest.raises(CatError, match="E607") as found:
        opened(tmp_path, DataSettings(load=9, crop=8), size=(8, 8), scale=(Fraction(1, 2), Fraction(1, 2)))
    assert "multiples of 2" in found.value.diagnostics[0].help


def test_crop_and_flip_are_joint_and_use_all_places(coordinates):
    batches = training_batches(coordinates, batch=2, seed=0)
    seen = [place for step in range(150) for place in places(batches.at(step))]
    assert {top for _, top, _, _ in seen} == set(range(5))
    assert {left for _, _, left, _ in seen} == set(range(6))
    assert 0.35 < np.mean([mirrored for *_, mirrored in seen]) < 0.65


def test_no_flip_where_none_is_wanted(coordinates):
    batches = training_batches(replace(coordinates, flip=False), batch=2, seed=0)
    assert not any(mirrored for step in range(30) for *_, mirrored in places(batches.at(step)))


def test_an_epoch_shows_each_image_once_and_drops_the_rest(coordinates):
    batches = training_batches(coordinates, batch=2, seed=3)
    assert batches.steps_per_epoch == 2
    epochs = [[p[0] for s in (2 * e, 2 * e + 1) for p in places(batches.at(s))] for e in range(20)]
    assert all(len(set(epoch)) == 4 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 10
    assert {image for epoch in epochs for image in epoch} == set(range(5))


def test_a_batch_depends_on_seed_and_step_only(coordinates):
    batches, again = (training_batches(coordinates, batch=2, seed=7) for _ in range(2))
    forward = [batches.at(step) for step in range(6)]
    torch.manual_seed(5)
    np.random.seed(5)
    for step in (5, 0, 3):
        assert torch.equal(again.at(step).input_BCHW, forward[step].input_BCHW)
        assert torch.equal(again.at(step).target_BCHW, forward[step].target_BCHW)
    other = training_batches(coordinates, batch=2, seed=8)
    assert any(places(other.at(s)) != places(batches.at(s)) for s in range(3))


def test_validation_is_in_order_and_as_it_is(coordinates):
    batches = list(plain_batches(coordinates.train, batch=2))
    assert [len(b) for b in batches] == [2, 2, 1]
    shown = pixels(torch.cat([b.input_BCHW for b in batches]))
    assert shown[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert shown.shape == (5, 3, 12, 14)


def test_too_few_images_for_a_batch(coordinates):
    with pytest.raises(CatError, match=r"E601\]: 5 training pairs cannot fill a batch of 6"):
        training_batches(coordinates, batch=6, seed=0)


def test_tensors_are_float_in_range(paired):
    batch = training_batches(paired, batch=3, seed=0).at(0)
    assert batch.input_BCHW.shape == batch.target_BCHW.shape == (3, 3, 32, 32)
    assert batch.input_BCHW.dtype == torch.float32
    assert batch.input_BCHW.min() >= -1
    assert batch.target_BCHW.max() <= 1
