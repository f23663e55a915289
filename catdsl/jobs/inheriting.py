"""What a student's first weights hold of its teacher, as a line and as JSON."""

from collections import Counter
from typing import Any

from catdsl.search.folding import Fate, Folded

_WORDS = {
    Fate.BIAS: "into a bias",
    Fate.RUNNING_MEAN: "into a running mean",
    Fate.CANCELLED: "cancelled by a norm",
    Fate.NOTHING: "nothing to carry",
    Fate.NO_BIAS: "lost where there is no bias",
    Fate.NOT_CONSTANT: "lost as not constant",
}


def folding_line(folded: Folded) -> str:
    """How often each fate befell removed channels, and how many of these places are exact."""
    if not folded.removals:
        return "no removed channel is read"
    fates = Counter(removal.fate for removal in folded.removals)
    told = ", ".join(f"{fates[fate]} {words}" for fate, words in _WORDS.items() if fates[fate])
    exact = sum(removal.exact for removal in folded.removals)
    return f"constants of removed channels: {told}; {exact} of {len(folded.removals)} exact"


def folding_json(folded: Folded) -> dict[str, Any]:
    """Every place where removed channels are read, with what became of them."""
    return {
        "exact": folded.exact,
        "removals": [
            {
                "reader": removal.reader,
                "channels": removal.channels,
                "fate": removal.fate.value,
                "place": removal.place,
                "exact": removal.exact,
                "doubt": removal.doubt and removal.doubt.value,
                "lost": removal.lost,
            }
            for removal in folded.removals
        ],
    }
