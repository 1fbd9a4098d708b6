"""Machine code on disk: it is used if it is what it should be, and else the program is compiled."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from micrograd.replay.llvm import cache

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Compiler:
    """Gives code and counts how often."""

    def __init__(self, code=b"code"):
        self.code, self.runs = code, 0

    def __call__(self):
        self.runs += 1
        return self.code


def test_code_is_compiled_once_and_kept_for_the_user_alone(place):
    compiler = Compiler()
    assert [cache.compiled("a", compiler) for _ in range(3)] == [b"code"] * 3
    assert cache.compiled("b", Compiler(b"other")) == b"other"
    assert compiler.runs == 1
    assert len(list(place.iterdir())) == 2
    if sys.platform != "win32":
        assert place.stat().st_mode & 0o777 == 0o700


def test_it_can_be_turned_off(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRAD_CACHE", "off")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiler = Compiler()
    assert [cache.compiled("a", compiler) for _ in range(2)] == [b"code"] * 2
    assert compiler.runs == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda path, other: path.write_bytes(path.read_bytes()[:-1]),
        lambda path, other: path.write_bytes(b""),
        lambda path, other: path.write_bytes(path.read_bytes() + b"more"),
        lambda path, other: path.write_bytes(other.read_bytes()),
        lambda path, other: path.write_bytes(path.read_bytes().replace(b"code", b"evil")),
    ],
    ids=["cut off", "empty", "longer", "of another program", "changed"],
)
def test_a_damaged_file_is_not_used_and_is_replaced(place, damage):
    cache.compiled("other", Compiler(b"other"))
    (other,) = place.iterdir()
    cache.compiled("a", Compiler())
    (path,) = set(place.iterdir()) - {other}
    whole = path.read_bytes()
    damage(path, other)
    compiler = Compiler()
    assert cache.compiled("a", compiler) == b"code"
    assert compiler.runs == 1
    assert path.read_bytes() == whole


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_in_which_others_can_write_is_not_used(place, mode):
    cache.compiled("a", Compiler())
    place.chmod(mode)
    compiler = Compiler()
    assert cache.compiled("a", compiler) == b"code"
    assert cache.compiled("b", compiler) == b"code"
    assert compiler.runs == 2
    assert len(list(place.iterdir())) == 1


def test_where_no_folder_can_be_made_programs_are_compiled(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("MICROGRAD_CACHE", str(tmp_path / "file" / "cache"))
    assert cache.compiled("a", Compiler()) == b"code"


def test_what_was_used_least_recently_is_removed_above_the_limit(place, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 3500)  # room for three
    for i in range(3):
        before = set(place.iterdir()) if place.exists() else set()
        cache.compiled(str(i), Compiler(bytes(1000)))
        (written,) = set(place.iterdir()) - before
        os.utime(written, (i, i))
    cache.compiled("0", Compiler())  # used now
    cache.compiled("3", Compiler(bytes(1000)))
    compilers = [Compiler(bytes(1000)) for _ in range(4)]
    for i in (0, 2, 3, 1):
        cache.compiled(str(i), compilers[i])
    assert [compiler.runs for compiler in compilers] == [0, 1, 0, 0]
    assert sum(path.stat().st_size for path in place.iterdir()) <= 3500


def test_other_files_of_the_folder_are_never_removed(place, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 100)
    place.mkdir(mode=0o700)
    others = [place / "notes.txt", place / "thesis.o", place / f"{'0' * 63}.o", place / ".part"]
    for path in others:
        path.write_bytes(bytes(1000))
        os.utime(path, (1, 1))
    for i in range(3):
        cache.compiled(str(i), Compiler(bytes(90)))
    assert all(path.exists() for path in others)
    assert len(list(place.iterdir())) <= len(others) + 1


def test_threads_and_processes_may_write_at_once(place):
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda i: cache.compiled(str(i % 3), Compiler(b"x" * 9000)), range(60))
        )
    assert set(found) == {b"x" * 9000}
    assert len(list(place.iterdir())) == 3


PROGRAM = """
import json, random
from micrograd import nn, compile
from micrograd.replay.llvm import processor
import llvmlite.binding as llvm
compiled, parse = [], llvm.parse_assembly
llvm.parse_assembly = lambda ir: compiled.append(len(ir)) or parse(ir)
model = nn.MLP(2, [4, 1], activation="tanh", rng=random.Random(0))
loss = compile(lambda x: model(x) ** 2)
value, gradient = loss.value_and_grad([[0.5, -1.0], [2.0, 3.0]])
print(json.dumps([sum(size > 0 for size in compiled), value.hex(), [g.hex() for g in gradient]]))
"""


def test_a_second_process_compiles_nothing_and_gets_the_same_bits(place):
    pytest.importorskip("llvmlite")
    root = Path(cache.__file__).parents[3]
    said = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=root
        ).stdout
        for _ in range(2)
    ]
    (first, *numbers), (second, *again) = map(json.loads, said)
    assert first >= 2
    assert second == 0
    assert numbers == again
