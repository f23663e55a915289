"""Of several processes that run the same command, one speaks."""

import os


def speaks() -> bool:
    """Whether this process is the first, or the only one: launchers number them, and say how many there are."""
    if "WORLD_SIZE" not in os.environ:
        return True
    return os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) in ("", "0")
