"""What was read from a file of torch is counted as often as a walk meets it."""

import time
from typing import Any

import pytest
import torch

from catdsl.backend.plain_content import check_plain


def nested(depth: int, wide: int) -> Any:
    held: Any = torch.ones(1)
    for _ in range(depth):
        held = [held] * wide
    return held


def circle() -> Any:
    held: dict[str, Any] = {}
    held.update(dict.fromkeys(map(str, range(1000)), held))
    return held


WHOLE = torch.ones(1_000_000)
REFUSED: dict[str, tuple[Any, str]] = {
    "wide": (nested(12, 30), "more than 1,000,000 values, each counted at every place"),
    "wide names": ({"a": {("x",) * 1000: nested(3, 100)}}, "more than 1,000,000 values"),
    "deep": (nested(14, 1), "more than 12 deep"),
    "a circle": (circle(), "more than 12 deep"),
    "views of one": ([WHOLE[i:] for i in range(30)], "more than 48,000,000 bytes, counted at every place"),
    "one text": ([["x" * 1_000_000] * 30] * 30, "more than 48,000,000 bytes"),
    "a long number": ({"a": 10**5000}, "a number has 16,610 bits"),
    "spread": (torch.ones(1).expand(10**12), "less memory than that takes"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_at_once(what: str) -> None:
    held, complaint = REFUSED[what]
    start = time.perf_counter()
    with pytest.raises(ValueError, match=complaint):
        check_plain(held, file_size=4_000_000)
    assert time.perf_counter() - start < 5


def test_shared_parts_are_taken() -> None:
    shared = {"weight": WHOLE, "bias": torch.ones(3)}
    check_plain({"a": shared, "b": shared, "steps": [1, 2.5, None, "text"], "none": ()}, file_size=4_000_000)
