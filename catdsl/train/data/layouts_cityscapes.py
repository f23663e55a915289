"""The layout of Cityscapes as it is unpacked: photos and maps in folders of cities, told apart by how names end."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from catdsl.train.data.folders import Folder
from catdsl.train.data.layouts import OddFile, by_name, half_missing
from catdsl.train.data.layouts_roles import Roles

CITYSCAPES = "Cityscapes: DIR/leftImg8bit/train/CITY/*_leftImg8bit.png and DIR/gtFine/train/CITY/*_gtFine_labelIds.png"

_PHOTOS, _MAPS = "leftImg8bit", "gtFine"
_PHOTO = "_leftImg8bit"
_INSTANCE = "_gtFine_instanceIds"
# How label maps are called, the first that there are, and how many classes they have. Those of training are made
# from the others by the data set's own scripts, and leave 15 classes out.
_LABELS: Mapping[str, int] = {"_gtFine_labelIds": 34, "_gtFine_labelTrainIds": 19}


def cityscapes(folder: Folder, split: str) -> Roles | None:
    """What lies in the folders of Cityscapes for one split; None where there are none of them.

    Raises CatError E601 where photos or label maps are missing.
    """
    photos, maps = (folder.at(f"{place}/{split}") for place in (_PHOTOS, _MAPS))
    photo_of, odd_photos = by_name(_called(photos, _PHOTO))
    endings = (ending for ending in _LABELS if any(True for _ in _called(maps, ending)))
    ending = next(endings, next(iter(_LABELS)))
    label_of, odd_labels = by_name(_called(maps, ending))
    if not photo_of and not label_of:
        return None
    if not label_of:
        raise half_missing(photos.path, maps.path, f"the folders of cities with *{ending}.png", _broken(maps))
    if not photo_of:
        raise half_missing(maps.path, photos.path, f"the folders of cities with *{_PHOTO}.png", _broken(photos))
    instance_of, odd_instances = by_name(_called(maps, _INSTANCE))
    broken = {file.path: file for file in _broken(maps)}
    broken_instances = [file for path, file in broken.items() if path.stem.endswith(_INSTANCE)]
    return Roles(
        photos=photo_of, labels=label_of, instances=instance_of,
        folders=(photos.path, maps.path, maps.path) if instance_of else (photos.path, maps.path),
        odd=(*odd_photos, *odd_labels, *_broken(photos), *(f for f in broken.values() if f.path.stem.endswith(ending))),
        odd_instances=(*odd_instances, *broken_instances),
        classes=_LABELS[ending],
    )  # fmt: skip


def instance_beside(label: Path) -> Path | None:
    """The instance map that belongs to a label map of Cityscapes; None for another file."""
    ending = next((ending for ending in _LABELS if label.stem.endswith(ending)), None)
    return label.with_name(label.stem.removesuffix(ending) + _INSTANCE + label.suffix) if ending else None


def _called(folder: Folder, ending: str) -> Iterator[tuple[str, Path]]:
    """The files of all cities whose names end so, with what stands before."""
    for place in (folder, *folder.inside):
        for path in place.pictures:
            if path.stem.endswith(ending):
                yield path.stem.removesuffix(ending), path


def _broken(folder: Folder) -> tuple[OddFile, ...]:
    return tuple(file for place in (folder, *folder.inside) for file in place.broken)
