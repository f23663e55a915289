"""Limits as they are given: amounts with and without units, and texts that are none."""

import pytest

from catdsl.diagnostics import CatError
from catdsl.limits import LIMITS, VARIABLE, set_limits


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ("1000", 1000),
        ("200_000_000", 200_000_000),
        ("1.5M", 1_500_000),
        ("2g", 2_000_000_000),
        # Beyond what floats hold exactly.
        ("123456789012345679", 123_456_789_012_345_679),
    ],
)
def test_amounts(monkeypatch: pytest.MonkeyPatch, given: str, most: int) -> None:
    monkeypatch.setenv(VARIABLE, "")
    set_limits([f"pixels={given}"])
    assert LIMITS["pixels"].most == most
    assert LIMITS["json"].most == LIMITS["json"].default


@pytest.mark.parametrize("given", ["9" * 400, "9" * 5000, "1e9", "-1", "", "1.", "9" * 19])
def test_what_is_no_amount(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(CatError, match=r"E607.*is not NAME=AMOUNT"):
        set_limits([f"pixels={given}"])


@pytest.mark.parametrize("given", ["9" * 5000, "many", ""])
def test_an_environment_that_holds_no_amount(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(VARIABLE, f"pixels={given}")
    assert LIMITS["pixels"].most == LIMITS["pixels"].default
