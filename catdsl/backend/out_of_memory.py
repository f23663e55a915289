"""Whether an error says that memory has run out: of a device, or of the machine."""

import re

# torch.OutOfMemoryError says the first; the CPU's allocator, a plain RuntimeError, the second.
NO_MEMORY = r"out of memory|can't allocate memory|cannot allocate memory|failed to map segment"


def of_memory(error: Exception) -> bool:
    """Whether memory has run out, by the words of an error where it has no class of its own."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and bool(re.search(NO_MEMORY, str(error), re.IGNORECASE))
    )
