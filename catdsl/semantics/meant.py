"""What a writer may have meant: help for names, operators and blocks that do not exist."""

from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ops import BY_NAME
from catdsl.semantics.scope import Scope

# What PyTorch calls them, in lower case, where the spelling alone does not lead here.
_ELSEWHERE = {
    "conv2d": "conv", "convtranspose2d": "deconv", "conv_transpose2d": "deconv", "batchnorm2d": "batch_norm",
    "instancenorm2d": "instance_norm", "leakyrelu": "leaky_relu", "lrelu": "leaky_relu", "swish": "silu",
    "interpolate": "resize", "upsample": "resize", "cat": "concat", "chunk": "split",
    "pixelshuffle": "pixel_shuffle", "avgpool2d": "avg_pool", "maxpool2d": "max_pool",
    "reflectionpad2d": "pad",
}  # fmt: skip
_TRUTHS = {"True": "true", "False": "false", "yes": "true", "no": "false"}
_FEW_WORDS = 8


def meant_name(name: str, scope: Scope, words: frozenset[str]) -> str:
    """Help for a name that is not defined: the nearest, else what could stand there."""
    if name in _TRUTHS:
        return f"write `{_TRUTHS[name]}`"
    op = BY_NAME.get(name)
    if name == "norm" or (op is not None and op.in_language):
        return f"`{name}` is an operator: apply it, `x -> {name}`"
    listed = ", ".join(sorted(words)) if 0 < len(words) <= _FEW_WORDS else ""
    otherwise = f"the words that may stand here are {listed}" if listed else ""
    return did_you_mean(name, {*scope.names(), *words}, otherwise=otherwise)


def meant_call(name: str, known: list[str]) -> str:
    """Help for an operator or block that does not exist."""
    elsewhere = _ELSEWHERE.get(name.lower())
    if elsewhere is not None:
        return f"did you mean `{elsewhere}`?"
    otherwise = f"define it with `block {name}(x) {{ ... }}`, or take it with `use`"
    return did_you_mean(name, known, otherwise=otherwise)
