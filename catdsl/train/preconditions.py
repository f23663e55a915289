"""What a recipe asks of batches, images and files: refused before anything is trained for it."""

from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings, TrainSettings
from catdsl.train import collective
from catdsl.train.data.opening import ImageData
from catdsl.train.discriminator import DISCRIMINATORS, check_size
from catdsl.train.losses.perceptual import Perceptual, load_perceptual
from catdsl.train.recipe import Recipe


def check_parts(recipe: Recipe) -> None:
    """Refuse a batch that processes and parts cannot share equally. Raises CatError E607."""
    parts = recipe.accumulate * collective.world()
    if recipe.batch % parts:
        raise CatError.one(
            "E607",
            f"a batch of {recipe.batch} cannot be shared equally by {collective.world()} processes "
            f"in {recipe.accumulate} parts each",
            help=f"let `batch` be a multiple of {parts}: processes (--devices) times `accumulate`",
        )


def check_system(recipe: Recipe, data: DataSettings) -> None:
    """Refuse images that a system cannot learn from. Raises CatError E607."""
    if recipe.conditional and data.kind == "unpaired":
        raise CatError.one(
            "E607",
            f"system = {recipe.system} needs pairs of images, and kind = unpaired has none",
            help="set system = cyclegan in train { }, or kind = paired in data { }",
        )
    if not recipe.conditional and data.kind != "unpaired":
        raise CatError.one(
            "E607", f"system = {recipe.system} learns from unpaired images, and kind = {data.kind} has pairs",
            help="set kind = unpaired in data { } (two folders, such as trainA and trainB)",
        )  # fmt: skip


def check_judge(recipe: Recipe, data: ImageData, settings: TrainSettings) -> None:
    """Refuse images that the discriminator could not judge. Raises CatError E607."""
    if not recipe.judges:
        return
    format = data.validation.format
    for size in (format.target_size,) if recipe.conditional else (format.target_size, format.size):
        check_size(DISCRIMINATORS[recipe.system], size, settings.discriminator_layers, settings.discriminator_scales)


def check_losses(recipe: Recipe, who: str) -> None:
    """Refuse a recipe that weighs nothing. Raises CatError E607."""
    unpaired_teacher = who == "teacher" and not recipe.conditional
    weights = {"gan_weight": recipe.gan_weight, "feature_matching": recipe.feature_matching}
    weights |= {"cycle": recipe.cycle} if unpaired_teacher else {"recon": recipe.recon, "perceptual": recipe.perceptual}
    if not any(weights.values()) and not recipe.aligns:
        raise CatError.one(
            "E607",
            f"the {who} would learn nothing: {', '.join(weights)} are all 0",
            help="give at least one of them a weight",
        )


def perceptual_loss(recipe: Recipe, vgg: Path | None) -> Perceptual | None:
    """The perceptual loss of a recipe that weighs one. Raises CatError E605, E607."""
    if recipe.perceptual == 0:
        return None
    if vgg is None:
        raise CatError.one(
            "E607",
            f"perceptual = {recipe.perceptual:g} needs the weights of a VGG-19, which do not come with catdsl",
            help="give torchvision's file with --vgg FILE, or set perceptual = 0 in train { }",
        )
    return load_perceptual(vgg)
