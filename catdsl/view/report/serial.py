"""Reports as report.json and back, equal to what was saved."""

import json
from dataclasses import asdict, fields
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError

from catdsl.acceptance import STRICT, Acceptance
from catdsl.diagnostics import CatError
from catdsl.diagnostics.printable import printable_json
from catdsl.provenance import DIGEST, check_digest, check_run, say_unknown, with_digest
from catdsl.view.report.content import Report

FORMAT = "catdsl-report-1"

_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


def as_json(report: Report) -> str:
    """JSON with one line for each part of the report, and a digest; see `json_values`."""
    values = with_digest(as_values(report))
    lines = (f" {json.dumps(key)}: {json.dumps(part, ensure_ascii=False)}" for key, part in values.items())
    return printable_json("{\n" + ",\n".join(lines) + "\n}\n")


def as_values(report: Report) -> dict[str, Any]:
    """The same as values that any writer of JSON takes."""
    return {"format": FORMAT, **json_values(asdict(report))}


def from_json(
    text: str, *, name: str = "report.json", run: str | None = None, acceptance: Acceptance = STRICT
) -> Report:
    """The report that `as_json` saved, of the run with the id `run`; `name` is what an error calls the file.

    Raises CatError E603; for a report that was changed since it was written, or that belongs to
    another run, unless changes are accepted.
    """
    try:
        held = json.loads(text)
        if not isinstance(held, dict) or held.get("format") != FORMAT:
            raise _no_report(name, f"its format is not {FORMAT}")
        signed = check_digest(held, name, "E603", acceptance)
        report = _REPORT.validate_python({part.name: held[part.name] for part in fields(Report) if part.name in held})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _no_report(name, f"`{place}`: {first['msg'].lower()}") from error
    except RecursionError:
        raise _no_report(name, "it nests too deep") from None
    except ValueError as error:
        raise _no_report(name, str(error)) from error
    check_run(report.run_id, run, name, "E603", acceptance)
    if run is not None:
        missing = [what for what, known in (("run", report.run_id), (DIGEST, signed)) if not known]
        say_unknown(name, missing, "types and ranges", acceptance)
    return report


def json_values(value: Any) -> Any:
    """Values that any writer of JSON takes, and any file of text.

    Numbers that JSON does not know are the words NaN, Infinity and -Infinity. What no text file can
    hold, such as bytes of a file name that are no characters, is replaced.
    """
    if isinstance(value, dict):
        return {key: json_values(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_values(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _no_report(name: str, why: str) -> CatError:
    return CatError.one(
        "E603", f"{name} does not hold a report: {why}", help="write it again with `catdsl evaluate RUN --data DIR`"
    )
