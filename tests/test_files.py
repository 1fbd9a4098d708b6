"""JSON files: exact numbers, and never a half-written file."""

import errno
import math
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from tables import mostly_slow

from micrograd.errors import NumberTypeError, StateError
from micrograd.files import read_json, write_json

EXACT = [
    0,
    -0.0,
    1,
    1.0,
    0.1,
    5e-324,
    1.7976931348623157e308,
    math.pi,
    2**70,
    -(7**9000),
    Fraction(1, 3),
    Fraction(-4, 1),
    Fraction(3**9000, 2**20000),
    math.inf,
    -math.inf,
]


@pytest.mark.parametrize("number", EXACT, ids=lambda number: str(type(number).__name__))
def test_every_number_comes_back_with_its_bits_and_its_type(tmp_path, number):
    write_json(tmp_path / "a.json", [number])
    (again,) = read_json(tmp_path / "a.json")
    assert type(again) is type(number)
    assert again == number
    assert str(again)[:1] == str(number)[:1] if number == 0 else True


def test_a_long_list_of_floats_that_nobody_reads_is_written_as_its_bytes(tmp_path):
    path = tmp_path / "a.json"
    floats = [-0.0, 5e-324, math.pi, 1.7976931348623157e308] * 10
    for document in ({"x": floats}, {"x": [*floats, math.nan]}, {"x": [*floats, 2]}, {"x": [0.5]}):
        write_json(path, document, for_reading=False)
        assert repr(read_json(path)) == repr(document)
        assert ("floats" in path.read_text(encoding="utf-8")) == (document["x"] == floats)
    for damage in ("AAAA", "ä", "A"):
        path.write_text(f'{{"floats": "{damage}"}}', encoding="utf-8")
        with pytest.raises(StateError, match="is not a list of floats"):
            read_json(path)


def test_nan_comes_back(tmp_path):
    write_json(tmp_path / "a.json", {"x": math.nan})
    assert math.isnan(read_json(tmp_path / "a.json")["x"])


def test_the_file_is_json_of_the_standard_without_nan_literals(tmp_path):
    write_json(tmp_path / "a.json", {"é": [math.nan, math.inf, 1.5]})
    text = (tmp_path / "a.json").read_bytes().decode("utf-8")
    assert "NaN" not in text
    assert "Infinity" not in text
    assert "é" in text
    assert text.endswith("}\n")


def test_texts_that_look_like_numbers_stay_texts(tmp_path):
    document = {"name": "nan", "other": "1/3", "deep": {"more": ["inf", None, True]}}
    write_json(tmp_path / "a.json", document)
    assert read_json(tmp_path / "a.json") == document


def test_numpy_scalars_become_python_numbers(tmp_path):
    np = pytest.importorskip("numpy")
    write_json(tmp_path / "a.json", [np.float64(0.1), np.int32(3)])
    assert read_json(tmp_path / "a.json") == [0.1, 3]


@pytest.mark.parametrize("item", [1j, object(), {1: 2}, {"a": {2.0}}])
def test_what_cannot_be_written_is_refused_and_the_old_file_is_intact(tmp_path, item):
    path = tmp_path / "a.json"
    write_json(path, [1])
    with pytest.raises(NumberTypeError):
        write_json(path, [item])
    assert read_json(path) == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_write_that_fails_half_way_leaves_the_old_file_and_no_other(
    tmp_path, monkeypatch, step, failure
):
    path = tmp_path / "a.json"
    write_json(path, ["old"])

    def fail(*_):
        raise failure

    with monkeypatch.context() as patch:
        if step == "fsync":
            patch.setattr(os, "fsync", fail)
        else:
            patch.setattr(Path, "replace", fail)
        with pytest.raises(type(failure)) as caught:
            write_json(path, ["new"])
    if isinstance(failure, OSError):
        assert caught.value.filename == str(path)
        assert caught.value.errno == errno.ENOSPC
    assert read_json(path) == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_that_is_none_is_an_error_that_names_the_file(tmp_path):
    missing = tmp_path / "no" / "a.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_json(missing, [])
    assert caught.value.filename == str(missing)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OSError) as caught:
        write_json(tmp_path / "file" / "a.json", [])
    assert caught.value.filename == str(tmp_path / "file" / "a.json")


def test_a_folder_that_may_not_be_written_is_a_permission_error_that_names_the_file(
    tmp_path, monkeypatch
):
    # An administrator may write everywhere, so the refusal is played.
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "some part")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError) as caught:
        write_json(tmp_path / "a.json", [])
    assert caught.value.filename == str(tmp_path / "a.json")


def test_a_name_that_is_a_folder_is_an_error(tmp_path):
    with pytest.raises(OSError):
        write_json(tmp_path, [])
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_stays_a_link(tmp_path):
    write_json(tmp_path / "real.json", [1])
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_json(tmp_path / "link.json", [2])
    assert (tmp_path / "link.json").is_symlink()
    assert read_json(tmp_path / "real.json") == [2]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a": 1,}',
        b'{"a": 1, "a": 2}',
        b"\xff\xfe{}",
        b"[" * 200_000,
        b'{"number": "1/0"}',
        b'{"number": "one"}',
        b'{"number": "' + b"9" * 10_000 + b'"}',
        b"9" * 10_000,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_damaged_file_is_a_state_error_that_names_it(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_bytes(text)
    with pytest.raises(StateError, match=r"a\.json"):
        read_json(path)


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "a.json")


def test_a_mark_at_the_beginning_is_no_fault(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(tmp_path / "a.json") == [1]


def test_half_a_surrogate_pair_comes_back(tmp_path):
    write_json(tmp_path / "a.json", ["\ud800 é"])
    assert read_json(tmp_path / "a.json") == ["\ud800 é"]


def test_a_document_that_cannot_be_read_again_is_not_written(tmp_path):
    itself = []
    itself.append(itself)
    with pytest.raises(NumberTypeError, match="nested too deeply"):
        write_json(tmp_path / "a.json", itself)
    deep = 1
    for _ in range(99):
        deep = [deep]
    write_json(tmp_path / "a.json", deep)
    assert read_json(tmp_path / "a.json") == deep
    (tmp_path / "a.json").write_text("[" * 101 + "]" * 101, encoding="utf-8")
    with pytest.raises(StateError, match="nested too deeply"):
        read_json(tmp_path / "a.json")


# ---- what is written to -------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name == "nt", reason="modes, pipes and devices of POSIX")


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o700])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "a.json"
    write_json(path, 1)
    path.chmod(mode)
    write_json(path, 2)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert read_json(path) == 2


def test_a_file_is_replaced_where_nobody_owns_files(tmp_path, monkeypatch):  # as in a web page
    for name in ("geteuid", "getegid", "chown"):
        monkeypatch.delattr(os, name, raising=False)
    write_json(tmp_path / "a.json", 1)
    write_json(tmp_path / "a.json", 2)
    assert read_json(tmp_path / "a.json") == 2


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_mode_that_the_mask_gives(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_json(tmp_path / "a.json", 1)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o666 & ~mask


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_json(path, "old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # an administrator may write to any
    with pytest.raises(PermissionError) as caught:
        write_json(path, "new")
    assert caught.value.filename == str(path)
    assert read_json(path) == "old"


@posix
def test_a_pipe_is_written_into_and_refused_where_nobody_reads(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError):
        write_json(pipe, [1])
    content = ["x" * 100_000]  # more than a pipe holds at once
    with ThreadPoolExecutor() as pool:
        heard = pool.submit(read_json, pipe)
        is_written = False
        while not is_written:
            with suppress(OSError):  # the reader may not be there yet
                write_json(pipe, content)
                is_written = True
        assert heard.result() == content
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@posix
def test_a_device_stays_one(tmp_path):
    write_json(tmp_path / "a.json", 1)
    (tmp_path / "link").symlink_to("/dev/null")
    for path in ("/dev/null", tmp_path / "link"):
        write_json(path, 1)
        assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert (tmp_path / "link").is_symlink()


@posix
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_the_output_stream_of_a_program_can_be_written_to(tmp_path, into):
    code = "from micrograd.files import write_json\nprint('a', flush=True)\n"
    code += "write_json('/dev/stdout', 1)\nprint('b')"
    with (tmp_path / "out").open("wb") as stream:
        target = subprocess.PIPE if into == "pipe" else stream
        done = subprocess.run([sys.executable, "-c", code], stdout=target, check=True)
    heard = done.stdout if into == "pipe" else (tmp_path / "out").read_bytes()
    assert heard.split() == [b"a", b"1", b"b"]


@posix
def test_a_link_to_nothing_makes_the_file_that_it_names(tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_json(tmp_path / "link.json", 1)
    assert (tmp_path / "link.json").is_symlink()
    assert read_json(tmp_path / "real.json") == 1


# ---- what is read --------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("seed", mostly_slow([1, 2]))
def test_whatever_a_file_holds_only_errors_of_ours_come_out(seed):
    program = Path(__file__).parent / "support" / "damaged.py"
    command = [sys.executable, str(program), str(seed), "800"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-6_000:]
    refused = int(done.stdout.split()[0])
    assert 480 < refused < 800
