"""Sample grids: every image at its place, enlarged without blurring, columns named."""

import numpy as np
import torch
from PIL import Image

from catdsl.train.grid import draw_grid, write_grid

HEADER, GAP = 24, 4


def flat(*levels, size=(64, 64), channels=3):
    return torch.stack([torch.full((channels, *size), level / 127.5 - 1) for level in levels])


def test_rows_are_images_and_columns_are_sources():
    grid = np.asarray(draw_grid({"input": flat(10, 20), "student": flat(30, 40), "target": flat(50, 60)}))
    assert grid.shape == (HEADER + 2 * (128 + GAP), GAP + 3 * (128 + GAP), 3)
    for row in range(2):
        for column in range(3):
            top, left = HEADER + row * (128 + GAP), GAP + column * (128 + GAP)
            cell = grid[top : top + 128, left : left + 128]
            assert (cell == 10 * (1 + row + 2 * column)).all()
    assert (grid[HEADER:, :GAP] == 255).all()


def test_columns_are_labelled_each_with_its_own_name():
    grid = np.asarray(draw_grid({"input": flat(0), "teacher": flat(0)}))
    heads = [grid[:HEADER, GAP + i * 132 : GAP + i * 132 + 128] for i in range(2)]
    dark = [(head < 128).all(-1) for head in heads]
    assert all(d.sum() > 20 for d in dark)
    assert dark[1].sum() > dark[0].sum()
    for d in dark:
        columns = np.flatnonzero(d.any(0))
        assert abs(columns.mean() - 64) < 12


def test_small_images_are_enlarged_by_whole_factors():
    image = torch.rand(1, 3, 24, 40) * 2 - 1
    grid = draw_grid({"a": image})
    assert grid.size == (2 * GAP + 6 * 40, HEADER + 6 * 24 + GAP)
    small = np.asarray(grid)[HEADER : HEADER + 144, GAP : GAP + 240][::6, ::6]
    assert np.array_equal(small, ((image[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


def test_large_and_grey_images():
    grid = draw_grid({"a": flat(7, size=(130, 300), channels=1), "b": flat(9, size=(130, 300))})
    assert grid.size == (GAP + 2 * 304, HEADER + 130 + GAP)
    assert grid.getpixel((GAP + 5, HEADER + 5)) == (7, 7, 7)


def test_the_file(tmp_path):
    write_grid(tmp_path / "samples" / "g.png", {"a": flat(200)})
    with Image.open(tmp_path / "samples" / "g.png") as image:
        assert image.getpixel((GAP + 64, HEADER + 64)) == (200, 200, 200)
