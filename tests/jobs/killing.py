"""Commands in processes that may be killed: forked from a server that has loaded everything they need."""

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext


def server() -> ForkServerContext:
    """The server, running: it has the folder of the tests for its own, whatever folder a test changes to."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.jobs.preloaded"])
    forkserver.ensure_running()
    return context


def command(folder: str, cache: str | None, words: tuple[str, ...]) -> None:
    """What such a process does: `catdsl WORDS` in a folder, in silence."""
    os.chdir(folder)
    if cache is not None:
        # The server was started with what holds for all tests.
        os.environ["XDG_CACHE_HOME"] = cache
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.argv = ["catdsl", *words]
    import torch

    from catdsl.cli import main

    torch.set_num_threads(1)
    # Forked processes begin in one random state, real ones in their own.
    torch.seed()
    main()
