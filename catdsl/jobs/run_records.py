"""Records of a run as models: every JSON file of a run folder is read through one, and written with a digest.

A run folder may come from elsewhere, or be damaged. Whatever opens it sees values of the right kind
and range, paths that stay inside, or an error that names the file and the field.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, TypeAdapter

from catdsl.acceptance import Acceptance
from catdsl.files import write_text
from catdsl.provenance import DIGEST, check_digest, check_run, say_unknown, with_digest
from catdsl.reading import Door, parse_json, read_bytes

RECORD_DOOR = Door("record of a run", "E604", "json", "start a new run with -o")

Record = TypeVar("Record", bound=BaseModel)


def _inside(text: str) -> str:
    """A path below a folder, as text with `/`."""
    path = PurePosixPath(text)
    # `.` has no parts.
    odd = not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]
    if odd or "\\" in text or "\0" in text:
        raise ValueError("must be a path inside the run folder")
    return text


Text = Annotated[str, Field(max_length=4096)]
Name = Annotated[str, Field(min_length=1, max_length=1024)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16,128}$")]
Inside = Annotated[Text, AfterValidator(_inside)]
Amount = Annotated[int, Field(ge=0, le=10**24)]
Channels = Annotated[int, Field(ge=0, le=65_536)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Steps = Annotated[int, Field(ge=1, le=10**12)]
Share = Annotated[FiniteFloat, Field(ge=-1e-9, le=1)]
Positive = Annotated[FiniteFloat, Field(ge=0)]


class _Record(BaseModel):
    """Common ground: frozen, kinds as they stand, and what a later version adds left aside."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class AskedRecord(_Record):
    """What must be the same when a run is continued."""

    spec: Digest
    set: Annotated[dict[Name, Text], Field(max_length=10_000)] = {}
    seed: Seed = 0
    steps: Steps | None = None
    data: Text | None = None
    budget: Text | None = None
    teacher: Text | None = None
    widths: Annotated[dict[Name, Channels], Field(max_length=100_000)] | None = None

    @property
    def values(self) -> dict[str, Any]:
        """What was asked at all, by name."""
        return self.model_dump(exclude_unset=True)


class RunRecord(_Record):
    """run.json. `id` is None of a run that a version without it has made."""

    catdsl: Annotated[str, Field(max_length=100)]
    python: Annotated[str, Field(max_length=100)]
    file: Text
    spec_file: Inside
    command: Annotated[list[Text], Field(max_length=10_000)] = []
    asked: AskedRecord
    id: Digest | None = None


class MacsRecord(_Record):
    exact: Amount
    paper: Amount


class _CostRecord(_Record):
    macs: MacsRecord
    params: Amount
    weights: Amount


class PlanRecord(_CostRecord):
    """plan.json: what the search was asked for, and the student that it found."""

    budget: dict[Name, Amount]
    memory: Amount | None = None
    latency: Amount | None = None
    teacher: _CostRecord
    slack: Share
    tightest: Name
    cheapest_step: Amount | None
    claims: dict[Name, bool]
    threshold: float | None
    kept: Annotated[dict[Name, Channels], Field(max_length=100_000)]
    cut: Annotated[dict[Name, Channels], Field(max_length=100_000)]
    channels: Annotated[dict[Name, list[Channels]], Field(max_length=100_000)]
    seconds: Positive

    def reached(self, metric: str) -> int | None:
        """What the student takes of a metric of a budget."""
        known = {"exact": self.macs.exact, "paper": self.macs.paper, "params": self.params, "weights": self.weights}
        return {**known, "memory": self.memory, "latency": self.latency}.get(metric)


class _RemovalRecord(_Record):
    reader: Name
    channels: Amount
    fate: Name
    place: Text | None
    exact: bool
    doubt: Text | None
    lost: float | None


class InheritedRecord(_Record):
    """inherited.json: what became of removed channels."""

    exact: bool
    removals: list[_RemovalRecord]


class _TimingRecord(_Record):
    milliseconds: Positive


# The PSNR of equal images is infinite.
_Figures = dict[Name, float | None]


class _NetworkRecord(_Record):
    macs: MacsRecord
    params: Amount
    quality: _Figures | None
    timing: _TimingRecord
    to_teacher: _Figures | None = None


class ResultRecord(_Record):
    """result.json: teacher against student."""

    budget: Text
    slack: Share
    teacher: _NetworkRecord
    student: _NetworkRecord
    baselines: dict[Name, _Figures] | None = None
    baselines_to_teacher: dict[Name, _Figures] | None = None


def write_record(path: Path, values: Mapping[str, Any], *, run: str | None, indent: int = 1) -> None:
    """Write a JSON file of a run, with the run that it belongs to and a digest. Raises CatError E608."""
    # As it will be read: names of files may hold bytes that are no text.
    told = json.dumps({**values, **({} if run is None else {"run": run})}, ensure_ascii=False)
    whole = json.loads(told.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    text = json.dumps(with_digest(whole), indent=indent, ensure_ascii=False)
    write_text(path, text + "\n")


def read_record(
    path: Path, model: type[Record], *, run: str | None, acceptance: Acceptance, help: str = RECORD_DOOR.help
) -> Record:
    """A JSON file of a run as its model.

    Raises CatError E604 that names the first wrong fields; for a file that was changed since it was
    written, or that belongs to another run, unless changes are accepted.
    """
    door = replace(RECORD_DOOR, help=help)
    text = read_bytes(path, door)
    values = parse_json(text, door, _OBJECT, shown=path)
    signed = check_digest(values, path, "E604", acceptance)
    owner = values.get("run")
    check_run(owner, run, path, "E604", acceptance)
    record = parse_json(text, door, TypeAdapter(model), shown=path)
    unsigned = [] if signed else [DIGEST]
    if isinstance(record, RunRecord) and record.id is None:
        # Once for all files of a run that a version without ids has made.
        say_unknown(path, ["run id", *unsigned], "types and ranges of the run's records", acceptance)
    elif isinstance(record, RunRecord):
        say_unknown(path, unsigned, "types and ranges", acceptance)
    elif run is not None:
        say_unknown(path, [*([] if owner else ["run"]), *unsigned], "types and ranges", acceptance)
    return record


_OBJECT: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
