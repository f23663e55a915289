"""Files as a generator takes them: images, or label maps with the edges between instances."""

from pathlib import Path

import numpy as np
from torch import Tensor

from catdsl.ir.graph import Graph
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.images import read_image
from catdsl.train.data.label_maps import instance_edges, pack, read_indices, read_instances
from catdsl.train.data.label_values import classes_of
from catdsl.train.data.layouts import image_files
from catdsl.train.data.layouts_cityscapes import instance_beside
from catdsl.train.data.layouts_labels import INSTANCES, LABELS
from catdsl.train.data.one_hot import to_one_hot
from catdsl.train.data.pixels import Unreadable
from catdsl.train.data.sides import LabelMap, Side


def input_side(graph: Graph, settings: DataSettings | None = None) -> Side:
    """What the generator's input is, with the levels of its files where settings say which they are."""
    source = graph.inputs[0]
    channels, attrs = graph.channels(source.name), source.attrs
    if attrs["kind"] == "image":
        return Side(channels, levels=settings.levels if settings is not None else None)
    values = settings.label_values if settings is not None else None
    return Side(channels, LabelMap(classes=attrs["classes"], edges=attrs["edges"], values=values))


def read_input(path: Path, side: Side, *, ignore: int | None = None) -> Tensor | Unreadable:
    """One file as float32 CHW: an image in [-1, 1], or an index map as one-hot.

    With edges, the instance map is the file of the same stem in a folder beside: `instance` beside
    `label`, `train_inst` beside `train_label`. Pixels of the label `ignore` belong to no class.
    """
    if side.labels is None:
        return read_image(path, side.channels, levels=side.levels)
    indices = read_indices(path)
    if isinstance(indices, Unreadable):
        return indices
    checked = classes_of(indices, side.labels, ignore=ignore)
    if isinstance(checked, str):
        return Unreadable(path, checked)
    if not side.labels.edges:
        return to_one_hot(pack(checked, None, classes=side.labels.classes), side.labels)
    beside = _instance_map(path)
    if isinstance(beside, Unreadable):
        return beside
    instances = read_instances(beside)
    if isinstance(instances, Unreadable):
        return instances
    if instances.shape != indices.shape:
        return Unreadable(path, f"and its instance map {beside} are of different sizes")
    return to_one_hot(pack(checked, np.asarray(instance_edges(instances)), classes=side.labels.classes), side.labels)


def _instance_map(path: Path) -> Path | Unreadable:
    """The instance map that belongs to a label map."""
    city = instance_beside(path)
    if city is not None and city.is_file():
        return city
    own = path.absolute().parent
    # The role is the name of the folder, or of the one around it: label/x.png, label/train/x.png.
    places = [(own, Path()), (own.parent, Path(own.name))]
    roles = [(label, instance) for label in LABELS for instance in INSTANCES]
    folders = (
        around.with_name(around.name.replace(label, instance)) / inside
        for around, inside in places
        for label, instance in roles
        if label in around.name
    )
    for folder in dict.fromkeys(folders):
        found = next((file for file in image_files(folder) if file.stem == path.stem), None)
        if found is not None:
            return found
    return Unreadable(path, "has no instance map: none of the same name lies in a folder `instance` beside `label`")
