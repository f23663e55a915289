"""A disk that is full, as far as a process can tell."""

import resource
import signal
from contextlib import contextmanager


@contextmanager
def files_of_at_most(count):
    """The system refuses to let any file grow beyond `count` bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
