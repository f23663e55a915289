"""Distillation: a student learns what its teacher learnt, and to have features aligned with its teacher's.

Jin et al., "Teachers Do More Than Teach", CVPR 2021, section 3.3: adversarial loss with the
teacher's discriminator, L1 to the target (to the teacher's image, where there are no pairs), and
minus the kernel alignment at each tap.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from catdsl.diagnostics import InternalError
from catdsl.train.data.batches import Batch
from catdsl.train.losses.alignment import alignment_loss
from catdsl.train.losses.perceptual import Perceptual
from catdsl.train.losses.wide import wide
from catdsl.train.modes import evaluating
from catdsl.train.recipe import Recipe
from catdsl.train.systems.judge import Judge, discriminators, judging_phases
from catdsl.train.systems.paired import target_terms
from catdsl.train.systems.pool import ImagePool
from catdsl.train.systems.system import Loss, Made, Phase, System, Terms, adam, weighted


class Distillation(System):
    """One step updates the discriminator, then the student, on the same made-up images.

    The tapped modules take B x C x H x W to (image, (tap, ...)); `tapped_student` shares its
    parameters with `student`. The teacher is frozen for good: evaluation mode, so that it computes
    what it does in its own evaluation, and no gradients. `adapters` bring the student's taps to the
    teacher's channels where `mse` compares them; they are trained with the student.
    """

    def __init__(
        self,
        *,
        student: nn.Module,
        tapped_student: nn.Module,
        tapped_teacher: nn.Module,
        judge: Judge,
        recipe: Recipe,
        adapters: nn.ModuleList | None = None,
        perceptual: Perceptual | None = None,
    ):
        _check_sharing(student, tapped_student)
        self._student = student
        self._tapped_student = tapped_student
        self._tapped_teacher = tapped_teacher.requires_grad_(False)
        self._judge = judge
        self._recipe = recipe
        self._adapters = adapters
        self._perceptual = perceptual
        trained = {"student": student} if adapters is None else {"student": student, "adapters": adapters}
        judging = discriminators(discriminator=judge)
        self._networks = {**trained, **judging}
        learns = Phase("student", adam(trained, recipe, recipe.generator_lr), self._student_loss)
        self._phases = (*judging_phases(judging, recipe, self._judge_loss), learns)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return self._networks

    @property
    def generators(self) -> tuple[str, ...]:
        return ("student",)

    @property
    def phases(self) -> tuple[Phase, ...]:
        return self._phases

    @property
    def pools(self) -> Mapping[str, ImagePool]:
        return {}

    def sample(self, batch: Batch) -> Mapping[str, Tensor]:
        with evaluating(self._student):
            student_BCHW = self._student(batch.input_BCHW)
        teacher_BCHW, _ = self._ask_teacher(batch)
        shown = {"input": batch.input_BCHW, "teacher": teacher_BCHW, "student": student_BCHW}
        return {**shown, "target": batch.target_BCHW} if self._recipe.conditional else shown

    def _judge_loss(self, batch: Batch, made: Made) -> Loss:
        fake_BCHW, _ = self._studied(batch, made)
        loss = self._judge.discriminator_loss(batch.input_BCHW, batch.target_BCHW, fake_BCHW)
        return Loss(loss, {"discriminator": loss.detach()})

    def _student_loss(self, batch: Batch, made: Made) -> Loss:
        fake_BCHW, taps = self._studied(batch, made)
        judged = self._judge.generator_terms(batch.input_BCHW, batch.target_BCHW, fake_BCHW)
        terms = {**judged, **self._pulling_terms(batch, made, fake_BCHW)}
        if not self._recipe.aligns:
            return weighted(terms)
        aligned, distances = self._alignment(self._taught(batch, made)[1], taps)
        loss = weighted({**terms, "alignment": (self._recipe.alignment, aligned)})
        # KA is close to 1 all the time: what tells something is how far from it each tap is.
        shown = {name: value for name, value in loss.shown.items() if name != "alignment"}
        return Loss(loss.total, {**shown, **{f"tap{i}": distance for i, distance in enumerate(distances)}})

    def _pulling_terms(self, batch: Batch, made: Made, fake_BCHW: Tensor) -> Terms:
        recipe = self._recipe
        if recipe.recon_to == "target" or recipe.recon == recipe.perceptual == 0:
            return target_terms(recipe, batch, fake_BCHW, self._perceptual)
        image_BCHW, _ = self._taught(batch, made)
        like_teacher = Batch(batch.input_BCHW, wide(image_BCHW))
        return target_terms(recipe, like_teacher, fake_BCHW, self._perceptual)

    def _studied(self, batch: Batch, made: Made) -> tuple[Tensor, tuple[Tensor, ...]]:
        self._student.train()
        self._tapped_student.train()
        studied: tuple[Tensor, tuple[Tensor, ...]] = made.of("student", lambda: self._tapped_student(batch.input_BCHW))
        return studied

    def _taught(self, batch: Batch, made: Made) -> tuple[Tensor, tuple[Tensor, ...]]:
        taught: tuple[Tensor, tuple[Tensor, ...]] = made.of("teacher", lambda: self._ask_teacher(batch))
        return taught

    def _ask_teacher(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The teacher's image and taps, whatever mode its parts were left in by others."""
        with evaluating(self._tapped_teacher):
            image_BCHW, taps = self._tapped_teacher(batch.input_BCHW)
        return image_BCHW, taps

    def _alignment(
        self, teacher_taps: Sequence[Tensor], student_taps: Sequence[Tensor]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        if self._adapters is not None:
            student_taps = [adapt(tap) for adapt, tap in zip(self._adapters, student_taps, strict=True)]
        return alignment_loss(teacher_taps, student_taps, self._recipe.similarity)


def build_adapters(channels: Sequence[tuple[int, int]]) -> nn.ModuleList:
    """A 1 x 1 convolution for each tap, from the student's channels to the teacher's: pairs (teacher, student)."""
    return nn.ModuleList(nn.Conv2d(student, teacher, 1) for teacher, student in channels)


def _check_sharing(student: nn.Module, tapped: nn.Module) -> None:
    """The optimiser holds the student's parameters; others in the tapped one would never be trained."""
    if {id(p) for p in student.parameters()} != {id(p) for p in tapped.parameters()}:
        raise InternalError("the tapped student does not share all of its parameters with the student")
