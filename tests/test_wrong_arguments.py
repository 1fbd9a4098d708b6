"""Whatever a public function is given, our errors come out: their messages say what to do."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tables import each

import micrograd
from micrograd import Value, optim, steps
from micrograd.errors import ArgumentError, ArgumentTypeError, MicrogradError, NoSuchStepError
from micrograd.nn import MLP

ROOMS = [
    "", ".datasets", ".draw", ".functional", ".interop", ".losses", ".optim", ".plot", ".stepper",
    ".train",
]  # fmt: skip
WRONG: list[Any] = [None, 5, 2.5, "x", b"x", [], object(), [[1, 2], [3]], Value(1.0), MLP, "\0"]
# Classes that functions make; a function of the user, which raises what it raises.
MADE = {"Step", "Explanation", "History", "Curves", "Trainable", "no_grad", "enable_grad",
        "detect_anomaly"}  # fmt: skip
SLOW = {"animate_training", "animate_backward", "plot_function", "plot_decision_boundary"}
GOOD: dict[str, Callable[[], Any]] = {
    "root": lambda: Value(2.0, label="a") * 3,
    "output": lambda: Value(2.0, label="a") * 3,
    "value": lambda: Value(2.0, label="a") * 3,
    "model": lambda: MLP(2, [2, 1]),
    "X": lambda: [[0.0, 1.0], [1.0, 0.0]],
    "y": lambda: [1, -1],
    "parameters": lambda: MLP(2, [1]).parameters(),
    "params": lambda: MLP(2, [1]).parameters(),
    "path": lambda: "out.gif",
    "f": lambda: lambda x: x * 2,
}


def public() -> dict[str, Any]:
    """Return every public function and class by its name."""
    found: dict[Any, str] = {}
    for room in ROOMS:
        module = import_module(f"micrograd{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            is_error = isinstance(thing, type) and issubclass(thing, BaseException)
            if callable(thing) and not is_error and name not in MADE:
                found.setdefault(thing, name)
    return {name: thing for thing, name in found.items()}


def refuses(call: Callable[[], Any]) -> None:
    """Call, and let only an error through that Python itself raised within the call."""
    try:
        call()
    except (MicrogradError, ImportError, OSError):
        pass
    except TypeError as error:
        if not (  # the call has too few arguments, or too many: the signature says so
            "argument" in str(error) and error.__traceback__.tb_next.tb_next is None  # type: ignore[union-attr]
        ):
            raise


@pytest.mark.filterwarnings("ignore")
def test_no_public_function_lets_an_error_of_python_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    raw = []
    for name, thing in public().items():
        signature: Any = None
        with suppress(ValueError):
            signature = inspect.signature(thing)
        needed = [
            p.name
            for p in (signature.parameters.values() if signature else ())
            if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD
        ]
        options = [
            p.name
            for p in (signature.parameters.values() if signature else ())
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in ("seed", "f")
        ]
        calls = [((), {}), *(((a,), {}) for a in WRONG), *(((a, a), {}) for a in WRONG)]
        if all(each in GOOD for each in needed):
            for option in options:
                for wrong in WRONG[6:7] if name in SLOW else WRONG:
                    given = {each: GOOD[each]() for each in needed} | {option: wrong}
                    calls.append(((), given))
        for arguments, named in calls:
            try:
                refuses(lambda: thing(*arguments, **named))  # noqa: B023
            except Exception as error:
                raw.append(f"{name}{arguments}{named}: {error!r:.90}")
    assert not raw, f"{len(raw)}:\n" + "\n".join(raw)


WALK = steps(Value(3.0, label="a") * 2)
TYPED: dict[str, tuple[Callable[[], Any], str]] = {
    "widths one by one": (lambda: MLP(2, 3, 1), r"write MLP\(2, \[3, 1\]\)"),
    "widths in part": (lambda: MLP(2, [3], 1), r"write MLP\(2, \[3, 1\]\)"),
    "one width": (lambda: MLP(2, 3), r"as in MLP\(2, \[16, 16, 1\]\), got 3"),
    "a step too far": (lambda: WALK[99], "there is no step 99: the steps are 0 to 3"),
    "a step before the first": (lambda: WALK[-5], "there is no step -5"),
    "a step by name": (lambda: WALK["a"], "index of a step to be a whole number, got 'a'"),
    "a snapshot too far": (lambda: WALK.snapshot(99), "no step 99"),
    "a change too far": (lambda: WALK.change_at(99), "no step 99"),
    "a stop too far": (lambda: WALK.stop_at(99), "no step 99"),
    "nowhere": (lambda: WALK.go(4), "no step 4"),
    "a comparison too far": (lambda: micrograd.compare(WALK, WALK).text(99), "no step 99"),
    "a page without a name": (lambda: WALK.to_html(5), r"path of a file, got 5 \(int\)"),
    "a page with a nul": (lambda: WALK.to_html("a\0"), "expected the path of a file"),
    "a list as a value": (lambda: WALK.find([]), r"\[\] is not in this graph"),
    "no formula": (lambda: micrograd.formula(5), "expected a Value, got 5"),
    "no numbers": (lambda: micrograd.softmax(None), "a list of numbers or Values, got None"),
    "no inputs": (lambda: micrograd.gradient(WALK.root, None), "expected a Value, got None"),
    "no function": (lambda: micrograd.gradcheck(None, [1.0]), "expected f to be a function"),
    "half a row": (lambda: micrograd.define(name="half"), "needs 'forward', 'partials' too"),
    "one parameter": (lambda: optim.SGD([Value(1.0)], decayed=5), "expected decayed to be a list"),
}  # fmt: skip


@each("typed", TYPED)
def test_what_was_typed_is_answered_in_one_line(typed: str) -> None:
    call, said = TYPED[typed]
    with pytest.raises(
        (ArgumentError, ArgumentTypeError, NoSuchStepError, MicrogradError)
    ) as caught:
        call()
    assert caught.match(said)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_file_and_stays(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="a folder, not a file"):
        WALK.to_html(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_index_counts_from_the_end_and_iterating_ends() -> None:
    assert [step.index for step in WALK] == [0, 1, 2, 3]
    assert WALK[-1].index == WALK.go(-1).index == 3
    assert WALK.snapshot(-4).index == 0
    assert isinstance(NoSuchStepError("x"), IndexError)
