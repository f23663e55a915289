"""Linear forms over widths with exact coefficients: `x.channels / 2`, `a.channels + b.channels`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm


@dataclass(frozen=True, slots=True)
class Linear:
    """`constant + sum(coefficient * width)`; terms sorted by name, no zero coefficient."""

    terms: tuple[tuple[str, Fraction], ...] = ()
    constant: Fraction = Fraction(0)

    @classmethod
    def of(cls, terms: Iterable[tuple[str, Fraction]], constant: Fraction = Fraction(0)) -> "Linear":
        total: dict[str, Fraction] = {}
        for name, coefficient in terms:
            total[name] = total.get(name, Fraction(0)) + coefficient
        return cls(tuple(sorted((n, c) for n, c in total.items() if c)), constant)

    def plus(self, other: "Linear", factor: Fraction = Fraction(1)) -> "Linear":
        more = ((n, c * factor) for n, c in other.terms)
        return Linear.of((*self.terms, *more), self.constant + other.constant * factor)

    def times(self, factor: Fraction) -> "Linear":
        return Linear.of(((n, c * factor) for n, c in self.terms), self.constant * factor)

    def substitute(self, forms: Mapping[str, "Linear"]) -> "Linear":
        """This form with every width in `forms` replaced by its own form."""
        result = Linear((), self.constant)
        for name, coefficient in self.terms:
            result = result.plus(forms.get(name) or Linear(((name, Fraction(1)),)), coefficient)
        return result

    def value(self, counts: Mapping[str, int]) -> Fraction:
        return self.constant + sum((c * counts[n] for n, c in self.terms), Fraction(0))

    def denominator(self) -> int:
        return lcm(self.constant.denominator, *(c.denominator for _, c in self.terms))

    def __str__(self) -> str:
        parts = [f"{c} * {n}" if c != 1 else n for n, c in self.terms]
        if self.constant or not parts:
            parts.append(str(self.constant))
        return " + ".join(parts)
