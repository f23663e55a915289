"""Distillation: a student learns the target, and to have features aligned with its teacher's.

Jin et al., "Teachers Do More Than Teach", CVPR 2021, section 3.3: adversarial loss with the
teacher's discriminator, L1 to the target, and minus the kernel alignment at each tap.
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torch.optim import Optimizer

from catdsl.diagnostics import InternalError
from catdsl.train.data.batches import Batch
from catdsl.train.losses.alignment import alignment_loss
from catdsl.train.modes import evaluating
from catdsl.train.recipe import Recipe
from catdsl.train.systems.adversary import Adversary, adam
from catdsl.train.systems.system import System


class Distillation(System):
    """One step updates the discriminator, then the student, on the same made-up images.

    The tapped modules take B x C x H x W to (image, (tap, ...)); `tapped_student` shares its
    parameters with `student`. The teacher is frozen for good: evaluation mode, so that it computes
    what it does in its own evaluation, and no gradients.
    """

    def __init__(
        self,
        *,
        student: nn.Module,
        tapped_student: nn.Module,
        tapped_teacher: nn.Module,
        discriminator: nn.Module,
        recipe: Recipe,
    ):
        _check_sharing(student, tapped_student)
        self._student = student
        self._tapped_student = tapped_student
        self._tapped_teacher = tapped_teacher.requires_grad_(False)
        self._recipe = recipe
        self._optimiser = adam(student, recipe)
        self._adversary = Adversary(discriminator, adam(discriminator, recipe), recipe)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"student": self._student, "discriminator": self._adversary.network}

    @property
    def optimisers(self) -> Mapping[str, Optimizer]:
        return {"student": self._optimiser, "discriminator": self._adversary.optimiser}

    def train_step(self, batch: Batch) -> Mapping[str, Tensor]:
        self._student.train()
        self._tapped_student.train()
        fake_BCHW, taps = self._tapped_student(batch.input_BCHW)
        losses = self._adversary.learn(batch, fake_BCHW) if self._adversary.active else {}
        recon = l1_loss(fake_BCHW, batch.target_BCHW)
        total = self._recipe.recon * recon
        losses["recon"] = recon.detach()
        if self._adversary.active:
            gan = self._adversary.judge(batch, fake_BCHW)
            total = total + self._recipe.gan_weight * gan
            losses["gan"] = gan.detach()
        if self._recipe.aligns:
            aligned, distances = self._alignment(batch, taps)
            total = total + self._recipe.alignment * aligned
            losses |= {f"tap{i}": distance for i, distance in enumerate(distances)}
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()
        self._optimiser.step()
        return losses | {"total": total.detach()}

    def sample(self, batch: Batch) -> Mapping[str, Tensor]:
        with evaluating(self._student):
            student_BCHW = self._student(batch.input_BCHW)
        teacher_BCHW, _ = self._taught(batch)
        return {
            "input": batch.input_BCHW,
            "teacher": teacher_BCHW,
            "student": student_BCHW,
            "target": batch.target_BCHW,
        }

    def _taught(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The teacher's image and taps, whatever mode its parts were left in by others."""
        with evaluating(self._tapped_teacher):
            image_BCHW, taps = self._tapped_teacher(batch.input_BCHW)
        return image_BCHW, taps

    def _alignment(self, batch: Batch, taps: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        _, teacher_taps = self._taught(batch)
        return alignment_loss(teacher_taps, taps, self._recipe.similarity)


def _check_sharing(student: nn.Module, tapped: nn.Module) -> None:
    """The optimiser holds the student's parameters; others in the tapped one would never be trained."""
    if {id(p) for p in student.parameters()} != {id(p) for p in tapped.parameters()}:
        raise InternalError("the tapped student does not share all of its parameters with the student")
