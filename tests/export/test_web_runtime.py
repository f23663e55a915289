"""Where onnxruntime-web is found, and what is told where it is not. The files here only bear its names."""

import gzip
import os
import tarfile
from pathlib import Path

import pytest

from catdsl.diagnostics import CatError
from catdsl.export.web_runtime import FILES, find_runtime

_ABOUT = b'{"name": "onnxruntime-web", "version": "1.2.3"}'


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with more than is needed."""
    folder = tmp_path / "package"
    (folder / "dist").mkdir(parents=True)
    for name in (*FILES, "ort.webgpu.min.mjs"):
        (folder / "dist" / name).write_bytes(name.encode())
    (folder / "package.json").write_bytes(_ABOUT)
    return folder


def _archive(package: Path) -> Path:
    path = package.with_name("onnxruntime-web-1.2.3.tgz")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(package, "package")
    return path


def test_a_folder_its_dist_and_the_archive_are_the_same(package: Path) -> None:
    found = [find_runtime(place) for place in (package, package / "dist", _archive(package))]
    assert found[0].files == {name: name.encode() for name in FILES}
    assert found[0].version == "1.2.3"
    assert found == [found[0]] * 3


def test_node_modules_are_looked_into(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatError, match=r"E607.*not in \./node_modules") as told:
        find_runtime(None)
    assert "npm install onnxruntime-web" in (told.value.diagnostics[0].help or "")
    assert "npm pack onnxruntime-web" in (told.value.diagnostics[0].help or "")
    (tmp_path / "node_modules").mkdir()
    package.rename(tmp_path / "node_modules" / "onnxruntime-web")
    assert find_runtime(None).version == "1.2.3"


@pytest.mark.parametrize("archived", [False, True])
def test_what_is_missing_is_named(package: Path, archived: bool) -> None:
    (package / "dist" / FILES[2]).unlink()
    with pytest.raises(CatError, match=rf"E607.*it lacks {FILES[2]}"):
        find_runtime(_archive(package) if archived else package)


def test_damaged_archives_and_bombs_are_refused(package: Path, tmp_path: Path) -> None:
    whole = _archive(package).read_bytes()
    header = tarfile.TarInfo("package/dist/" + FILES[0])
    header.size = 5_000_000_000
    contents = {
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:20] + bytes(each ^ 255 for each in whole[20:60]) + whole[60:],
        "large": gzip.compress(header.tobuf() + bytes(1_000_000)),
    }
    header.type = tarfile.XHDTYPE
    contents["attributes"] = gzip.compress(header.tobuf() + bytes(1_000_000))
    for name, content in contents.items():
        (tmp_path / f"{name}.tgz").write_bytes(content)
        with pytest.raises(CatError, match=rf"E607.*{name}\.tgz (is no archive of npm|has more than)"):
            find_runtime(tmp_path / f"{name}.tgz")


def test_pipes_are_not_waited_for(package: Path) -> None:
    (package / "dist" / FILES[1]).unlink()
    os.mkfifo(package / "dist" / FILES[1])
    with pytest.raises(CatError, match=r"E607.*is a pipe, which is not read"):
        find_runtime(package)


def test_what_is_no_package_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "some.tgz").write_bytes(b"no archive")
    with pytest.raises(CatError, match=r"E607.*some\.tgz is no archive of npm"):
        find_runtime(tmp_path / "some.tgz")
    with pytest.raises(CatError, match=r"E607.*nothing is not there"):
        find_runtime(tmp_path / "nothing")


@pytest.mark.parametrize("about", [None, b"{", b"[]", b'{"name": "other", "version": "9"}'])
def test_a_version_is_not_guessed(package: Path, about: bytes | None) -> None:
    (package / "package.json").unlink()
    if about is not None:
        (package / "package.json").write_bytes(about)
    assert find_runtime(package).version is None


def test_damage_within_an_archive_is_told_of(package: Path) -> None:
    data = _archive(package).read_bytes()
    package.with_name("half.tgz").write_bytes(data[: len(data) // 2])
    with pytest.raises(CatError, match=r"E607.*half\.tgz is no archive of npm"):
        find_runtime(package.with_name("half.tgz"))
