"""Photos, label maps and instance maps of one purpose, each by name, and which belong together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from catdsl.train.data.layouts import OddFile, lonely, partners


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The files of each role by the name that partners share, and the folders of the roles.

    There are instance maps where there is a third folder. `odd` have no place. `classes` is how many
    classes the data set is known to have.
    """

    photos: Mapping[str, Path]
    labels: Mapping[str, Path]
    instances: Mapping[str, Path]
    folders: tuple[Path, ...]
    odd: tuple[OddFile, ...] = ()
    odd_instances: tuple[OddFile, ...] = ()
    classes: int = 1


@dataclass(frozen=True, slots=True)
class Labelled:
    """A photo and its label map; `instance` is None where there is no instance map."""

    name: str
    photo: Path
    label: Path
    instance: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.photo, self.label) if self.instance is None else (self.photo, self.label, self.instance)


@dataclass(frozen=True, slots=True)
class LabelSplit:
    """What is labelled for one purpose, in natural order, and the files that have no place in it.

    `instances` is the folder of instance maps, or None; `odd_instances` bear on runs that use them.
    `classes` is how many the data set is known to have, at least.
    """

    items: tuple[Labelled, ...]
    folders: tuple[Path, Path]
    instances: Path | None
    odd: tuple[OddFile, ...] = ()
    odd_instances: tuple[OddFile, ...] = ()
    classes: int = 1

    @property
    def taken(self) -> Iterator[Path]:
        """All files that have been looked at."""
        yield from (path for item in self.items for path in item.files)
        yield from (file.path for file in (*self.odd, *self.odd_instances))


def matched(found: Roles) -> LabelSplit:
    """What belongs together: the same names, or names that differ only in case or Unicode form."""
    photos, labels = found.folders[:2]
    instances = found.folders[2] if len(found.folders) > 2 else None
    label_of = {name: found.labels[other] for name, other in partners(found.photos, found.labels).items()}
    name_of_label = {path: name for name, path in found.labels.items()}
    used = {name_of_label[path]: path for path in label_of.values()}
    instance_of_label = partners(found.labels, found.instances)
    alone = [
        *lonely(found.photos, label_of, found.labels, f"partner in {labels}"),
        *lonely(found.labels, used, found.photos, f"partner in {photos}"),
    ]
    odd_instances = list(found.odd_instances)
    if instances:
        odd_instances += lonely(used, instance_of_label, found.instances, f"instance map in {instances}")
        odd_instances += lonely(found.instances, instance_of_label.values(), found.labels, f"partner in {labels}")
    return LabelSplit(
        items=tuple(
            Labelled(name, found.photos[name], label, _instance(found, instance_of_label.get(name_of_label[label])))
            for name, label in label_of.items()
        ),
        folders=(photos, labels),
        instances=instances,
        odd=(*found.odd, *alone),
        odd_instances=tuple(odd_instances),
        classes=found.classes,
    )


def _instance(found: Roles, name: str | None) -> Path | None:
    return None if name is None else found.instances[name]
