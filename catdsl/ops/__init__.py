"""The operators: one value each, one file per family. A new operator is one entry of its family."""

from catdsl.ir.op import Op
from catdsl.ops import conv, joins, norm, pointwise, pool, resample, sources, transposed

ALL: tuple[Op, ...] = (
    *sources.ALL, *conv.ALL, *transposed.ALL, *norm.ALL, *pointwise.ALL, *resample.ALL, *pool.ALL, *joins.ALL,
)  # fmt: skip

BY_NAME: dict[str, Op] = {op.name: op for op in ALL}
