"""`catdsl fmt`: in place, `--check` and `--diff`, with mistakes among the files."""

import stat

UGLY = "param n=4\ngenerator g{input x:image(3,8,8)\noutput x->conv(n,3)->conv(3,3)}\n"
GOOD = """param n = 4

generator g {
    input x: image(3, 8, 8)
    output x -> conv(n, 3) -> conv(3, 3)
}
"""


def test_files_are_formatted_in_place(cli):
    path, link = cli.folder / "a.cat", cli.folder / "link.cat"
    path.write_text(UGLY)
    path.chmod(0o640)
    link.symlink_to(path)
    assert "formatted link.cat" in cli("fmt", "link.cat").stdout
    assert path.read_text() == GOOD
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert "nothing to format" in cli("fmt", "a.cat").stderr


def test_check_and_diff_write_nothing(cli):
    path = cli.folder / "a.cat"
    path.write_text(UGLY)
    assert "would format a.cat" in cli("fmt", "a.cat", "--check", code=1).stdout
    shown = cli("fmt", "a.cat", "--diff").stdout
    assert "-param n=4" in shown
    assert "+param n = 4" in shown
    cli("fmt", "a.cat", "--diff", "--check", code=1)
    assert path.read_text() == UGLY
    path.write_text(GOOD)
    cli("fmt", "a.cat", "--check")


def test_mistakes_keep_no_other_file_from_being_formatted(cli):
    (cli.folder / "good.cat").write_text(UGLY)
    (cli.folder / "bad.cat").write_text("param = 3")
    told = cli("fmt", "bad.cat", "good.cat", "absent.cat", code=1)
    assert "E101" in told.stderr or "E104" in told.stderr
    assert "E210" in told.stderr
    assert (cli.folder / "good.cat").read_text() == GOOD
    assert (cli.folder / "bad.cat").read_text() == "param = 3"
