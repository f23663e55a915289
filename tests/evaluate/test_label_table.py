"""Tables of labels: three ways to write one, and the line of each mistake."""

from pathlib import Path

import pytest

from catdsl.diagnostics import CatError
from catdsl.evaluate.label_table import read_table

LABELS = {0: 7, 1: 8, 12: 7}


def written(folder: Path, text: str) -> Path:
    path = folder / "table"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "0 7\n1 8\n12 7\n",
        "# Cityscapes\npredicted,truth\n0,7   # road\n\n1, 8\n12,7",
        "\ufeffpredicted\ttruth\r\n0\t7\r\n1\t8\r\n12\t7\r\n",
        '{"0": 7, "1": 8, "12": 7}',
        ' {\n"0": 7,\n"1": 8,\n"12": 7\n}\n',
    ],
)
def test_ways_to_write_a_table(tmp_path: Path, text: str) -> None:
    assert read_table(written(tmp_path, text)).labels == LABELS


def test_lookup(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "0 1\n2 0\n3 255"))
    assert table.lookup(5, labels=2, ignore=255).tolist() == [1, 2, 0, 2, 2]
    with pytest.raises(CatError, match=r"E607.*table speaks of label 255, and the data has labels 0 to 1"):
        table.lookup(5, labels=2, ignore=None)
    with pytest.raises(CatError, match=r"E607.*table speaks of class 3, and the segmenter has classes 0 to 2"):
        table.lookup(3, labels=2, ignore=255)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0 7\n1 road\n", ":2: `1 road` is not two indices"),
        ("0 7\n\n1\n", ":3: `1` is not two indices"),
        ("0 7 8\n", ":1: `0 7 8` is not two indices"),
        ("0 -1\n", ":1: `0 -1` is not two indices"),
        ("0 7\npredicted truth\n", ":2: `predicted truth` is not two indices"),
        ("0 7\n1 8\n0 9\n", ":3: class 0 stands there a second time"),
        ('{"0": 7,\n "1": "road"}', ':2: `1 "road"` is not two indices'),
        ('{"0": 7,\n "1": 8,\n "1": 9}', ":3: class 1 stands there a second time"),
        ('{"0": {"1": 2}}', ':1: `0 [["1", 2]]` is not two indices'),
        ('{"0": 7,\n "1" 8}', ":2: this is no JSON: Expecting ':' delimiter"),
        ("0 " + "9" * 5000, f":1: `0 {'9' * 58}...` is not two indices"),
        ('{"0": ' + "9" * 5000 + "}", ":1: it holds a number that is too long for an index"),
        ('{"0": 1234567890}', ":1: `0 1234567890` is not two indices"),
        ("# nothing\n", " holds no class"),
        ("{}", " holds no class"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(CatError) as caught:
        read_table(path)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.message) == ("E607", f"{path}{complaint}")
    assert "predicted truth" in diagnostic.help


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CatError, match=r"E607.*cannot read .*gone: it does not exist"):
        read_table(tmp_path / "gone")
    (tmp_path / "image").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(CatError, match=r"E607.*image is not UTF-8 text"):
        read_table(tmp_path / "image")
