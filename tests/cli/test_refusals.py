"""What the system refuses is told in words with exit code 1, and only what is our fault with 70."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import catdsl
from catdsl.cli.guard import guarded
from catdsl.cli.refusals import refusal
from catdsl.diagnostics import CatError

OURS = str(Path(catdsl.__file__).parent / "grammars" / "cat.lark")
NOBODY = 65534


def of_system(number, path=None):
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (of_system(errno.EACCES, "a/b"), "E210", "permission denied: a/b"),
        (of_system(errno.EPERM, b"a/b"), "E210", "a/b"),
        (of_system(errno.ENOSPC), "E608", "no space is left"),
        (of_system(errno.EDQUOT), "E608", "quota"),
        (of_system(errno.EROFS, "a"), "E608", "can only be read: a"),
        (of_system(errno.EMFILE, "a"), "E210", "ulimit -n"),
        (of_system(errno.ELOOP, "a"), "E210", "links lead in a circle: a"),
        (of_system(errno.ENOMEM), "E606", "memory has run out"),
        (of_system(errno.EAGAIN), "E606", "no more processes"),
        (of_system(errno.ENAMETOOLONG, "a"), "E210", "a: File name too long"),
        (of_system(errno.ENOENT, "a/gone"), "E210", "a/gone: No such file"),
        (of_system(errno.ENOTDIR, "a/b"), "E210", "a/b: Not a directory"),
        (MemoryError(), "E606", "memory has run out"),
        (MemoryError("Unable to allocate 3 GiB"), "E606", "3 GiB"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9"), "E606", "memory has"),
        (ImportError("libtorch.so: cannot open shared object file: Too many open files"), "E210", "ulimit -n"),
        (ImportError("libtorch.so: failed to map segment from shared object"), "E606", "memory has run out"),
        (RuntimeError("can't start new thread"), "E606", "ulimit -u"),
        (RuntimeError("Could not determine home directory."), "E608", "XDG_CACHE_HOME"),
        (RuntimeError("Symlink loop from 'a'"), "E210", "circle"),
        (KeyError("getpwuid(): uid not found: 1234"), "E607", "set USER"),
        (RecursionError("maximum recursion depth exceeded"), "E103", "nested too deeply"),
        (UnicodeEncodeError("utf-8", "x\udcff.cat", 1, 2, "surrogates not allowed"), "E607", r"x\udcff.cat"),
    ],
)
def test_what_is_told(error, code, words):
    told = refusal(error)
    assert told is not None
    assert told.diagnostics[0].code == code
    assert words in str(told)
    assert told.diagnostics[0].help


def test_what_another_error_was_raised_for_counts():
    error = ValueError("cannot read a picture")
    error.__cause__ = of_system(errno.EMFILE)
    assert "E210" in str(refusal(error))


@pytest.mark.parametrize(
    "error",
    [
        of_system(errno.EBADF),
        of_system(errno.EINVAL, "a"),
        of_system(errno.ENOENT, OURS),
        of_system(errno.ENOENT),
        of_system(errno.EPIPE),
        AssertionError("out of memory"),
        RuntimeError("shapes do not match"),
        KeyError("name"),
        ValueError("too many open files"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ],
)
def test_what_is_our_fault(error, capsys):
    assert refusal(error) is None

    def fails():
        raise error

    assert guarded(fails) == 70
    assert "this is a fault of catdsl" in capsys.readouterr().err


def test_exit_codes(capsys):
    def fails(error):
        def run():
            raise error

        return run

    for error, code in (
        (CatError.one("E603", "x"), 1), (MemoryError(), 1), (KeyboardInterrupt(), 130), (SystemExit(2), 2),
        (SystemExit("text"), 1), (SystemExit(None), 0), (ValueError(), 70), (GeneratorExit(), 70),
    ):  # fmt: skip
        assert guarded(fails(error)) == code


@pytest.mark.slow
class TestProcesses:
    """The same, as a whole command meets it."""

    def refused(self, done, code, *words):
        assert done.returncode == 1, done.stderr
        assert f"[{code}]" in done.stderr
        for word in words:
            assert word in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_loop_of_links(self, shell, spec):
        (spec.parent / "a.cat").symlink_to("b.cat")
        (spec.parent / "b.cat").symlink_to("a.cat")
        self.refused(shell("catdsl check a.cat"), "E210", "links")
        self.refused(shell("catdsl graph tiny.cat -o a.cat/x.svg"), "E608", "circle")
        self.refused(shell("catdsl build tiny.cat -o a.cat"), "E608")

    def test_a_folder_that_was_removed(self, shell, spec):
        line = "mkdir gone; cp tiny.cat gone; cd gone; rm -r ../gone; catdsl {}"
        self.refused(shell(line.format("check tiny.cat")), "E210")
        self.refused(shell(line.format("new new.cat")), "E608", "removed")
        self.refused(shell(line.format(f"graph {spec} -o a.svg")), "E608", "removed")

    def test_no_home(self, shell, spec):
        """`HOME` that names no absolute path is as good as none."""
        done = shell("catdsl train tiny.cat -o run --steps 1", HOME="none", XDG_CACHE_HOME="none")
        self.refused(done, "E608", "XDG_CACHE_HOME")
        assert shell("catdsl check tiny.cat", HOME="none", XDG_CACHE_HOME="none").returncode == 0
        assert shell("catdsl info tiny.cat", HOME="none", XDG_CACHE_HOME="").returncode == 0
        assert not (spec.parent / "none").exists()

    def test_too_many_open_files(self, shell, spec):
        for most in range(4, 14, 2):
            done = shell(f"ulimit -n {most}; catdsl check tiny.cat")
            assert done.returncode in (0, 1), done.stderr
            assert "fault of catdsl" not in done.stderr

    def test_no_memory(self, shell, spec):
        """Megabytes of addresses: from what Python itself hardly starts with to what suffices."""
        spec.write_text(spec.read_text().replace("conv(8, 3)", "conv(100000, 3)"))
        done = shell("ulimit -v 6000000; catdsl build tiny.cat -o made")
        assert done.returncode in (0, 1), done.stderr
        assert "fault of catdsl" not in done.stderr

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another user")
    @pytest.mark.parametrize(
        ("command", "code"),
        [
            (("check", "shut/tiny.cat"), "E210"),
            (("check", "secret.cat"), "E210"),
            (("info", "secret.cat"), "E210"),
            (("graph", "tiny.cat", "-o", "shut/a.svg"), "E608"),
            (("graph", "tiny.cat", "-o", "a.svg"), "E608"),
            (("build", "tiny.cat", "-o", "shut/made"), "E608"),
            (("new", "new.cat"), "E608"),
            (("fmt", "odd.cat"), "E608"),
        ],
    )
    def test_no_permission(self, root, tmp_path, spec, command, code):
        """As a user that may read these folders and write none of them."""
        shut = tmp_path / "shut"
        shut.mkdir()
        (shut / "tiny.cat").write_text(spec.read_text())
        (tmp_path / "secret.cat").write_text(spec.read_text())
        (tmp_path / "odd.cat").write_text(spec.read_text().replace("    ", " "))
        shut.chmod(0o700)
        (tmp_path / "secret.cat").chmod(0o600)
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        done = as_nobody(root, tmp_path, *command)
        assert done.returncode == 1, done.stderr
        assert f"[{code}]" in done.stderr
        assert "ermission" in done.stderr


def as_nobody(root, folder, *command):
    """The command as a user without rights; what it needs is loaded before the rights are gone."""
    code = (
        "import os, sys; sys.dont_write_bytecode = True\n"
        "from catdsl.cli import (spec_commands, search_commands, run_commands, evaluate_commands, export_commands,"
        " data_commands, program)\n"
        "import catdsl.project, catdsl.jobs.data_check, catdsl.jobs.build, catdsl.jobs.drawing, catdsl.jobs.starter\n"
        "import catdsl.jobs.formatting\n"
        "from catdsl.project import load; load(sys.argv[-1]).graph; sys.argv.pop()\n"
        f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "program()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *command, str(folder / "tiny.cat")],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(root), "XDG_CACHE_HOME": str(folder / "cache")},
    )  # fmt: skip
