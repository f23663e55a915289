"""`data check`: what a folder holds, what is wrong with it, and the settings to read it with."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catdsl.diagnostics import CatError
from catdsl.train.data.layouts import OddFile
from catdsl.train.data.levels import shown
from catdsl.train.data.survey import ImageSummary, LabelUse, Survey

_LISTED = 10
_ROWS = 40
_WAYS = {
    "paired": "images with equal names on two sides",
    "unpaired": "two sides of images that are no pairs",
    "labels": "photos with label maps of equal names",
}


def check_json(found: Survey) -> dict[str, Any]:
    """All that was found, for programs."""
    reading, unused = found.reading, found.opened.data.unused
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
        "instances": reading.has_instances,
        "odd": {
            "count": len(found.odd),
            "first": [{"file": str(file.path), "reason": file.reason} for file in found.odd[:_LISTED]],
        },
        "unused": {
            "count": len(unused.files),
            "hidden": unused.hidden,
            "reasons": [
                {"reason": group[0].reason, "count": len(group), "first": [str(f.path) for f in group[:_LISTED]]}
                for group in unused.by_reason[:_LISTED]
            ],
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
        lines.append(f"instances   {_instances(found)}")
        lines += _label_lines(found.labels)
    lines += [*_odd_lines(found.odd), *_unused_lines(found)]
    shown = [line for line in (_input_line(found), settings_block(found)) if line]
    return "\n".join([*lines, "", "for a spec:", *(f"    {line}" for line in shown)])


def problem_of(found: Survey) -> CatError | None:
    """E602 with the files that cannot be used, as training tells them, or None."""
    return found.opened.problem


def settings_block(found: Survey) -> str:
    """A `data { }` block that reads the folder."""
    block = found.proposal.block
    text = "data { " + ", ".join(f"{key} = {_written(value)}" for key, value in block.items()) + " }"
    swapped = " with the two levels swapped" if "target_levels" in block else ""
    return text + (f"  # or direction = b_to_a{swapped}" if "direction" in block else "")


def _written(value: object) -> str:
    return f"[{', '.join(shown(item) for item in value)}]" if isinstance(value, tuple) else str(value)


def _way(found: Survey) -> str:
    return "two images side by side in each file (A|B)" if found.reading.joined else _WAYS[found.reading.kind]


def _instances(found: Survey) -> str:
    if found.reading.has_instances:
        return "there are instance maps"
    some = next((part.purpose for part in found.reading.parts if part.role == "instance"), None)
    return f"{f'for {some} only' if some else 'none'}: edges = true cannot be used"


def _part_lines(found: Survey) -> Iterator[str]:
    for part in found.reading.parts:
        yield f"{part.purpose:<12}{len(part.files)} {part.role} files in {_relative(part.folder, found.folder)}"
    if not found.reading.has_validation:
        sides = ", on either side" if found.reading.kind == "unpaired" else ""
        yield f"validation  no folder of its own: `holdout` keeps the last from training{sides}"


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path != root else str(root)


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


def _input_line(found: Survey) -> str | None:
    """How a spec declares label maps like these; None for images."""
    labels = found.proposal.source.labels
    if labels is None or not found.labels:
        return None
    height, width = found.proposal.size
    edges = ", edges = true" if labels.edges else ""
    return f"input map: labels({labels.classes}, {height}, {width}{edges})"


def _odd_lines(odd: tuple[OddFile, ...]) -> Iterator[str]:
    if odd:
        yield f"not usable  {len(odd)} file{'s' * (len(odd) > 1)}, listed below"


def _unused_lines(found: Survey) -> Iterator[str]:
    unused = found.opened.data.unused
    if unused.files:
        yield f"not used    {_files_or_folders(len(unused.files))}"
    for group in unused.by_reason[:_LISTED]:
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        yield f"            {_relative(group[0].path, found.folder)}{more}: {group[0].reason}"
    if len(unused.by_reason) > _LISTED:
        left = sum(map(len, unused.by_reason[_LISTED:]))
        yield f"            and {left} more, for other reasons"
    if unused.hidden:
        yield f"hidden      {_files_or_folders(unused.hidden)}, not read"


def _files_or_folders(count: int) -> str:
    return f"{count} files or folders" if count > 1 else "1 file or folder"
