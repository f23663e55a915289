"""Settings blocks of a program into their pydantic models, with errors at the key."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from catdsl.diagnostics import Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.semantics.arithmetic import is_number
from catdsl.semantics.expressions import Evaluator
from catdsl.semantics.report import Report
from catdsl.semantics.scope import Scope
from catdsl.semantics.settings import Settings, SpecSettings
from catdsl.semantics.values import POISON, Repeated, Share, Tensor, Word, describe, plain
from catdsl.syntax import tree

BLOCKS: Mapping[str, type[Settings]] = {
    name: field.annotation for name, field in SpecSettings.model_fields.items() if isinstance(field.annotation, type)
}
_INITS = ("normal", "xavier", "kaiming")


class SettingsReader:
    """Reads the settings blocks of one file."""

    def __init__(self, evaluator: Evaluator, scope: Scope):
        self.evaluator, self.scope = evaluator, scope
        self.report: Report = evaluator.report

    def read(self, block: tree.SettingsBlock) -> Settings | None:
        """The model of a block, or None after reporting what is wrong with it."""
        model = BLOCKS.get(block.name.text)
        if model is None:
            self.report.error(
                "E501", f"there is no settings block `{block.name.text}`", block.name.span,
                help=did_you_mean(block.name.text, [*BLOCKS, "param", "block", "generator"],
                                  otherwise="the blocks are " + ", ".join(BLOCKS)),
            )  # fmt: skip
            return None
        values: dict[str, Any] = {}
        places: dict[str, tuple[Span, Span]] = {}
        failed = False
        for pair in block.pairs:
            key = pair.key.text
            if key not in model.model_fields:
                failed = True
                self.report.error(
                    "E502", f"`{block.name.text}` has no setting `{key}`", pair.key.span,
                    help=did_you_mean(
                        key, model.model_fields, otherwise="it has " + ", ".join(model.model_fields)
                    ),
                )  # fmt: skip
                continue
            if key in places:
                failed = True
                self.report.error("E203", f"`{key}` is set twice", pair.key.span, notes=(f"first at {places[key][0]}",))
                continue
            if key in values:
                failed = True
                self.report.error("E203", "the gain of `init` is given twice", pair.key.span, help=f"remove `{key}`")
                continue
            places[key] = (pair.key.span, pair.value.span)
            failed |= not self._put(model, key, pair.value, values)
        if failed:
            return None
        try:
            # Strict: a string is no number, and true is not 1.
            return model.model_validate(values, strict=True)
        except ValidationError as error:
            for detail in error.errors():
                self._invalid(block, model, detail, places, values)
            return None

    def _put(self, model: type[Settings], key: str, expr: tree.Expr, values: dict[str, Any]) -> bool:
        """Evaluate one setting; False where it has no value."""
        if key == "init" and "init_gain" in model.model_fields and isinstance(expr, tree.Call):
            return self._init(expr, values)
        # Where a setting has no choices, an unknown name is no word but a mistake.
        annotation = model.model_fields[key].annotation
        words = frozenset(_bare_names(expr)) if _choices(annotation) else frozenset()
        value = self.evaluator.value(expr, self.scope, "", words)
        if value is POISON:
            return False
        if key == "taps":
            return self._taps(value, expr, values)
        values[key] = _as_plain(value)
        return True

    def _init(self, expr: tree.Call, values: dict[str, Any]) -> bool:
        """`init = normal(0.02)`: a kind and its gain."""
        kind = expr.callee
        if kind.text not in _INITS:
            self.report.error(
                "E503", f"`init` is one of {', '.join(_INITS)}; got `{kind.text}`", kind.span,
                help=did_you_mean(kind.text, _INITS),
            )  # fmt: skip
            return False
        given = expr.arguments if isinstance(expr.arguments, tuple) else ()
        gain = plain(self.evaluator.value(given[0].value, self.scope)) if len(given) == 1 else None
        if gain is POISON:
            return False
        if not is_number(gain) or given[0].name is not None:
            self.report.error(
                "E503",
                f"`{kind.text}` takes one number, its gain",
                expr.span,
                help=f"write {kind.text}(0.02)",
            )
            return False
        if "init_gain" in values:
            self.report.error("E203", "the gain of `init` is given twice", expr.span, help="remove `init_gain`")
            return False
        values["init"], values["init_gain"] = kind.text, gain
        return True

    def _taps(self, value: Any, expr: tree.Expr, values: dict[str, Any]) -> bool:
        items = value if isinstance(value, tuple) else (value,)
        written = isinstance(expr, tree.ListOf) and len(expr.items) == len(items)
        spans = [i.span for i in expr.items] if written else [expr.span] * len(items)  # type: ignore[union-attr]
        labels: list[str] = []
        for item, span in zip(items, spans, strict=True):
            tensor = item.last if isinstance(item, Repeated) else item
            if not isinstance(tensor, Tensor) or not tensor.label:
                got = "a tensor without a name" if isinstance(tensor, Tensor) else describe(tensor)
                self.report.error(
                    "E504", f"a tap is a statement of the generator, got {got}", span,
                    help="write for example taps = [stem, body[2]]",
                )  # fmt: skip
            elif tensor.label in labels:
                self.report.error("E504", f"the tap `{tensor.label}` stands twice", span, help="remove one")
            else:
                labels.append(tensor.label)
        values["taps"] = tuple(labels)
        return len(labels) == len(items)

    def _invalid(
        self, block: tree.SettingsBlock, model: type[Settings], detail: ErrorDetails,
        places: Mapping[str, tuple[Span, Span]], values: Mapping[str, Any],
    ) -> None:  # fmt: skip
        key = str(detail["loc"][0]) if detail["loc"] else ""
        if key == "init_gain" and key not in places:
            places = {**places, key: places["init"]}
        if key not in places:
            message = detail["msg"].removeprefix("Value error, ")
            self.report.error("E503", f"`{block.name.text}`: {message}", block.name.span)
            return
        choices = _choices(model.model_fields[key].annotation)
        given = _shown(values[key])
        if choices:
            self.report.error(
                "E503", f"`{key}` is one of {', '.join(choices)}; got {given}", places[key][1],
                help=did_you_mean(str(values[key]), choices),
            )  # fmt: skip
            return
        self.report.error("E503", f"`{key}` {_demand(detail)}, got {given}", places[key][1])


# What pydantic's kinds of error mean to the writer of a spec.
_DEMANDS = {
    "int_type": "be a whole number", "int_from_float": "be a whole number",
    "float_type": "be a number", "finite_number": "be a finite number",
    "bool_type": "be true or false", "string_type": "be a string",
    "tuple_type": "be a list", "too_long": "have at most {max_length} items", "missing": "have more items",
    "greater_than": "be above {gt:g}", "greater_than_equal": "be at least {ge:g}",
    "less_than": "be below {lt:g}", "less_than_equal": "be at most {le:g}",
}  # fmt: skip


def _demand(detail: ErrorDetails) -> str:
    """What a setting must be, where a value is not."""
    found = _DEMANDS.get(detail["type"])
    if found is None:
        return detail["msg"].removeprefix("Value error, ")
    return "must " + found.format(**detail.get("ctx", {}))


def _bare_names(expr: tree.Expr) -> set[str]:
    """Names in a setting's value that may be words: the model decides whether they are choices."""
    match expr:
        case tree.Name():
            return {expr.text}
        case tree.ListOf():
            return {name for item in expr.items for name in _bare_names(item)}
        case tree.Choose():
            return _bare_names(expr.then) | _bare_names(expr.otherwise)
    return set()


def _as_plain(value: Any) -> Any:
    """A value as the models want it: words as strings, shares as `25%`."""
    match value:
        case Word():
            return value.text
        case Share():
            return str(value)
        case tuple():
            return tuple(_as_plain(v) for v in value)
    number = plain(value)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _choices(annotation: Any) -> tuple[str, ...]:
    """The words of a Literal, also inside a union with bool or None."""
    found: list[str] = []
    for argument in get_args(annotation):
        if isinstance(argument, str):
            found.append(argument)
        elif argument is bool and found:
            found += ["true", "false"]
        else:
            found += _choices(argument)
    return tuple(found)


SETTING_WORDS = frozenset(
    word
    for block in BLOCKS.values()
    for setting in block.model_fields.values()
    for word in _choices(setting.annotation)
    if word not in ("true", "false")
)


def _shown(value: Any) -> str:
    """A value as the spec writes it."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(v).strip("`") for v in value) + "]"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
