"""The command that made a run, put together of checked parts: a run folder may come from anywhere.

What decides the run is taken from what its record says was asked; of the words that were typed, only flags
that the command knows are taken, each with a value of its own kind.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from catdsl.diagnostics.printable import REPLACEMENT

_COMMANDS = ("train", "distill", "compress")
_LONGEST = 4096
_SHARED = (
    "--data", "--seed", "--steps", "--device", "--devices", "--vgg", "--tensorboard", "--set"
)  # fmt: skip
_FLAGS: Mapping[str, tuple[str, ...]] = {
    "train": _SHARED,
    "distill": (*_SHARED, "--student", "--teacher"),
    "compress": (*_SHARED, "--budget", "--count", "--teacher", "--times"),
}
_ALONE = ("--tensorboard",)
"""Flags without a value."""
_SKIPPED = ("-o", "--out", "--format", "--limit")
"""Flags with a value that belongs to the old run, or to the terminal."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_VALUE = re.compile(r"[A-Za-z0-9_.,%+\-*/()\[\] ]{1,200}|\"[^\"\\\n]{0,200}\"", re.ASCII)


def recorded(words: Sequence[str]) -> tuple[str, ...]:
    """Words for the record of a run: bytes of names that are no UTF-8, which no JSON holds, are replaced."""
    return tuple(re.sub("[\ud800-\udfff]", REPLACEMENT, word) for word in words)


def making_command(record: Mapping[str, Any], spec: Path, again: str) -> list[str]:
    """The words that make the run again at the place `again`; none where the record has no command.

    `spec` is the run's own copy, for a record that does not name a file. Values that cannot be checked are
    left out, or shown by a placeholder where the command needs them.
    """
    typed = record.get("command")
    asked = record.get("asked")
    if not isinstance(typed, list) or not typed or not isinstance(asked, Mapping):
        return []
    words = [word for word in typed if isinstance(word, str)]
    command = words[1] if len(words) > 1 and words[1] in _COMMANDS else _command_of(asked)
    given = list(_given(words[2:], command))
    file = str(record.get("file", ""))
    made = ["catdsl", command, _as_argument(file) if _is_path(file) else str(spec)]
    settings = asked.get("set")
    for flag, text in given:
        made += _option(flag, text, asked, settings if isinstance(settings, Mapping) else {})
    typed_flags = {flag for flag, _ in given}
    for flag, key in (("--seed", "seed"), ("--steps", "steps")):
        if flag not in typed_flags and _is_count(asked.get(key)) and asked[key]:
            made += [flag, str(asked[key])]
    return [*made, "-o", again]


def _command_of(asked: Mapping[str, Any]) -> str:
    return "compress" if "budget" in asked else "distill" if "widths" in asked else "train"


def _given(words: Sequence[str], command: str) -> Iterator[tuple[str, str]]:
    """The flags among the words that the command knows, each with its value as it was typed."""
    rest = iter(words)
    for word in rest:
        flag, separator, text = word.partition("=")
        if flag in _SKIPPED and not separator:
            next(rest, None)
        if flag not in _FLAGS[command]:
            continue
        if flag in _ALONE:
            yield flag, ""
        else:
            yield flag, text if separator else next(rest, "")


def _option(flag: str, text: str, asked: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """A flag with its value, if that is one; seed, steps and parameters are those that the record says."""
    if flag in _ALONE:
        return [flag]
    if flag in ("--seed", "--steps"):
        value = asked.get(flag.removeprefix("--"))
        return [flag, str(value)] if _is_count(value) else []
    if flag == "--set":
        name = text.partition("=")[0].strip()
        value = settings.get(name)
        fits = _NAME.fullmatch(name) and isinstance(value, str) and _VALUE.fullmatch(value) and value.isprintable()
        return [flag, f"{name}={value}"] if fits else []
    if flag in _KINDS:
        return [flag, text] if _KINDS[flag](text) else []
    return [flag, _as_argument(text) if _is_path(text) else flag.removeprefix("--").upper()]


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text, re.ASCII) is not None


_KINDS: Mapping[str, Callable[[str], bool]] = {
    "--budget": _matches(r"[A-Za-z0-9_.,=% ]{1,200}"),
    "--count": _matches("exact|paper"),
    "--device": _matches(r"auto|cpu|mps|cuda(:\d{1,3})?"),
    "--devices": _matches(r"\d{1,4}"),
}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_path(value: str) -> bool:
    return 0 < len(value) <= _LONGEST and value.isprintable() and REPLACEMENT not in value


def _as_argument(path: str) -> str:
    """A path that no command takes for a flag."""
    return f"./{path}" if path.startswith("-") else path
