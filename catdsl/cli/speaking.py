"""Of several processes that run the same command, one speaks."""

import os


def speaks() -> bool:
    """Whether this process is the first, or the only one: launchers number them in the environment."""
    return os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) in ("", "0")
