"""Paired metrics of generators and baselines, against numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from catdsl.diagnostics import CatError
from catdsl.evaluate.quality import (
    compare_pairs,
    input_quality,
    mean_image_quality,
    measure_likeness,
    measure_quality,
)
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.scenes import write_scenes
from catdsl.train.data.sides import Side
from tests.train.opened import opened
from tests.train.tiny_networks import TinyGenerator


class Constant(nn.Module):
    def __init__(self, level):
        super().__init__()
        self.level = level / 127.5 - 1

    def forward(self, x_BCHW):
        return torch.full_like(x_BCHW, self.level)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """10 training and 3 validation scenes of 32 x 32."""
    folder = tmp_path_factory.mktemp("data") / "scenes"
    return write_scenes(folder, count=10, size=(32, 32), seed=1, validation=3)


@pytest.fixture(scope="module")
def paired(scenes):
    return opened(scenes, DataSettings(load=36, crop=32), size=(32, 32))


@pytest.fixture
def flat(tmp_path):
    """Targets of one level each: 0, 51, 102 for training, 153 and 255 for validation; inputs of 51."""
    for i, level in enumerate((0, 51, 102, 153, 255)):
        image = np.full((8, 16, 3), 51, np.uint8)
        image[:, 8:] = level
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    return opened(tmp_path, DataSettings(holdout=2), size=(8, 8))


def test_l1_and_psnr_are_on_the_scale_of_zero_to_one(flat):
    values = measure_quality(Constant(102), flat.validation, batch=1)
    assert values.l1_N == pytest.approx([0.2, 0.6])
    assert values.psnr_N == pytest.approx([-20 * math.log10(0.2), -20 * math.log10(0.6)], rel=1e-5)
    means = values.means
    assert (means.images, means.l1, means.psnr) == (2, values.l1_N.mean(), values.psnr_N.mean())


def test_batches_make_no_difference(paired):
    generator = TinyGenerator()
    one, all_at_once = (measure_quality(generator, paired.validation, batch=b, ssim=True) for b in (1, 8))
    for name in ("l1_N", "psnr_N", "ssim_N"):
        assert getattr(one, name) == pytest.approx(getattr(all_at_once, name), rel=1e-5)


def test_an_exact_copy_counts_as_100_decibels(flat):
    assert measure_quality(Constant(255), flat.validation).psnr_N == pytest.approx(
        [-20 * math.log10(0.4), 100], rel=1e-5
    )


def test_what_lies_outside_is_clipped():
    white = torch.ones(1, 3, 12, 12)
    values = compare_pairs([(3 * white, white)], ssim=True)
    assert (values.l1_N.item(), values.psnr_N.item()) == (0, 100)
    assert values.ssim_N == pytest.approx([1])


def test_baselines(flat):
    assert mean_image_quality(flat).l1_N == pytest.approx([0.4, 0.8])
    assert input_quality(flat).l1_N == pytest.approx([0.4, 0.8])
    assert mean_image_quality(flat).means.images == 2


def test_likeness_takes_the_other_network_as_the_truth(flat):
    values = measure_likeness(flat.validation, Constant(51), Constant(102), batch=1)
    assert values.l1_N == pytest.approx([0.2, 0.2])


def test_the_mean_image_is_that_of_training_at_another_load_size(paired):
    targets = np.stack([t for _, t in paired.train.read(range(10))]).astype(float)
    assert targets.shape[1:3] == (36, 36)
    valid = np.stack([t for _, t in paired.validation.read(range(3))]).astype(float)
    mean = np.asarray(
        [
            np.asarray(Image.fromarray(p.astype(np.float32)).resize((32, 32), 3))
            for p in targets.mean(0).transpose(2, 0, 1)
        ]
    ).transpose(1, 2, 0)
    expected = np.abs(valid - mean).mean((1, 2, 3)) / 255
    assert mean_image_quality(paired).l1_N == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("channels", "made"), [(1, 3), (3, 1)])
def test_the_input_as_answer_when_channels_differ(scenes, channels, made):
    data = opened(scenes, DataSettings(), size=(32, 32), source=Side(channels), target=Side(made))
    pairs = data.validation.read(range(3))
    grey = [np.abs(i.astype(float).mean(-1, keepdims=True) - t).mean() / 255 for i, t in pairs]
    values = input_quality(data, ssim=True)
    assert values.l1_N == pytest.approx(grey, rel=1e-5)
    assert values.ssim_N.shape == (3,)


def test_measuring_changes_neither_mode_nor_statistics(paired):
    generator = TinyGenerator()
    generator.last.eval()
    before = {k: v.clone() for k, v in generator.state_dict().items()}
    measure_quality(generator, paired.validation)
    assert (generator.training, generator.norm.training, generator.last.training) == (True, True, False)
    assert all(torch.equal(v, before[k]) for k, v in generator.state_dict().items())


def test_without_ssim_it_says_why(paired, flat):
    left_out = measure_quality(TinyGenerator(), paired.validation)
    assert (left_out.ssim_N, left_out.without_ssim) == (None, "it was not asked for")
    small = measure_quality(Constant(102), flat.validation, ssim=True)
    assert small.ssim_N is None
    assert small.without_ssim == "images of 8x8 are smaller than its window of 11x11 pixels"
    assert len(small.l1_N) == 2


def test_no_validation_pairs(scenes, tmp_path):
    (tmp_path / "train").symlink_to(scenes / "train")
    data = opened(tmp_path, DataSettings(holdout=0), size=(32, 32))
    for measure in (
        mean_image_quality,
        input_quality,
        lambda d: measure_quality(TinyGenerator(), d.validation),
    ):
        with pytest.raises(CatError, match=r"E601.*no validation pairs"):
            measure(data)


def test_pairs_that_are_none():
    with pytest.raises(CatError, match=r"E601.*no pairs of images"):
        compare_pairs([])
    # Without the guard the grey image would silently be compared with each channel.
    with pytest.raises(CatError, match=r"E607.*made images of 2 x 1 x 8 x 8 .* true ones of 2 x 3 x 8 x 8"):
        compare_pairs([(torch.zeros(2, 1, 8, 8), torch.zeros(2, 3, 8, 8))])
