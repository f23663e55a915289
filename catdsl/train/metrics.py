"""The metrics of a run as JSON lines: one object per step, never two for the same step."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, BinaryIO, TextIO

from pydantic import Field, FiniteFloat, TypeAdapter, ValidationError

from catdsl.diagnostics import CatError
from catdsl.files import not_writable, open_to_append, same_file, write_whole
from catdsl.reading import Door, read_bytes, there

Record = Mapping[str, float | int | str]

METRICS_DOOR = Door("metrics log", "E603", "json", "remove the file; the run can be continued without it")
# Larger numbers are no float any more, and fail where they are drawn.
_LARGEST = 2**63
_Whole = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
_RECORD: TypeAdapter[dict[str, float]] = TypeAdapter(dict[str, _Whole | FiniteFloat])


@dataclass(frozen=True, slots=True, eq=False)
class MetricsLog:
    """An open file of metrics; every line reaches the system at once, so a killed process loses none."""

    path: Path
    _stream: TextIO

    @classmethod
    def open(cls, path: Path, *, keep_through: int) -> "MetricsLog":
        """Continue the file at `path` after step `keep_through`; later lines are cut off.

        Raises CatError E603 for a file that is none of ours, E608 where it cannot be written.
        """
        kept = [r for r in read_metrics(path) if r["step"] <= keep_through] if there(path) else []

        def write(stream: BinaryIO) -> None:
            stream.write("".join(_line(record) for record in kept).encode())

        write_whole(path, write)
        return cls(path, open_to_append(path))

    def append(self, record: Record) -> None:
        """Write one line. Raises CatError E608, also where the file is not in its place any more."""
        self.check_there()
        try:
            self._stream.write(_line(record))
        except OSError as error:
            raise not_writable(self.path, error) from error

    def check_there(self) -> None:
        """Raise CatError E608 where the file was removed or replaced: what is written now would be lost."""
        if not same_file(self._stream, self.path):
            raise CatError.one(
                "E608", f"{self.path} was removed or replaced while the training ran",
                help="start the run again, and leave its folder where it is until the command has ended",
            )  # fmt: skip

    def __enter__(self) -> "MetricsLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()


def read_metrics(path: Path) -> list[dict[str, float]]:
    """All records of a file in order; a last line that was torn off is left out.

    Raises CatError E603 for any other line that is no record: numbers by name, a step from 0 on among them.
    """
    lines = read_bytes(path, METRICS_DOOR).decode("utf-8", "replace").split("\n")
    # A whole line ends in a line break, so what stands after the last break is torn or empty.
    return [_record(path, number, line) for number, line in enumerate(lines[:-1], start=1)]


def _record(path: Path, number: int, line: str) -> dict[str, float]:
    try:
        record = _RECORD.validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise METRICS_DOOR.refuse(
            path,
            f"does not hold the metrics of a run: line {number}: {f'`{place}`: ' if place else ''}{problem['msg']}",
        ) from None
    step = record.get("step")
    if step is None or not 0 <= step <= _LARGEST or step % 1:
        found = "names no step" if step is None else f"has the step {step:g}"
        raise METRICS_DOOR.refuse(path, f"does not hold the metrics of a run: line {number} {found}")
    return record


def _line(record: Mapping[str, float | int | str]) -> str:
    return json.dumps(record, allow_nan=False) + "\n"
