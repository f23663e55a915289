"""Paths among the arguments are taken as they come: what reads one says why it cannot be read, and exits with 1."""

from typing import Annotated, Any, get_args, get_origin, get_type_hints

from typer import Typer
from typer.models import ParameterInfo


def leave_paths(app: Typer) -> None:
    """Have typer ask no path of an application whether it may be read: it would call that wrong usage."""
    for command in app.registered_commands:
        for hint in get_type_hints(command.callback, include_extras=True).values():
            for described in _described(hint):
                described.readable = False
    for group in app.registered_groups:
        if group.typer_instance is not None:
            leave_paths(group.typer_instance)


def _described(hint: Any) -> list[ParameterInfo]:
    told = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return [each for each in told if isinstance(each, ParameterInfo)]
