"""Files are written whole, through links, beside whatever lies there, and into nothing that is no file."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from catdsl import files
from catdsl.diagnostics import CatError
from catdsl.files import (
    beside,
    cache_folder,
    is_temporary,
    open_to_append,
    place_all,
    same_file,
    whole_folder,
    write_bytes,
    write_text,
    write_whole,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and modes are POSIX's")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(path, *words):
    with pytest.raises(CatError, match="E608") as error:
        write_bytes(path, b"new")
    for word in words:
        assert word in str(error.value)


@pytest.fixture
def umask():
    before = os.umask(0o027)
    yield
    os.umask(before)


class TestTemporaries:
    def test_the_name_is_unknown_before_and_gone_after(self, tmp_path):
        seen = set()
        for _ in range(20):
            write_whole(tmp_path / "a", lambda stream: seen.update(names(tmp_path)))
        hidden = seen - {"a"}
        assert len(hidden) == 20
        assert all(is_temporary(Path(name)) for name in hidden)
        assert names(tmp_path) == ["a"]

    def test_it_fits_beside_the_longest_name(self, tmp_path):
        path = tmp_path / ("é" * 127 + "x")
        write_bytes(path, b"new")
        assert path.read_bytes() == b"new"
        refused(tmp_path / ("x" * 256), "too long")

    def test_what_a_link_would_have_led_to_stays(self, tmp_path, monkeypatch):
        """A file of the very name that is drawn is never opened, let alone written through."""
        (tmp_path / "theirs").write_text("theirs")
        drawn = iter([b"\0" * 12, b"\1" * 12])
        write_bytes(tmp_path / "a", b"old")
        monkeypatch.setattr("catdsl.temporary.os.urandom", lambda count: next(drawn))
        with beside(tmp_path / "a") as folder:
            name = folder.name
        (tmp_path / name).symlink_to(tmp_path / "theirs")
        drawn = iter([b"\0" * 12] * 9)
        refused(tmp_path / "a", "exists")
        assert (tmp_path / "theirs").read_text() == "theirs"
        assert (tmp_path / "a").read_bytes() == b"old"

    def test_a_failure_leaves_the_old_file_alone(self, tmp_path):
        write_bytes(tmp_path / "a", b"old")
        with pytest.raises(ZeroDivisionError):
            write_whole(tmp_path / "a", lambda stream: stream.write(b"x") // 0)
        assert (tmp_path / "a").read_bytes() == b"old"
        assert names(tmp_path) == ["a"]


class TestSweeping:
    NAME = ".catdsl-{machine}-000000000000000000000000.tmp"

    def left_over(self, folder, monkeypatch=None):
        """A temporary file as a dead process of this machine leaves it."""
        code = (
            "import os, sys; from pathlib import Path; from catdsl.files import write_whole\n"
            "write_whole(Path(sys.argv[1]) / 'a', lambda stream: os._exit(0))"
        )
        root = Path(__file__).resolve().parents[2]
        subprocess.run([sys.executable, "-c", code, str(folder)], cwd=root, check=True)
        (name,) = (path for path in folder.iterdir() if is_temporary(path))
        return name

    def test_what_the_dead_left_is_removed(self, tmp_path):
        self.left_over(tmp_path)
        write_bytes(tmp_path / "b", b"")
        assert names(tmp_path) == ["b"]

    def test_what_the_living_write_stays(self, tmp_path):
        def write_another(stream):
            write_bytes(tmp_path / "b", b"b")
            stream.write(b"a")

        write_whole(tmp_path / "a", write_another)
        assert (tmp_path / "a").read_bytes() == b"a"
        assert names(tmp_path) == ["a", "b"]
        with whole_folder(tmp_path / "c") as folder:
            write_bytes(tmp_path / "b", b"b")
            write_bytes(folder / "inside", b"c")
        assert names(tmp_path / "c") == ["inside"]

    def test_what_another_machine_left_stays_for_a_day(self, tmp_path):
        there = tmp_path / self.NAME.format(machine="00000000")
        there.touch()
        write_bytes(tmp_path / "b", b"")
        assert there.exists()
        os.utime(there, (1, 1))
        write_bytes(tmp_path / "b", b"")
        assert not there.exists()

    def test_what_is_not_ours_stays(self, tmp_path):
        ours = self.left_over(tmp_path).name
        (tmp_path / ours).unlink()
        others = ("a.tmp", ".a.tmp", ours.upper(), ours + "x", "x" + ours, ".catdsl-1-2.tmp")
        for name in others:
            (tmp_path / name).touch()
        (tmp_path / "theirs").touch()
        (tmp_path / ours).symlink_to("theirs")
        write_bytes(tmp_path / "b", b"")
        assert names(tmp_path) == sorted([*others, ours, "b", "theirs"])

    def test_folders_below_are_not_looked_at(self, tmp_path):
        (tmp_path / "below").mkdir()
        self.left_over(tmp_path / "below")
        write_bytes(tmp_path / "b", b"")
        assert len(names(tmp_path / "below")) == 1

    @pytest.mark.parametrize("there", [False, True])
    def test_what_the_dead_had_moved_aside_comes_back(self, tmp_path, there):
        """A process that is killed between two renames, at which the old folder lies in the temporary one."""
        code = (
            "import os, sys; from pathlib import Path; from catdsl import files; real = os.replace\n"
            "from catdsl.files import whole_folder; files.exchanged = lambda *_: False\n"
            "def once(a, b): real(a, b); os._exit(0)\n"
            "os.replace = once\n"
            "with whole_folder(Path(sys.argv[1])) as folder: (folder / 'new').touch()"
        )
        root = Path(__file__).resolve().parents[2]
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "old").touch()
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], cwd=root, check=True)
        assert not (tmp_path / "a").exists()
        if there:
            (tmp_path / "a").mkdir()
        write_bytes(tmp_path / "b", b"")
        assert names(tmp_path) == ["a", "b"]
        assert names(tmp_path / "a") == ([] if there else ["old"])


class TestModes:
    def test_a_new_file_has_the_mode_of_new_files(self, tmp_path, umask):
        write_text(tmp_path / "a", "x")
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640

    @pytest.mark.parametrize("mode", [0o600, 0o755, 0o666])
    def test_an_old_one_keeps_its_own(self, tmp_path, mode, umask):
        (tmp_path / "a").touch()
        (tmp_path / "a").chmod(mode)
        seen = []
        write_whole(tmp_path / "a", lambda stream: seen.append(os.fstat(stream.fileno()).st_mode & 0o777))
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
        assert seen == [mode]

    def test_an_old_one_is_read_by_nobody_new_meanwhile(self, tmp_path, monkeypatch):
        """Before its mode is set, the new file is open to its owner alone."""
        (tmp_path / "a").touch()
        (tmp_path / "a").chmod(0o600)
        monkeypatch.setattr("catdsl.files._set_mode", lambda path, mode: None)
        seen = []
        write_whole(tmp_path / "a", lambda stream: seen.append(os.fstat(stream.fileno()).st_mode & 0o777))
        assert seen == [0o600]

    def test_a_folder_keeps_its_own(self, tmp_path, umask):
        with whole_folder(tmp_path / "a"):
            pass
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o750
        (tmp_path / "a").chmod(0o700)
        with whole_folder(tmp_path / "a"):
            pass
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


class TestPlaces:
    def test_a_link_is_written_through(self, tmp_path):
        (tmp_path / "far").mkdir()
        (tmp_path / "far" / "real").write_text("old")
        (tmp_path / "near").symlink_to("far/second")
        (tmp_path / "far" / "second").symlink_to("real")
        write_text(tmp_path / "near", "new")
        assert (tmp_path / "far" / "real").read_text() == "new"
        assert (tmp_path / "near").is_symlink()
        assert (tmp_path / "far" / "second").is_symlink()
        assert names(tmp_path / "far") == ["real", "second"]

    def test_a_dangling_link_makes_its_file(self, tmp_path):
        (tmp_path / "near").symlink_to("real")
        write_text(tmp_path / "near", "new")
        assert (tmp_path / "real").read_text() == "new"
        (tmp_path / "lost").symlink_to("no/folder")
        refused(tmp_path / "lost", "No such file", "a link leads to a folder that is not there")

    def test_a_loop_of_links(self, tmp_path):
        (tmp_path / "a").symlink_to("b")
        (tmp_path / "b").symlink_to("a")
        refused(tmp_path / "a", "links lead in a circle")
        refused(tmp_path / "a" / "c", "E608")

    def test_what_is_no_file(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "folder").mkdir()
        (tmp_path / "link").symlink_to("pipe")
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(tmp_path / "socket"))
        for name, word in (("pipe", "pipe"), ("link", "pipe"), ("folder", "folder"), ("socket", "socket")):
            refused(tmp_path / name, f"it is a {word}, not a file")
        for device in ("/dev/null", "/dev/full"):
            refused(Path(device), "it is a device, not a file")
            assert stat.S_ISCHR(os.stat(device).st_mode)
        door.close()

    @pytest.mark.parametrize("name", ["a\0b", "file/b", "file/b/c"])
    def test_what_cannot_be_a_place(self, tmp_path, name):
        (tmp_path / "file").touch()
        refused(tmp_path / name)

    def test_lines_are_added_under_the_same_rules(self, tmp_path):
        (tmp_path / "link").symlink_to("real")
        with open_to_append(tmp_path / "link") as stream:
            stream.write("one\n")
            assert same_file(stream, tmp_path / "real")
            (tmp_path / "real").rename(tmp_path / "away")
            assert not same_file(stream, tmp_path / "real")
            (tmp_path / "real").touch()
            assert not same_file(stream, tmp_path / "real")
        assert (tmp_path / "away").read_text() == "one\n"
        with pytest.raises(CatError, match="device"):
            open_to_append(Path("/dev/null"))


class TestFolders:
    def test_it_is_there_once_it_is_whole(self, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "old").touch()
        with whole_folder(tmp_path / "a") as folder:
            write_text(folder / "new", "x")
            assert names(tmp_path / "a") == ["old"]
        assert names(tmp_path / "a") == ["new"]
        assert names(tmp_path) == ["a"]

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    def test_a_failure_leaves_the_old_one(self, tmp_path, error):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "old").touch()
        with pytest.raises(error), whole_folder(tmp_path / "a"):
            raise error
        assert names(tmp_path / "a") == ["old"]
        assert names(tmp_path) == ["a"]

    def test_one_that_cannot_be_put_there_leaves_the_old_one(self, tmp_path, monkeypatch):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "old").touch()
        real = os.replace

        def full(source, target):
            if Path(target) == tmp_path / "a" and "new" in Path(source).parts:
                raise OSError(28, "No space left on device")
            real(source, target)

        def work():
            with whole_folder(tmp_path / "a") as folder:
                (folder / "b").touch()

        # As where folders cannot change their places in one step.
        monkeypatch.setattr(files, "exchanged", lambda *_: False)
        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(CatError, match="No space left"):
            work()
        assert names(tmp_path / "a") == ["old"]
        assert names(tmp_path) == ["a"]

    def test_a_link_is_written_through(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        with whole_folder(tmp_path / "link") as folder:
            (folder / "b").touch()
        assert names(tmp_path / "real") == ["b"]
        assert (tmp_path / "link").is_symlink()

    def test_a_file_is_no_place_for_it(self, tmp_path):
        (tmp_path / "a").touch()
        with pytest.raises(CatError, match="E608"), whole_folder(tmp_path / "a"):
            pass

    def test_errors_name_the_place_and_not_the_temporary_one(self, tmp_path):
        with pytest.raises(CatError) as error, whole_folder(tmp_path / "a") as folder:
            write_text(folder / ("x" * 300), "")
        assert f"cannot write {tmp_path / 'a' / 'xxx'}" in str(error.value)
        with pytest.raises(CatError) as error, beside(tmp_path / "a") as folder:
            write_text(folder / ("x" * 300), "")
        assert f"cannot write {tmp_path / 'xxx'}" in str(error.value)


class TestSeveralFiles:
    def test_a_link_may_lead_to_another_disk(self, tmp_path, monkeypatch):
        (tmp_path / "far").mkdir()
        (tmp_path / "x.py").symlink_to("far/y.py")
        real = os.replace

        def two_disks(source, target):
            if is_temporary(Path(source).parent) and Path(target).parent == tmp_path / "far":
                raise OSError(18, "Invalid cross-device link")
            real(source, target)

        monkeypatch.setattr(os, "replace", two_disks)
        with beside(tmp_path / "x.py") as folder:
            (folder / "x.py").write_text("new")
            place_all(folder, [tmp_path / "x.py"])
        assert (tmp_path / "far" / "y.py").read_text() == "new"
        assert (tmp_path / "x.py").is_symlink()
        assert names(tmp_path) == ["far", "x.py"]


class TestCache:
    def test_where_it_lies(self, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", "/a")
        assert cache_folder("b") == Path("/a/catdsl/b")
        # The standard has a relative path passed over.
        monkeypatch.setenv("XDG_CACHE_HOME", "a")
        monkeypatch.setenv("HOME", "/h")
        assert cache_folder("b") == Path("/h/.cache/catdsl/b")

    @pytest.mark.parametrize("home", ["~", "relative"])
    def test_without_a_home(self, monkeypatch, home):
        """A user that the system does not know has `~` for a home."""
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", home)
        with pytest.raises(CatError, match="XDG_CACHE_HOME"):
            cache_folder("b")


def test_a_file_that_is_write_protected_stays(tmp_path):
    """For whoever may write everything, too."""
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    path.chmod(0o444)
    refused(path, "it is write-protected")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["kept"]
