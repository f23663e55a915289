"""Losses, schedules and single optimisation steps, transcribed from the papers' formulas in plain tensor operations.

A yardstick: it is slow, unguarded, works in float64 as in float32, and shares no code with the package, so that the
package can be compared with it. What each part transcribes:

- adversarial losses: Goodfellow et al. 2014, eq. 1 and section 3 (vanilla; the generator maximises log D(G(z)), the
  non-saturating form); Mao et al. 2017 (least squares, labels a = 0, b = c = 1), written as in CycleGAN, section 4,
  where the generator's term is E[(D(G(x)) - 1)^2]; Lim and Ye 2017 and Miyato et al. 2018, eqs. 16 and 17 (hinge).
- half the objective for the discriminator: pix2pix (Isola et al. 2017), section 3.3; CycleGAN (Zhu et al. 2017), its
  appendix on training details.
- several scales: pix2pixHD (Wang et al. 2018), eq. 3; SPADE (Park et al. 2019), section 3. Here the mean over scales.
- feature matching: pix2pixHD, eq. 4. Perceptual loss: Johnson et al. 2016, eq. 2 (feature reconstruction), in
  pix2pixHD's form (absolute differences, weighed 1/32 to 1).
- the sums of terms: pix2pix, eq. 4; CycleGAN, eq. 3 and, for the identity term, section 5.2; pix2pixHD, eq. 5, with
  SPADE's hinge; CAT (Jin et al. 2021), its section on knowledge distillation.
- kernel alignment: CAT; centred, it is linear CKA (Kornblith et al. 2019, section 3).
- image history: Shrivastava et al. 2017, section 2.3; CycleGAN, section 4.
- Adam: Kingma and Ba 2015, algorithm 1. Linear decay: CycleGAN, section 4. Cosine: Loshchilov and Hutter 2017, eq. 5,
  without restarts. Average of weights: Yaz et al. 2019 (exponential moving average).

Letters: B batch, C channels, H height, W width, N rows, P columns.

In every step the discriminator moves first, then the generator against the moved discriminator, both on the same
made-up images. A step returns each term before its weight, and `total`, the weighed sum that the generator descends.
Modes (train, eval) are the caller's, except that a distillation puts its teacher into eval mode.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

# Of each parameter: number of steps, first moment, second moment.
Memory = dict[nn.Parameter, tuple[int, Tensor, Tensor]]

VGG_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


# Adversarial losses; logits are a list with one tensor per scale.


def discriminator_loss(gan: str, logits_real: Sequence[Tensor], logits_fake: Sequence[Tensor]) -> Tensor:
    """Per scale half the sum of the term of the real and the term of the made-up images; then the mean over scales."""
    per_scale = []
    for real, fake in zip(logits_real, logits_fake, strict=True):
        zero = torch.zeros((), dtype=real.dtype)
        if gan == "lsgan":
            real_term = ((real - 1) ** 2).mean()
            fake_term = (fake**2).mean()
        elif gan == "hinge":
            real_term = torch.maximum(zero, 1 - real).mean()
            fake_term = torch.maximum(zero, 1 + fake).mean()
        elif gan == "vanilla":
            # -log sigmoid(z) = log(1 + exp(-z)) and -log(1 - sigmoid(z)) = log(1 + exp(z))
            real_term = torch.logaddexp(zero, -real).mean()
            fake_term = torch.logaddexp(zero, fake).mean()
        else:
            raise ValueError(gan)
        per_scale.append((real_term + fake_term) / 2)
    return sum(per_scale) / len(per_scale)


def generator_loss(gan: str, logits_fake: Sequence[Tensor]) -> Tensor:
    """Mean over scales; not halved."""
    per_scale = []
    for fake in logits_fake:
        if gan == "lsgan":
            per_scale.append(((fake - 1) ** 2).mean())
        elif gan == "hinge":
            per_scale.append(-fake.mean())
        elif gan == "vanilla":
            per_scale.append(torch.logaddexp(torch.zeros((), dtype=fake.dtype), -fake).mean())
        else:
            raise ValueError(gan)
    return sum(per_scale) / len(per_scale)


# Kernel alignment.


def frobenius(x_NP: Tensor) -> Tensor:
    return (x_NP**2).sum() ** 0.5


def kernel_alignment(x_NP: Tensor, y_NP: Tensor) -> Tensor:
    """||Y^T X||_F^2 / (||X^T X||_F ||Y^T Y||_F); not a number if either matrix is zero."""
    return frobenius(y_NP.T @ x_NP) ** 2 / (frobenius(x_NP.T @ x_NP) * frobenius(y_NP.T @ y_NP))


def rows_of_pixels(x_BCHW: Tensor) -> Tensor:
    """(B H W) x C."""
    return x_BCHW.permute(0, 2, 3, 1).reshape(-1, x_BCHW.shape[1])


def centred(x_NP: Tensor) -> Tensor:
    """Each column minus its mean."""
    return x_NP - x_NP.mean(dim=0, keepdim=True)


def gka(x_BCHW: Tensor, y_BCHW: Tensor) -> Tensor:
    return kernel_alignment(rows_of_pixels(x_BCHW), rows_of_pixels(y_BCHW))


def gcka(x_BCHW: Tensor, y_BCHW: Tensor) -> Tensor:
    return kernel_alignment(centred(rows_of_pixels(x_BCHW)), centred(rows_of_pixels(y_BCHW)))


def ka(x_BCHW: Tensor, y_BCHW: Tensor) -> Tensor:
    """Rows are whole samples: B x (C H W), uncentred."""
    return kernel_alignment(x_BCHW.reshape(x_BCHW.shape[0], -1), y_BCHW.reshape(y_BCHW.shape[0], -1))


ALIGNMENTS = {"gka": gka, "gcka": gcka, "ka": ka}


def alignment_loss(similarity: str, taps_teacher: Sequence[Tensor], taps_student: Sequence[Tensor]) -> Tensor:
    """Minus the sum of the alignments over taps."""
    loss = 0.0
    for teacher, student in zip(taps_teacher, taps_student, strict=True):
        loss = loss - ALIGNMENTS[similarity](student, teacher)
    return loss


def mse_loss(
    taps_teacher: Sequence[Tensor], taps_student: Sequence[Tensor], adapters: Sequence[Callable[[Tensor], Tensor]]
) -> Tensor:
    """Sum over taps of the mean squared error between the teacher's tap and the adapted one of the student."""
    loss = 0.0
    for teacher, student, adapter in zip(taps_teacher, taps_student, adapters, strict=True):
        loss = loss + ((adapter(student) - teacher) ** 2).mean()
    return loss


# Losses between features.


def l1(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().mean()


def feature_matching_loss(
    features_real: Sequence[Sequence[Tensor]], features_fake: Sequence[Sequence[Tensor]]
) -> Tensor:
    """Mean over scales of the sum over layers (not logits) of mean absolute differences; real ones are constants."""
    per_scale = []
    for layers_real, layers_fake in zip(features_real, features_fake, strict=True):
        loss = 0.0
        for real, fake in zip(layers_real, layers_fake, strict=True):
            loss = loss + l1(fake, real.detach())
        per_scale.append(loss)
    return sum(per_scale) / len(per_scale)


def perceptual_loss(features_made: Sequence[Tensor], features_real: Sequence[Tensor]) -> Tensor:
    """Weighed L1 of VGG-19's features after relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1; real ones are constants."""
    loss = 0.0
    for weight, made, real in zip(VGG_WEIGHTS, features_made, features_real, strict=True):
        loss = loss + weight * l1(made, real.detach())
    return loss


# Optimisation.


def adam(
    loss: Tensor,
    parameters: Iterable[nn.Parameter],
    *,
    lr: float,
    betas: tuple[float, float],
    memory: Memory,
    epsilon: float = 1e-8,
) -> None:
    """One update in place; parameters that the loss does not depend on stay, and so do their moments."""
    beta1, beta2 = betas
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    gradients = torch.autograd.grad(loss, trained, allow_unused=True)
    for parameter, gradient in zip(trained, gradients, strict=True):
        if gradient is None:
            continue
        step, first, second = memory.get(parameter, (0, torch.zeros_like(gradient), torch.zeros_like(gradient)))
        step = step + 1
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * gradient**2
        memory[parameter] = (step, first, second)
        first_unbiased = first / (1 - beta1**step)
        second_unbiased = second / (1 - beta2**step)
        with torch.no_grad():
            parameter -= lr * first_unbiased / (second_unbiased**0.5 + epsilon)


def parameters_of(*modules: nn.Module) -> list[nn.Parameter]:
    return [parameter for module in modules for parameter in module.parameters()]


def numbers(**losses: Tensor | float) -> dict[str, float]:
    return {name: float(torch.as_tensor(loss, dtype=torch.float64).detach()) for name, loss in losses.items()}


def beside(x: Tensor, image: Tensor) -> Tensor:
    """What a conditional discriminator sees: the input, then the image, along channels."""
    return torch.cat((x, image), dim=1)


# One step of each system. Hand the same `memory` to every step of a run: it holds Adam's moments.


def pix2pix_step(
    G: nn.Module,
    D: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    gan: str,
    gan_weight: float,
    recon: float,
    lr: float,
    betas: tuple[float, float],
    memory: Memory | None = None,
) -> dict[str, float]:
    memory = {} if memory is None else memory
    made = G(x)

    discriminator = discriminator_loss(gan, [D(beside(x, y))], [D(beside(x, made.detach()))])
    adam(discriminator, D.parameters(), lr=lr, betas=betas, memory=memory)

    gan_term = generator_loss(gan, [D(beside(x, made))])
    recon_term = l1(made, y)
    total = gan_weight * gan_term + recon * recon_term
    adam(total, G.parameters(), lr=lr, betas=betas, memory=memory)
    return numbers(discriminator=discriminator, gan=gan_term, recon=recon_term, total=total)


def cyclegan_step(
    G: nn.Module,
    F: nn.Module,
    D_target: nn.Module,
    D_source: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    gan: str,
    gan_weight: float,
    cycle: float,
    identity: float,
    lr: float,
    betas: tuple[float, float],
    memory: Memory | None = None,
) -> dict[str, float]:
    """G maps source to target, F back; `identity` is relative to `cycle`; no image history."""
    memory = {} if memory is None else memory
    made_y = G(x)
    made_x = F(y)

    of_target = discriminator_loss(gan, [D_target(y)], [D_target(made_y.detach())])
    of_source = discriminator_loss(gan, [D_source(x)], [D_source(made_x.detach())])
    discriminator = of_target + of_source
    adam(discriminator, parameters_of(D_target, D_source), lr=lr, betas=betas, memory=memory)

    gan_term = generator_loss(gan, [D_target(made_y)]) + generator_loss(gan, [D_source(made_x)])
    cycle_term = l1(F(made_y), x) + l1(G(made_x), y)
    # Without the term its images are not made: source and target may then differ in channels.
    identity_term = l1(G(y), y) + l1(F(x), x) if identity else 0.0
    total = gan_weight * gan_term + cycle * cycle_term + cycle * identity * identity_term
    adam(total, parameters_of(G, F), lr=lr, betas=betas, memory=memory)
    return numbers(discriminator=discriminator, gan=gan_term, cycle=cycle_term, identity=identity_term, total=total)


def gaugan_step(
    G: nn.Module,
    D: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    feature_matching: float,
    perceptual: Callable[[Tensor, Tensor], Tensor] | None,
    perceptual_weight: float,
    gan_weight: float,
    lr_generator: float,
    lr_discriminator: float,
    betas: tuple[float, float],
    memory: Memory | None = None,
) -> dict[str, float]:
    """Hinge; D returns, per scale, (features, logits). Real and made-up images pass through D one after the other."""
    memory = {} if memory is None else memory
    made = G(x)

    of_real = D(beside(x, y))
    of_fake = D(beside(x, made.detach()))
    discriminator = discriminator_loss("hinge", [logits for _, logits in of_real], [logits for _, logits in of_fake])
    adam(discriminator, D.parameters(), lr=lr_discriminator, betas=betas, memory=memory)

    of_fake = D(beside(x, made))
    with torch.no_grad():
        of_real = D(beside(x, y))
    gan_term = generator_loss("hinge", [logits for _, logits in of_fake])
    matching_term = feature_matching_loss([features for features, _ in of_real], [features for features, _ in of_fake])
    perceptual_term = 0.0 if perceptual is None else perceptual(made, y)
    total = gan_weight * gan_term + feature_matching * matching_term + perceptual_weight * perceptual_term
    adam(total, G.parameters(), lr=lr_generator, betas=betas, memory=memory)
    return numbers(
        discriminator=discriminator,
        gan=gan_term,
        feature_matching=matching_term,
        perceptual=perceptual_term,
        total=total,
    )


def distillation_step(
    teacher: nn.Module,
    student: nn.Module,
    D: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    conditional: bool,
    gan: str,
    gan_weight: float,
    recon: float,
    recon_to: str,
    similarity: str,
    weight: float,
    lr: float,
    betas: tuple[float, float],
    adapters: Sequence[nn.Module] | None = None,
    memory: Memory | None = None,
) -> dict[str, float]:
    """Both networks return (image, taps); `similarity` is gka, gcka, ka or mse, and adapters belong to mse only.

    `alignment` is the term that `weight` multiplies: minus the sum of alignments, or the sum of mean squared errors.
    """
    memory = {} if memory is None else memory
    teacher.eval()
    with torch.no_grad():
        image_teacher, taps_teacher = teacher(x)
    made, taps_student = student(x)

    def seen(image: Tensor) -> Tensor:
        return beside(x, image) if conditional else image

    discriminator = discriminator_loss(gan, [D(seen(y))], [D(seen(made.detach()))])
    adam(discriminator, D.parameters(), lr=lr, betas=betas, memory=memory)

    gan_term = generator_loss(gan, [D(seen(made))])
    recon_term = l1(made, {"target": y, "teacher": image_teacher}[recon_to])
    if similarity == "mse":
        adapters = [nn.Identity() for _ in taps_student] if adapters is None else adapters
        alignment = mse_loss(taps_teacher, taps_student, adapters)
    else:
        adapters = []
        alignment = alignment_loss(similarity, taps_teacher, taps_student)
    total = gan_weight * gan_term + recon * recon_term + weight * alignment
    adam(total, parameters_of(student, *adapters), lr=lr, betas=betas, memory=memory)
    return numbers(discriminator=discriminator, gan=gan_term, recon=recon_term, alignment=alignment, total=total)


class Pool:
    """A history of made-up images, one at a time; the caller throws the dice."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.stored: list[Tensor] = []

    def draw(self, image: Tensor, *, swap: bool, place: int) -> Tensor:
        """What the discriminator is shown for `image`; `swap` (probability 1/2) and `place` count once it is full."""
        if self.size == 0:
            return image
        if len(self.stored) < self.size:
            self.stored.append(image)
            return image
        if not swap:
            return image
        old = self.stored[place]
        self.stored[place] = image
        return old


# Schedules and the average of weights.


def constant_then_linear(epochs: int, decay_epochs: int, steps_per_epoch: int, step: int) -> float:
    """Factor of the learning rate in `step`, counted from 0; the i-th of n steps of decay has (n - i) / n."""
    i = step - epochs * steps_per_epoch
    n = decay_epochs * steps_per_epoch
    if i < 0:
        return 1.0
    return (n - i) / n if i < n else 0.0


def constant_then_cosine(epochs: int, decay_epochs: int, steps_per_epoch: int, step: int) -> float:
    """As above, with (1 + cos(pi i / n)) / 2."""
    i = step - epochs * steps_per_epoch
    n = decay_epochs * steps_per_epoch
    if i < 0:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * i / n)) if i < n else 0.0


def moving_average(average: dict[str, Tensor] | None, weights: dict[str, Tensor], *, decay: float) -> dict[str, Tensor]:
    """The average after one more step; None before the first, whose weights are then the average."""
    if average is None:
        return {name: weight.detach().clone() for name, weight in weights.items()}
    return {name: decay * average[name] + (1 - decay) * weights[name].detach() for name in average}
