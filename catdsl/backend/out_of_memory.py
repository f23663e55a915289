"""Whether an error says that memory has run out: of a device, or of the machine."""

import re

# torch.OutOfMemoryError says the first; the CPU's allocator, a plain RuntimeError, the second.
_NO_MEMORY = re.compile(r"out of memory|can't allocate memory", re.IGNORECASE)


def of_memory(error: Exception) -> bool:
    """Whether memory has run out, by the words of an error where it has no class of its own."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_NO_MEMORY.search(str(error))))
