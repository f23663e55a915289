"""Whose a file is, by what it says of itself, and whether one is taken that is not what it says.

Apart from what reads files, so that a command can say what it accepts before it loads any of that.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from catdsl.diagnostics import CatError


@dataclass(frozen=True, slots=True)
class Owner:
    """The network that weights are for, by its digest and in words, and the run that they belong to."""

    network: str | None = None
    shown: str = ""
    run: str | None = None


NOBODY = Owner()
"""The owner of tensors that belong to no single network."""


def silent(line: str) -> None:
    """Say nothing, where nobody listens."""
    return None


@dataclass(frozen=True, slots=True)
class _SaidOnce:
    """Passes each line on the first time that it is said."""

    say: Callable[[str], None]
    said: set[str] = field(default_factory=set, compare=False)

    def __call__(self, line: str) -> None:
        if line not in self.said:
            self.said.add(line)
            self.say(line)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Whether a file is taken that is not what it says, or not for what it is wanted for; and who is told."""

    changes: bool = False
    say: Callable[[str], None] = silent

    def __post_init__(self) -> None:
        # A command may open one file at several places. Where nobody listens, no line is remembered.
        if self.say is not silent and not isinstance(self.say, _SaidOnce):
            object.__setattr__(self, "say", _SaidOnce(self.say))

    def refuse(self, problem: CatError) -> None:
        """Raise the error, or say it where changes are accepted."""
        if not self.changes:
            raise problem
        for diagnostic in problem.diagnostics:
            self.say(f"warning: {diagnostic.message}; taken all the same, as --accept-changes says")


STRICT = Acceptance()
