"""Quality and time of a generator, against numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.sides import Side
from catdsl.train.validation import input_quality, mean_image_quality, measure_quality, measure_time
from tests.train.opened import opened
from tests.train.tiny_networks import TinyGenerator


class Constant(nn.Module):
    def __init__(self, level):
        super().__init__()
        self.level = level / 127.5 - 1

    def forward(self, x_BCHW):
        return torch.full_like(x_BCHW, self.level)


@pytest.fixture
def flat(tmp_path):
    """Targets of one level each: 0, 51, 102 for training, 153 and 255 for validation; inputs of 51."""
    for i, level in enumerate((0, 51, 102, 153, 255)):
        image = np.full((8, 16, 3), 51, np.uint8)
        image[:, 8:] = level
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    return opened(tmp_path, DataSettings(holdout=2), size=(8, 8))


def test_l1_and_psnr_are_on_the_scale_of_zero_to_one(flat):
    quality = measure_quality(Constant(102), flat.validation, batch=1)
    assert quality.images == 2
    assert quality.l1 == pytest.approx((0.2 + 0.6) / 2)
    assert quality.psnr == pytest.approx((-20 * math.log10(0.2) - 20 * math.log10(0.6)) / 2, rel=1e-5)


def test_batches_make_no_difference(paired):
    generator = TinyGenerator()
    one, all_at_once = (measure_quality(generator, paired.validation, batch=b) for b in (1, 8))
    assert one.l1 == pytest.approx(all_at_once.l1, rel=1e-6)
    assert one.psnr == pytest.approx(all_at_once.psnr, rel=1e-6)


def test_an_exact_copy_counts_as_100_decibels(flat):
    assert measure_quality(Constant(255), flat.validation).psnr == pytest.approx(
        (100 - 20 * math.log10(0.4)) / 2, rel=1e-5
    )


def test_baselines(flat):
    assert mean_image_quality(flat).l1 == pytest.approx((0.4 + 0.8) / 2)
    assert input_quality(flat).l1 == pytest.approx((0.4 + 0.8) / 2)
    assert mean_image_quality(flat).images == 2


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
    assert mean_image_quality(paired).l1 == pytest.approx(np.abs(valid - mean).mean() / 255, rel=1e-4)


@pytest.mark.parametrize(("channels", "made"), [(1, 3), (3, 1)])
def test_the_input_as_answer_when_channels_differ(scenes, channels, made):
    data = opened(scenes, DataSettings(), size=(32, 32), source=Side(channels), target=Side(made))
    pairs = data.validation.read(range(3))
    grey = [np.abs(i.astype(float).mean(-1, keepdims=True) - t).mean() / 255 for i, t in pairs]
    assert input_quality(data).l1 == pytest.approx(np.mean(grey), rel=1e-5)


def test_measuring_changes_neither_mode_nor_statistics(paired):
    generator = TinyGenerator()
    generator.last.eval()
    before = {k: v.clone() for k, v in generator.state_dict().items()}
    measure_quality(generator, paired.validation)
    measure_time(generator, channels=3, size=(32, 32), runs=1)
    assert (generator.training, generator.norm.training, generator.last.training) == (True, True, False)
    assert all(torch.equal(v, before[k]) for k, v in generator.state_dict().items())


def test_time():
    runs = []
    generator = TinyGenerator()
    generator.register_forward_hook(lambda *_: runs.append(torch.is_grad_enabled()))
    timing = measure_time(generator, channels=3, size=(16, 24), runs=4)
    assert runs == [False] * 7
    assert timing.milliseconds > 0
    assert (timing.runs, timing.size, timing.threads, timing.device) == (4, (16, 24), 1, "cpu")


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
