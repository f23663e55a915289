"""An error of one of two processes: RANK PORT."""

import sys

from torch import distributed as dist

from catdsl.diagnostics import CatError
from catdsl.train.collective import first_error


def main(rank: int, port: str) -> None:
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    assert first_error(None, "cpu") is None
    error = CatError.one("E602", "gone.png does not exist", notes=("of process 1",)) if rank == 1 else None
    print(first_error(error, "cpu"))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
