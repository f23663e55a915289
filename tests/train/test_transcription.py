"""The transcription of the papers against numbers worked out by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from tests.train import transcription as t


def number(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def pixel(*channels: float) -> Tensor:
    """One pixel of one sample: 1 x C x 1 x 1."""
    return number(*channels).reshape(1, -1, 1, 1)


def is_about(value: Tensor | float, expected: float) -> bool:
    return float(torch.as_tensor(value, dtype=torch.float64).detach()) == pytest.approx(expected, abs=1e-7)


class Scale(nn.Module):
    """Multiplies by one weight; judges, or draws, images of one channel."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(number(weight))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x


class Judge(nn.Module):
    """a times the input plus b times the image."""

    def __init__(self, a: float, b: float) -> None:
        super().__init__()
        self.a = nn.Parameter(number(a))
        self.b = nn.Parameter(number(b))

    def forward(self, z: Tensor) -> Tensor:
        return self.a * z[:, :1] + self.b * z[:, 1:]


class TwoScales(nn.Module):
    """Per scale one feature and logits, in the second scale of twice the image; blind to the input."""

    def __init__(self, first: float, last: float) -> None:
        super().__init__()
        self.first = nn.Parameter(number(first))
        self.last = nn.Parameter(number(last))

    def forward(self, z: Tensor) -> list[tuple[list[Tensor], Tensor]]:
        features = [self.first * z[:, 1:], self.first * 2 * z[:, 1:]]
        return [([feature], self.last * feature) for feature in features]


class Tapped(nn.Module):
    """The image is the tap times the second weight, the tap the input times the first; two taps in all."""

    def __init__(self, first: float, second: float) -> None:
        super().__init__()
        self.first = nn.Parameter(number(first))
        self.second = nn.Parameter(number(second))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        tap = self.first * x
        image = self.second * tap
        return image, [tap, image]


def softplus(x: float) -> float:
    return math.log(1 + math.exp(x))


@pytest.mark.parametrize(
    ("gan", "real_term", "fake_term"),
    [
        ("lsgan", (0.5**2 + 2**2) / 2, (1 + 2**2) / 2),
        ("hinge", (0.5 + 0) / 2, (0 + 3) / 2),
        ("vanilla", (softplus(-0.5) + softplus(-3)) / 2, (softplus(-1) + softplus(2)) / 2),
    ],
)
def test_discriminator_loss_of_one_scale(gan: str, real_term: float, fake_term: float) -> None:
    loss = t.discriminator_loss(gan, [number(0.5, 3.0)], [number(-1.0, 2.0)])
    assert is_about(loss, (real_term + fake_term) / 2)


@pytest.mark.parametrize(
    ("gan", "expected"),
    [
        ("lsgan", (4 + 1) / 2),
        ("hinge", -0.5),
        ("vanilla", (softplus(1) + softplus(-2)) / 2),
    ],
)
def test_generator_loss_of_one_scale(gan: str, expected: float) -> None:
    assert is_about(t.generator_loss(gan, [number(-1.0, 2.0)]), expected)


def test_scales_count_alike_whatever_their_sizes() -> None:
    real = [number(1.0, 1.0, 1.0, 1.0), number(0.0)]
    fake = [number(0.0, 0.0, 0.0, 0.0), number(3.0)]
    assert is_about(t.discriminator_loss("lsgan", real, fake), (0 + (1 + 9) / 2) / 2)
    assert is_about(t.discriminator_loss("hinge", real, fake), ((0 + 1) / 2 + (1 + 4) / 2) / 2)
    assert is_about(t.generator_loss("hinge", fake), -1.5)


def test_vanilla_loss_at_even_odds_and_far_out() -> None:
    assert is_about(t.discriminator_loss("vanilla", [number(0.0)], [number(0.0)]), math.log(2))
    assert is_about(t.generator_loss("vanilla", [number(-1000.0)]), 1000.0)


def test_an_unknown_gan_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="wgan"):
        t.generator_loss("wgan", [number(0.0)])
    with pytest.raises(ValueError, match="wgan"):
        t.discriminator_loss("wgan", [number(0.0)], [number(0.0)])


def test_kernel_alignment_of_small_matrices() -> None:
    x = number(1, 0, 0, 1).reshape(2, 2)
    y = number(1, 1).reshape(2, 1)
    assert is_about(t.kernel_alignment(x, y), 2 / (math.sqrt(2) * 2))
    assert is_about(t.kernel_alignment(y, x), 2 / (math.sqrt(2) * 2))
    assert is_about(t.kernel_alignment(x[:, :1], x[:, 1:]), 0.0)
    assert is_about(t.kernel_alignment(x, x), 1.0)
    assert is_about(t.kernel_alignment(x, -3 * x), 1.0)


def test_gka_has_pixels_for_rows_and_channels_for_columns() -> None:
    # Two channels of two pixels: (1, 0) and (0, 1); against one channel (1, 1).
    x = number(1, 0, 0, 1).reshape(1, 2, 1, 2)
    y = number(1, 1).reshape(1, 1, 1, 2)
    assert is_about(t.gka(x, y), 1 / math.sqrt(2))
    assert t.rows_of_pixels(number(1, 2, 3, 4).reshape(1, 2, 1, 2)).tolist() == [[1, 3], [2, 4]]
    # Over samples as over pixels.
    assert is_about(t.gka(x.permute(3, 1, 2, 0), y.permute(3, 1, 2, 0)), 1 / math.sqrt(2))


def test_gcka_is_centred_and_gka_is_not() -> None:
    x = number(1, 2, 3).reshape(1, 1, 1, 3)
    y = number(1, 0, 1).reshape(1, 1, 1, 3)
    assert is_about(t.gka(x, y), 4**2 / (14 * 2))
    assert is_about(t.gcka(x, y), 0.0)
    assert is_about(t.gcka(x, x + 7), 1.0)


def test_ka_has_whole_samples_for_rows() -> None:
    # Sample 1 is (1, 0), sample 2 is (0, 1): X is the unit matrix, Y one column of ones.
    x = number(1, 0, 0, 1).reshape(2, 1, 1, 2)
    y = number(1, 1).reshape(2, 1, 1, 1)
    assert is_about(t.ka(x, y), 1 / math.sqrt(2))
    # One sample alone says nothing.
    assert is_about(t.ka(number(1, 2, 3, 4).reshape(1, 2, 1, 2), number(5, -6).reshape(1, 1, 1, 2)), 1.0)


def test_alignments_are_invariant_to_rotation_of_channels() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(2, 3, 4, 5, generator=generator, dtype=torch.float64) + 0.3 for _ in range(2))
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64))
    turned = torch.einsum("ij,bjhw->bihw", rotation, x)
    for alignment in t.ALIGNMENTS.values():
        assert is_about(alignment(turned, y), float(alignment(x, y)))


def test_alignment_loss_is_minus_the_sum_over_taps() -> None:
    x = number(1, 0, 0, 1).reshape(1, 2, 1, 2)
    y = number(1, 1).reshape(1, 1, 1, 2)
    assert is_about(t.alignment_loss("gka", [x, x], [x, y]), -1 - 1 / math.sqrt(2))


def test_mse_loss_sums_over_taps_and_adapts_the_student() -> None:
    teacher = [number(1, 2), number(3)]
    student = [number(0, 0), number(1)]
    assert is_about(t.mse_loss(teacher, student, [lambda z: z, lambda z: 2 * z]), 5 / 2 + 1)


def test_feature_matching_sums_over_layers_and_averages_over_scales() -> None:
    real = [[number(1, 3), number(0)], [number(5), number(5)]]
    fake = [[number(0, 0), number(4)], [number(4), number(5)]]
    assert is_about(t.feature_matching_loss(real, fake), ((2 + 4) + (1 + 0)) / 2)


def test_real_features_are_constants() -> None:
    real = [number(float(i)).requires_grad_() for i in range(5)]
    fake = [number(1.5).requires_grad_() for _ in range(5)]
    (t.feature_matching_loss([real], [fake]) + t.perceptual_loss(fake, real)).backward()
    assert [feature.grad for feature in real] == [None] * 5
    assert [feature.grad.item() for feature in fake] == [
        1 + 1 / 32, 1 + 1 / 16, -1 - 1 / 8, -1 - 1 / 4, -2.0,
    ]  # fmt: skip


def test_perceptual_loss_weighs_deep_layers_most() -> None:
    zeros = [number(0, 0)] * 5
    assert is_about(t.perceptual_loss([number(32, 32), *zeros[1:]], zeros), 1.0)
    assert is_about(t.perceptual_loss([number(1, -1)] * 5, zeros), 1 / 32 + 1 / 16 + 1 / 8 + 1 / 4 + 1)


def test_adam_is_pytorchs_over_several_steps() -> None:
    ours, theirs = Judge(0.3, -0.7), Judge(0.3, -0.7)
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01, betas=(0.5, 0.999))
    memory: t.Memory = {}
    for step in range(4):
        z = pixel(1.0 + step, -0.5)
        t.adam((ours(z) - 1).pow(2).sum(), ours.parameters(), lr=0.01, betas=(0.5, 0.999), memory=memory)
        optimizer.zero_grad()
        (theirs(z) - 1).pow(2).sum().backward()
        optimizer.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)
        assert one.grad is None


def test_adam_leaves_what_the_loss_does_not_depend_on() -> None:
    judge = Judge(1.0, 1.0)
    t.adam(judge.a.sum(), judge.parameters(), lr=0.1, betas=(0.5, 0.999), memory={})
    assert is_about(judge.a, 0.9)
    assert is_about(judge.b, 1.0)


# The first step of Adam moves a weight by the learning rate, against the sign of its gradient.


def test_pix2pix_step() -> None:
    G, D = Scale(1.0), Judge(0.0, 1.0)
    losses = t.pix2pix_step(
        G, D, pixel(2.0), pixel(3.0), gan="lsgan", gan_weight=0.5, recon=100, lr=0.1, betas=(0.5, 0.999)
    )
    # Before: logits 3 and 2. After: a = -0.1, b = 0.9, so the made-up 2 gets -0.2 + 1.8 = 1.6.
    assert losses == pytest.approx({"discriminator": 4.0, "gan": 0.36, "recon": 1.0, "total": 100.18})
    assert [is_about(D.a, -0.1), is_about(D.b, 0.9), is_about(G.weight, 1.1)] == [True] * 3


def test_two_pix2pix_steps_share_adams_moments() -> None:
    G, D = Scale(1.0), Judge(0.0, 1.0)
    memory: t.Memory = {}
    for _ in range(2):
        t.pix2pix_step(
            G, D, pixel(2.0), pixel(3.0), gan="hinge", gan_weight=1, recon=1, lr=0.1, betas=(0.5, 0.9), memory=memory
        )
    assert [step for step, _, _ in memory.values()] == [2, 2, 2]


def test_cyclegan_step() -> None:
    G, F, D_target, D_source = Scale(2.0), Scale(1.0), Scale(1.0), Scale(1.0)
    losses = t.cyclegan_step(
        G, F, D_target, D_source, pixel(1.0), pixel(3.0),
        gan="lsgan", gan_weight=1, cycle=10, identity=0.5, lr=0.1, betas=(0.5, 0.999),
    )  # fmt: skip
    # G(1) = 2 and F(3) = 3. Target: (2^2 + 2^2) / 2; source: (0 + 3^2) / 2. Then both judges weigh 0.9.
    assert losses == pytest.approx(
        {
            "discriminator": 4 + 4.5,
            "gan": 0.8**2 + 1.7**2,
            "cycle": abs(2 - 1) + abs(6 - 3),
            "identity": abs(6 - 3) + abs(1 - 1),
            "total": 3.53 + 10 * 4 + 10 * 0.5 * 3,
        }
    )
    assert [module.weight.item() for module in (G, F, D_target, D_source)] == pytest.approx([1.9, 0.9, 0.9, 0.9])


def test_cyclegan_step_without_identity() -> None:
    G, F, D_target, D_source = Scale(2.0), Scale(1.0), Scale(1.0), Scale(1.0)
    losses = t.cyclegan_step(
        G, F, D_target, D_source, pixel(1.0), pixel(3.0),
        gan="lsgan", gan_weight=1, cycle=10, identity=0, lr=0.1, betas=(0.5, 0.999),
    )  # fmt: skip
    assert losses["identity"] == 0
    assert is_about(losses["total"], 43.53)


@pytest.mark.parametrize(("perceptual_weight", "total"), [(0.0, 13.095), (2.0, 15.095)])
def test_gaugan_step(perceptual_weight: float, total: float) -> None:
    G, D = Scale(1.0), TwoScales(1.0, 0.25)
    losses = t.gaugan_step(
        G, D, pixel(2.0), pixel(3.0),
        feature_matching=10, perceptual=t.l1 if perceptual_weight else None, perceptual_weight=perceptual_weight,
        gan_weight=1, lr_generator=0.01, lr_discriminator=0.1, betas=(0.0, 0.9),
    )  # fmt: skip
    # Before: logits 0.75 and 1.5 for real, 0.5 and 1 for made-up. After: first = 0.9, last = 0.15.
    assert losses == pytest.approx(
        {
            "discriminator": ((0.25 + 1.5) / 2 + (0 + 2) / 2) / 2,
            "gan": -(0.27 + 0.54) / 2,
            "feature_matching": (0.9 + 1.8) / 2,
            "perceptual": 1.0 if perceptual_weight else 0.0,
            "total": total,
        }
    )
    assert [is_about(D.first, 0.9), is_about(D.last, 0.15), is_about(G.weight, 1.01)] == [True] * 3


def test_distillation_step_by_alignment() -> None:
    teacher, student, D = Tapped(1.0, 4.0), Tapped(1.0, 1.0), Judge(0.0, 1.0)
    losses = t.distillation_step(
        teacher, student, D, pixel(2.0), pixel(3.0),
        conditional=True, gan="lsgan", gan_weight=1, recon=10, recon_to="teacher",
        similarity="gka", weight=0.5, lr=0.1, betas=(0.5, 0.999),
    )  # fmt: skip
    # As in pix2pix, but towards the teacher's 8; with one channel the two alignments are 1.
    assert losses == pytest.approx(
        {"discriminator": 4.0, "gan": 0.36, "recon": 6.0, "alignment": -2.0, "total": 0.36 + 60 - 1}
    )
    assert [is_about(student.first, 1.1), is_about(student.second, 1.1)] == [True] * 2
    assert [is_about(teacher.first, 1.0), is_about(teacher.second, 4.0)] == [True] * 2
    assert not teacher.training


def test_distillation_step_by_squared_errors() -> None:
    teacher, student, D = Tapped(1.0, 4.0), Tapped(1.0, 1.0), Scale(1.0)
    adapters = [Scale(2.0), Scale(1.0)]
    losses = t.distillation_step(
        teacher, student, D, pixel(2.0), pixel(3.0),
        conditional=False, gan="lsgan", gan_weight=1, recon=10, recon_to="target",
        similarity="mse", weight=0.5, lr=0.1, betas=(0.5, 0.999), adapters=adapters,
    )  # fmt: skip
    # Taps 2 and 8 of the teacher; the student's 2 and 2 become 4 and 2. D: (2^2 + 2^2) / 2, then weighs 0.9.
    assert losses == pytest.approx(
        {"discriminator": 4.0, "gan": 0.64, "recon": 1.0, "alignment": 4.0 + 36.0, "total": 0.64 + 10 + 20}
    )
    assert [adapter.weight.item() for adapter in adapters] == pytest.approx([1.9, 1.1])


def test_the_teacher_of_a_distillation_keeps_its_running_statistics() -> None:
    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(2).double()

        def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
            image = self.norm(x)
            return image, [image]

    teacher, student = Normed(), Normed()
    x = torch.arange(16, dtype=torch.float64).reshape(2, 2, 2, 2)
    t.distillation_step(
        teacher, student, Scale(1.0), x, -x,
        conditional=False, gan="hinge", gan_weight=1, recon=1, recon_to="teacher",
        similarity="gcka", weight=1, lr=0.1, betas=(0.5, 0.999),
    )  # fmt: skip
    assert teacher.norm.running_mean.tolist() == [0, 0]
    assert student.norm.running_mean.tolist() == pytest.approx([0.55, 0.95])


def test_the_pool_fills_then_swaps_as_told() -> None:
    images = [number(float(i)) for i in range(6)]
    pool = t.Pool(2)
    dice = [(True, 0), (True, 1), (False, 0), (True, 1), (True, 1), (True, 0)]
    shown = [pool.draw(image, swap=swap, place=place).item() for image, (swap, place) in zip(images, dice, strict=True)]
    assert shown == [0, 1, 2, 1, 3, 0]
    assert [image.item() for image in pool.stored] == [5, 4]


def test_a_pool_of_size_0_shows_the_new_image() -> None:
    assert t.Pool(0).draw(number(7.0), swap=True, place=0).item() == 7


def test_linear_decay() -> None:
    factors = [t.constant_then_linear(1, 2, 2, step) for step in range(7)]
    assert factors == [1, 1, 1, 0.75, 0.5, 0.25, 0]


def test_cosine_decay() -> None:
    factors = [t.constant_then_cosine(1, 2, 2, step) for step in range(7)]
    half = math.sqrt(0.5) / 2
    assert factors == pytest.approx([1, 1, 1, 0.5 + half, 0.5, 0.5 - half, 0])


@pytest.mark.parametrize("schedule", [t.constant_then_linear, t.constant_then_cosine])
def test_without_epochs_of_decay_the_rate_is_constant_to_the_end(schedule) -> None:
    assert [schedule(2, 0, 3, step) for step in range(7)] == [1] * 6 + [0]


def test_moving_average_begins_with_the_weights_after_the_first_step() -> None:
    average = None
    for weight in (1.0, 2.0, 4.0):
        average = t.moving_average(average, {"w": number(weight)}, decay=0.75)
    assert average["w"].item() == 0.75 * (0.75 * 1 + 0.25 * 2) + 0.25 * 4
