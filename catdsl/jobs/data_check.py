"""`data check`: what a folder holds, what is wrong with it, and the settings to read it with."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catdsl.diagnostics import CatError
from catdsl.train.data.found import default_holdout
from catdsl.train.data.label_maps import COMMON_IGNORED
from catdsl.train.data.levels import Levels, as_setting, shown
from catdsl.train.data.shelves import unusable
from catdsl.train.data.survey import ImageSummary, LabelUse, Survey

_LISTED = 10
_ROWS = 40
_WAYS = {
    "paired": "two folders of images with equal names",
    "unpaired": "two folders of images that are no pairs",
    "labels": "photos with label maps of equal names",
}


def check_json(found: Survey) -> dict[str, Any]:
    """All that was found, for programs."""
    reading = found.reading
    return {
        "folder": str(found.folder),
        "kind": reading.kind,
        "layout": _way(found),
        "also": list(found.others),
        "parts": [
            {"purpose": p.purpose, "role": p.role, "folder": str(p.folder), "count": len(p.files)}
            for p in reading.parts
        ],
        "images": {role: asdict(summary) for role, summary in found.images.items()},
        "labels": [asdict(use) for use in found.labels],
        "instances": any(part.role == "instance" for part in reading.parts),
        "odd": {
            "count": len(found.odd),
            "first": [{"file": str(file.path), "reason": file.reason} for file in found.odd[:_LISTED]],
        },
        "input": _input_line(found),
        "settings": settings_block(found),
    }


def check_text(found: Survey) -> str:
    """The same for a person."""
    also = f"; also as {' or '.join(found.others)}" if found.others else ""
    lines = [f"reads as    {found.reading.kind}: {_way(found)}{also}", *_part_lines(found)]
    lines += [_image_line(role, summary) for role, summary in found.images.items()]
    if found.reading.kind == "labels":
        there = any(part.role == "instance" for part in found.reading.parts)
        lines.append(f"instances   {'there are instance maps' if there else 'none: edges = true cannot be used'}")
        lines += _label_lines(found.labels)
    if found.odd:
        lines.append(f"not usable  {len(found.odd)} file{'s' * (len(found.odd) > 1)}, listed below")
    shown = [line for line in (_input_line(found), settings_block(found)) if line]
    return "\n".join([*lines, "", "for a spec:", *(f"    {line}" for line in shown)])


def problem_of(found: Survey) -> CatError | None:
    """E602 with the files that cannot be used, or None."""
    looked_at = sum(len(part.files) for part in found.reading.parts)
    return unusable(found.odd, looked_at=looked_at) if found.odd else None


def settings_block(found: Survey) -> str:
    """A `data { }` block that reads the folder."""
    reading = found.reading
    settings: dict[str, object] = {"kind": reading.kind}
    if reading.kind != "labels":
        settings["direction"] = "a_to_b"
    settings |= _levels_settings(found)
    ignored = _ignored(found.labels)
    if ignored is not None:
        settings["ignore"] = ignored
    if not reading.has_validation:
        smallest = min(len(part.files) for part in reading.parts if part.purpose == "train")
        # Of a single image none can be held out.
        settings["holdout"] = default_holdout(smallest) if smallest > 1 else 0
    block = "data { " + ", ".join(f"{key} = {value}" for key, value in settings.items()) + " }"
    swapped = " with the two levels swapped" if "target_levels" in settings else ""
    return block + (f"  # or direction = b_to_a{swapped}" if "direction" in settings else "")


def _way(found: Survey) -> str:
    return "two images side by side in each file (A|B)" if found.reading.joined else _WAYS[found.reading.kind]


def _part_lines(found: Survey) -> Iterator[str]:
    for part in found.reading.parts:
        yield f"{part.purpose:<12}{len(part.files)} {part.role} files in {_relative(part.folder, found.folder)}"
    if not found.reading.has_validation:
        sides = ", on either side" if found.reading.kind == "unpaired" else ""
        yield f"validation  no folder of its own: `holdout` keeps the last from training{sides}"


def _relative(folder: Path, root: Path) -> str:
    return str(folder.relative_to(root)) if folder != root else str(root)


def _image_line(role: str, images: ImageSummary) -> str:
    """Sizes are height x width."""
    usual = f"{_by(images.usual)} ({images.of_usual_size} of {images.count})"
    other = f", from {_by(images.smallest)} to {_by(images.largest)}" if images.smallest != images.largest else ""
    amounts = {
        "grey": images.grey, "of more than 8 bits": images.sixteen_bit, "turned by EXIF": images.rotated,
        "in printing inks (CMYK)": images.inks, "of several frames or pages, of which the first counts": images.several,
        "not square": images.not_square,
    }  # fmt: skip
    odd = "".join(f"; {count} {what}" for what, count in amounts.items() if count)
    return f"{role:<12}{usual}{other} (height x width){odd}{_levels_used(images)}"


def _levels_used(images: ImageSummary) -> str:
    known = (("levels", images.levels), ("levels of more than 8 bits", images.deep_levels))
    return "".join(f"; {what} {shown(used[0])} to {shown(used[1])}" for what, used in known if used is not None)


def _levels_settings(found: Survey) -> dict[str, str]:
    """What is to be said of black and white, where files have more than 8 bits."""
    roles = ("photo", "photo") if found.reading.kind == "labels" else ("A", "B")
    source, target = (found.images.get(role, found.images.get("A|B")) for role in roles)
    levels, of_target = _black_white(source), _black_white(target)
    if not any(side is not None and side.proposed_levels is not None for side in (source, target)):
        return {}
    if levels is None or of_target is None or levels == of_target:
        return {"levels": as_setting(levels or of_target or (0, 1))}
    return {"levels": as_setting(levels), "target_levels": as_setting(of_target)}


def _black_white(images: ImageSummary | None) -> Levels | None:
    """Of a side's files with more than 8 bits; None where it has none."""
    return None if images is None else images.proposed_levels or images.usual_levels


def _label_lines(labels: tuple[LabelUse, ...]) -> Iterator[str]:
    if labels:
        yield f"labels      {len(labels)} in use, from {labels[0].label} to {labels[-1].label}"
        yield f"{'label':>17}{'pixels':>10}{'files':>8}"
    for use in labels[:_ROWS]:
        yield f"{use.label:>17}{use.share:>10.2%}{use.files:>8}"
    if len(labels) > _ROWS:
        yield f"{'...':>17} and {len(labels) - _ROWS} more"


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _ignored(labels: tuple[LabelUse, ...]) -> int | None:
    """The highest label where it is one that usually means nothing, far above the others."""
    highest = [use.label for use in labels[-2:]]
    apart = len(highest) == 2 and highest[0] < highest[1] - 1
    return highest[1] if apart and highest[1] in COMMON_IGNORED else None


def _input_line(found: Survey) -> str | None:
    """How a spec declares label maps like these; None for images."""
    if found.reading.kind != "labels" or not found.labels:
        return None
    ignored = _ignored(found.labels)
    classes = 1 + max(use.label for use in found.labels if use.label != ignored)
    edges = ", edges = true" if any(part.role == "instance" for part in found.reading.parts) else ""
    height, width = found.images["photo"].usual if "photo" in found.images else ("HEIGHT", "WIDTH")
    return f"input map: labels({classes}, {height}, {width}{edges})"
