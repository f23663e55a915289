"""Progress: few whole lines in a log, a bar at a terminal, nothing on stdout."""

import io
import re

from catdsl.train.progress import open_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def report(stream, *, every, steps=20):
    with open_progress("teacher", start=5, total=5 + steps, batch=4, every=every, stream=stream) as progress:
        for step in range(6, 6 + steps):
            progress.advance(step, {"recon": 0.25, "gan": 1.5})
        progress.note("all [done]")
    return stream.getvalue()


def test_a_log_gets_few_whole_lines():
    text = report(io.StringIO(), every=100)
    assert re.fullmatch(r"teacher 25/25  eta 0:00:00  [\d.]+ images/s  recon 0.25  gan 1.5\nall \[done\]\n", text)


def test_a_log_gets_a_line_whenever_the_time_has_passed():
    assert report(io.StringIO(), every=0).count("teacher ") == 20


def test_a_terminal_gets_a_bar():
    text = report(Terminal(), every=0)
    assert "25/25" in text
    assert "images/s" in text
    assert "all [done]" in text


def test_stderr_is_where_it_goes(capsys):
    with open_progress("teacher", start=0, total=1, batch=1) as progress:
        progress.advance(1, {})
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("teacher 1/1")
