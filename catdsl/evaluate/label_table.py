"""Tables from the classes that a segmenter knows to the labels of the data.

As text, a line for each class with its two indices (a comma or spaces between them), or as JSON:

    # predicted  truth                {"0": 7, "1": 8}
    0  7
    1  8

Several classes may stand for one label. A class that the table leaves out stands for none: where it is
predicted, the true label has been missed.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from catdsl.diagnostics import CatError
from catdsl.reading import Door, read_text

_COMMENT = "#"
_MOST_DIGITS = 9
_SHOWN = 60
_HEADER = ("predicted", "truth")
_HELP = 'give a line `predicted truth` for each class of the segmenter, or a JSON object {"predicted": truth}'
_DOOR = Door("table of labels", "E607", "json", _HELP)


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Label of the data for each predicted class that stands for one; `path` is for messages."""

    path: Path
    labels: Mapping[int, int]

    def lookup(self, predicted: int, *, labels: int, ignore: int | None) -> Tensor:
        """The label of each of `predicted` classes, shape (predicted,); `labels` stands for none, as `ignore` does.

        Raises CatError E607 where the table speaks of classes or labels that there are not.
        """
        self._check("class", self.labels.keys(), "the segmenter has classes", predicted)
        self._check("label", {*self.labels.values()} - {ignore}, "the data has labels", labels)
        found = torch.full((predicted,), labels)
        for index, label in self.labels.items():
            found[index] = labels if label == ignore else label
        return found

    def _check(self, what: str, indices: Iterable[int], there_are: str, count: int) -> None:
        beyond = sorted(index for index in set(indices) if index >= count)
        if beyond:
            raise CatError.one(
                "E607",
                f"{self.path} speaks of {what} {beyond[0]}, and {there_are} 0 to {count - 1}",
                help="correct the table; classes that stand for no label are left out of it",
            )


def read_table(path: Path) -> LabelTable:
    """Read a table. Raises CatError E607 that names the line and what stands there."""
    text = read_text(path, _DOOR).removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    pairs = _of_json(path, text) if text.lstrip().startswith("{") else _of_lines(path, text)
    labels: dict[int, int] = {}
    for line, predicted, label in pairs:
        if predicted in labels:
            raise _wrong(path, line, f"class {predicted} stands there a second time")
        labels[predicted] = label
    if not labels:
        raise CatError.one("E607", f"{path} holds no class", help=_HELP)
    return LabelTable(path, labels)


def _of_lines(path: Path, text: str) -> Iterator[tuple[int, int, int]]:
    first = True
    for number, line in enumerate(text.splitlines(), 1):
        cells = tuple(cell for cell in re.split(r"[,;\s]+", line.partition(_COMMENT)[0]) if cell)
        if not cells:
            continue
        if not (first and cells == _HEADER):
            yield number, *_indices(path, number, cells)
        first = False


def _of_json(path: Path, text: str) -> Iterator[tuple[int, int, int]]:
    try:
        # Pairs, because an object would keep only the last of two equal names.
        pairs: list[tuple[str, object]] = json.loads(text, object_pairs_hook=list)
    except json.JSONDecodeError as error:
        raise _wrong(path, error.lineno, f"this is no JSON: {error.msg}") from None
    except ValueError:
        # Python reads no number of thousands of digits.
        raise _wrong(path, 1, "it holds a number that is too long for an index") from None
    except RecursionError:
        raise _wrong(path, 1, "this nests too deep for a table") from None
    end, line = 0, 1
    for name, value in pairs:
        # JSON tells of no places; names are found in the order in which they stand.
        start, end = end, max(text.find(json.dumps(name), end), end)
        line += text.count("\n", start, end)
        yield line, *_indices(path, line, (name, json.dumps(value)))
        end += 1


def _indices(path: Path, line: int, cells: tuple[str, ...]) -> tuple[int, int]:
    match cells:
        case [predicted, label] if _is_index(predicted) and _is_index(label):
            return int(predicted), int(label)
    raise _wrong(path, line, f"`{_shortened(' '.join(cells))}` is not two indices")


def _is_index(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) <= _MOST_DIGITS


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _wrong(path: Path, line: int, what: str) -> CatError:
    return CatError.one("E607", f"{path}:{line}: {what}", help=_HELP)
