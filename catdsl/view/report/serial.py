"""Reports as report.json and back, equal to what was saved."""

import json
from dataclasses import asdict, fields
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError

from catdsl.diagnostics import CatError
from catdsl.diagnostics.printable import printable_json
from catdsl.view.report.content import Report

FORMAT = "catdsl-report-1"

_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


def as_json(report: Report) -> str:
    """JSON with one line for each part of the report; see `json_values`."""
    lines = (f" {json.dumps(key)}: {json.dumps(part, ensure_ascii=False)}" for key, part in as_values(report).items())
    return printable_json("{\n" + ",\n".join(lines) + "\n}\n")


def as_values(report: Report) -> dict[str, Any]:
    """The same as values that any writer of JSON takes."""
    return {"format": FORMAT, **json_values(asdict(report))}


def from_json(text: str, *, name: str = "report.json") -> Report:
    """The report that `as_json` saved; `name` is what an error calls the file. Raises CatError E603."""
    try:
        held = json.loads(text)
        if not isinstance(held, dict) or held.get("format") != FORMAT:
            raise _no_report(name, f"its format is not {FORMAT}")
        return _REPORT.validate_python({part.name: held[part.name] for part in fields(Report) if part.name in held})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _no_report(name, f"`{place}`: {first['msg'].lower()}") from error
    except RecursionError:
        raise _no_report(name, "it nests too deep") from None
    except ValueError as error:
        raise _no_report(name, str(error)) from error


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
