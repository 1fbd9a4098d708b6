"""The stepper in a real terminal, and what is written there."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from micrograd.stepper.screen import Screen, cells, painted, wrapped

LONG = (
    "  重み passes gradient back to x: upstream +1 times local derivative (-0.25) is -0.25.\n    ∂a"
)
# Makes the standard input the terminal that Ctrl-C belongs to.
OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
COMMAND = [sys.executable, "-m", "micrograd", "step", "(x*w + b)**2 + x", "x=2", "w=-3", "b=1"]


@pytest.mark.parametrize("width", [20, 33, 60, 100])
def test_lines_are_broken_between_words_alone(width):
    lines = wrapped(LONG, width).split("\n")
    assert " ".join(wrapped(LONG, width).split()) == " ".join(LONG.split())
    assert max(map(cells, lines)) <= width
    assert all(line.startswith("  ") for line in lines)


def test_a_word_that_is_too_long_stands_alone():
    assert wrapped("a " + "b" * 30 + " c", 20) == "a\n" + "b" * 30 + "\nc"


@pytest.mark.parametrize(
    ("text", "coloured"),
    [
        ("+0.5", ["+0.5"]),
        ("is -3.", ["-3"]),
        ("(-1/3) × 2e-5", ["-1/3"]),
        ("≈-1.5e-7", ["-1.5e-7"]),
        ("nan! and -inf!", ["nan!", "-inf!"]),
        ("a-1 and x[0]-2", []),
        ("nothing", []),
    ],
)
def test_numbers_with_a_sign_are_coloured(text, coloured):
    assert re.findall(r"\x1b\[[\d;]+m(.+?)\x1b\[0m", painted(text)) == coloured
    assert re.sub(r"\x1b\[[\d;]+m", "", painted(text)) == text


def test_a_stream_that_is_no_terminal_is_left_as_it_is(capsys):
    screen = Screen()
    screen.write(LONG, replace=True)
    assert capsys.readouterr().out == LONG + "\n"
    assert {screen.is_terminal, screen.has_controls, screen.has_colour} == {False}


def test_keys_of_windows_have_the_same_names(monkeypatch):
    typed = iter("n\xe0M\x00K\xe0I\r\x08")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(getwch=lambda: next(typed)))
    screen = Screen()
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        pressed = [screen.key() for _ in range(6)]
    assert pressed == ["n", "right", "left", "page up", "enter", "left"]


@pytest.mark.parametrize(("typed", "error"), [("\x03", KeyboardInterrupt), ("\x1a", EOFError)])
def test_the_end_of_the_input_is_known_on_windows(monkeypatch, typed, error):
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(getwch=lambda: typed))
    screen = Screen()
    with monkeypatch.context() as windows, pytest.raises(error):
        windows.setattr(os, "name", "nt")
        screen.key()


# ---- a terminal ------------------------------------------------------------------------------


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, master, slave, program):
        self.master, self.slave, self.program = master, slave, program
        self.text = ""

    def until(self, wanted, times=1):
        """Read until a text has been shown, so many times in all."""
        end = time.monotonic() + 60
        while self.text.count(wanted) < times and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 65536).decode("utf-8", "replace")
        assert self.text.count(wanted) >= times, self.text
        return self.text

    def press(self, keys):
        os.write(self.master, keys.encode())


@contextmanager
def terminal(command=COMMAND, **variables):
    """Start a program in a terminal; check that the terminal is as before when it has ended."""
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    variables = {"TERM": "xterm-256color", "COLUMNS": "60", "LINES": "40", **variables}
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", **variables}
    if "NO_COLOR" not in variables:
        environment.pop("NO_COLOR", None)
    program = subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, *command], stdin=slave, stdout=slave, stderr=slave,
        env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        yield Terminal(master, slave, program)
        program.wait(60)
        after = termios.tcgetattr(slave)
        after[3] &= ~termios.PENDIN  # a note of macOS to itself
        assert after == before
    finally:
        program.kill()
        program.wait()
        os.close(master)
        os.close(slave)


def test_keys_act_without_enter():
    with terminal() as shown:
        shown.until("[1/12] Forward 1 of 4")
        for pressed, head in [
            ("n", "[2/12]"), ("\x1b[C", "[3/12]"), (" ", "[4/12]"), ("\r", "[5/12]"),
            ("\x1b[D", "[4/12]"), ("\x1b[F", "[12/12]"), ("\x1bOH", "[1/12]"), ("é", "'é' is not"),
        ]:  # fmt: skip
            times = shown.text.count(head) + 1
            shown.press(pressed)
            shown.until(head, times)
        shown.press("g")
        shown.until("go to step or name: ")
        shown.press("x\r")
        shown.until("[11/12]")
        shown.press("t")
        shown.until("(x × w + b) ** 2    25    \x1b[38;5;32m+1\x1b[0m")
        shown.press("q")
    assert shown.program.returncode == 0
    assert "\x1b[7m▶ └─ x " in shown.text  # the marked value of the graph
    plain = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", shown.text)
    assert max(map(cells, plain.splitlines())) < 60


@pytest.mark.parametrize("ending", ["\x03", "\x04", "\x1b", "q"])
def test_the_terminal_is_put_back_however_the_walk_ends(ending):
    with terminal() as shown:
        shown.until("q quit")
        shown.press("n")
        shown.until("[2/12]")
        shown.press(ending)
    assert shown.program.returncode == 0


def test_the_terminal_is_put_back_after_an_error():
    script = """
import signal
from micrograd.stepper.screen import Screen
def fail(*_): raise RuntimeError("told to")
signal.signal(signal.SIGUSR1, fail)
with Screen() as screen:
    print("ready", flush=True)
    screen.key()
"""
    with terminal([sys.executable, "-c", script]) as shown:
        shown.until("ready")
        time.sleep(0.5)
        shown.program.send_signal(signal.SIGUSR1)
        shown.until("told to")
    assert shown.program.returncode == 1


@pytest.mark.parametrize(
    ("variables", "codes"),
    [({"NO_COLOR": "1"}, {"A", "J"}), ({"TERM": "dumb"}, set()), ({}, {"A", "J", "m"})],
)
def test_colour_and_controls_are_used_where_they_are_wanted(variables, codes):
    with terminal(**variables) as shown:
        shown.until("[1/12]")
        shown.press("n")
        shown.until("[2/12]")
        shown.press("q")
    assert set(re.findall(r"\x1b\[[\d;]*([A-Za-z])", shown.text)) == codes
