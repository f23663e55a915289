"""A process that writes files, and folders, again and again until it is killed."""

import sys
from itertools import count
from pathlib import Path

from catdsl.files import whole_folder, write_whole

SIZE = 300_000
NAMES = ("one.bin", "two.bin")


def content(number: int) -> bytes:
    """A file's bytes: each says which round it is of."""
    return number.to_bytes(8, "big") * (SIZE // 8)


def write_files(target: Path, number: int) -> None:
    data = content(number)
    # In parts, so that a kill may come between them.
    write_whole(target, lambda stream: [stream.write(data[at : at + 10_000]) for at in range(0, SIZE, 10_000)])


def write_folder(target: Path, number: int) -> None:
    with whole_folder(target) as folder:
        for name in NAMES:
            (folder / name).write_bytes(content(number))


WRITERS = {"file": write_files, "folder": write_folder}

if __name__ == "__main__":
    for number in count(1):
        WRITERS[sys.argv[1]](Path(sys.argv[2]), number)
        if number == 1:
            print("begun", flush=True)
