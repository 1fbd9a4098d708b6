"""Whatever a public function is given, our errors come out: their messages say what to do."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tables import each

import micrograd
from micrograd import Value, optim, steps, train
from micrograd.errors import ArgumentError, ArgumentTypeError, MicrogradError, NoSuchStepError
from micrograd.nn import MLP, Layer, Neuron, activation_of

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


def walked() -> Any:
    x = Value(3.0, label="a")
    return steps(x * 2 + x)


def trained() -> Any:
    return train.fit(MLP(2, [2, 1]), [[0.0, 1.0], [1.0, 0.0]], [1, -1], steps=2, compile=False)


THINGS: dict[str, Callable[[], Any]] = {
    "a leaf": lambda: Value(2.0, label="a"),
    "a result": lambda: Value(2.0, label="a") * 3,
    "steps": walked,
    "a step": lambda: walked()[-1],
    "a snapshot": lambda: walked().snapshot(0),
    "a comparison": lambda: micrograd.compare(walked(), walked()),
    "an explanation": lambda: micrograd.explain(WALK.root, WALK.nodes[0]),
    "a network": lambda: MLP(2, [2, 1]),
    "a layer": lambda: Layer(2, 2),
    "a neuron": lambda: Neuron(2),
    "a function": lambda: micrograd.compile(lambda a, b: micrograd.tanh(a) * 2, backend="python"),
    "an optimizer": lambda: optim.Adam(MLP(2, [1]).parameters()),
    "a schedule": lambda: optim.linear(1.0, 0.1, 10),
    "a limit": lambda: optim.Clip(norm=1.0),
    "a history": trained,
    "a row": lambda: micrograd.ops.tanh,
}
OF_ONES_OWN = {"forward", "partials"}  # of a row: functions of its writer
OPERATORS = {"__getitem__", "__contains__", "__call__", "__add__", "__mul__", "__pow__", "__lt__"}


WRONG_ARGUMENTS: list[tuple[Any, ...]] = [()]
for wrong in [*WRONG, -1, 10**400, 1e308, math.nan, {}]:
    WRONG_ARGUMENTS += [(wrong,), (wrong, wrong)]


@pytest.mark.filterwarnings("ignore")
@each("thing", THINGS)
def test_no_method_lets_an_error_of_python_out(
    thing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    raw = []
    kind = type(THINGS[thing]())
    for name in dir(kind):
        if (name.startswith("_") and name not in OPERATORS) or name in OF_ONES_OWN:
            continue
        if not callable(inspect.getattr_static(kind, name)):
            continue
        for wrong in WRONG_ARGUMENTS:
            one = THINGS[thing]()
            try:
                refuses(lambda: getattr(one, name)(*wrong))  # noqa: B023
            except Exception as error:
                raw.append(f"{name}{wrong}: {error!r:.90}")
    assert not raw, f"{len(raw)}:\n" + "\n".join(raw)


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
    "a value of no snapshot": (lambda: WALK.snapshot(0)["a"], "'a' is not in this graph"),
    "a list in a snapshot": (lambda: WALK.snapshot(0)[[]], r"\[\] is not in this graph"),
    "the place of a value": (lambda: WALK.index("a"), "'a' is none of these steps: find goes"),
    "a copy of another graph": (lambda: WALK.of_copy(Value(1.0)), "a copy of this graph, got Val"),
    "a copy of nothing": (lambda: WALK.of_copy(None), "a copy of this graph, got None"),
    "no trace": (lambda: micrograd.compile(abs).take(5), "the trace of a function, got 5"),
    "no neuron": (lambda: activation_of(5), "expected a Neuron, got 5"),
    "no step of a rate": (lambda: optim.linear(1, 0, 9)("x"), "expected step to be a whole number"),
    "no parameters to clip": (lambda: optim.Clip(norm=1.0)("x"), "expected a Value, got 'x'"),
    "a row of a text": (lambda: micrograd.ops.tanh.compute("x"), "Fraction, got 'x'"),
    "samples too large": (lambda: micrograd.watch(MLP(2, [1]), [[0, 1e308]], [1]), "X holds 1e"),
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
