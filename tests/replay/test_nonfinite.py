"""Results that are not finite are named, warned of or left."""

from __future__ import annotations

import math
import tracemalloc
import warnings

import pytest
from replaying import INF, NAN, every_backend

import micrograd
from micrograd.engine import Value
from micrograd.errors import NonFiniteError
from micrograd.replay import compile  # noqa: A004

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

FINITE = {  # whatever happens on the way
    "overflow": (lambda x: 1 / micrograd.exp(x), 1000.0, 0.0),
    "overflow of a power": (lambda x: 1 / x**5, -1e200, -0.0),
    "overflow below": (lambda x: micrograd.tanh(micrograd.sinh(x)), -1000.0, -1.0),
    "pole": (lambda x: micrograd.tanh(1 / x), -0.0, -1.0),
    "logarithm of 0": (lambda x: micrograd.exp(micrograd.log(x)), 0.0, 0.0),
    "choice": (lambda x: micrograd.where(micrograd.greater(x, 0), micrograd.log(x), x), -2.0, -2.0),
    "huge integer": (lambda x: x / 10**5000, 3.0, 0.0),
}


@every_backend
@pytest.mark.parametrize("name", FINITE)
def test_a_finite_result_is_no_error_whatever_is_on_the_way(name, backend):
    fn, x, expected = FINITE[name]
    compiled = compile(fn, backend)
    assert compiled(x) == expected
    assert compiled.map([x, x]).tolist() == [expected] * 2
    if name in ("choice", "huge integer"):  # so is its derivative
        slope = float(name == "choice")
        assert compiled.jacobian(x).tolist() == [slope]
        assert compiled.value_and_grad([x], wrt="inputs")[1].tolist() == [slope]
    else:
        with pytest.raises((ArithmeticError, ValueError)):
            compiled.jacobian(x)
        with pytest.raises((ArithmeticError, ValueError), match="sample 0"):
            compiled.value_and_grad([x], wrt="inputs")


@every_backend
def test_an_ignored_infinity_is_one_for_one_sample_and_for_a_batch(backend):
    pole = compile(lambda x: [x, 1 / x], backend, check="ignore")
    assert pole(-0.0) == [0.0, -INF]
    assert pole.map([-0.0, 0.0]).tolist() == [[0.0, -INF], [0.0, INF]]
    assert pole.jacobian(0.0).tolist() == [[1.0], [-INF]]
    log = compile(lambda x: micrograd.log(x), backend, check="ignore")
    assert log(0.0) == log.map([0.0])[0] == -INF
    assert log.hessian(0.0).tolist() == [[-INF]]
    value, slope = log.value_and_grad([0.0], wrt="inputs")
    assert (value, slope.tolist()) == (-INF, [INF])
    with pytest.warns(RuntimeWarning, match=r"log\(x=0.0\) is undefined"):
        assert compile(lambda x: micrograd.log(x), backend, check="warn")(0.0) == -INF


@every_backend
@pytest.mark.parametrize("check", ["raise", "ignore"])
@pytest.mark.parametrize("n", [1, 3, 9, 16])
def test_a_sum_is_finite_where_twice_a_result_is_not(n, check, backend):
    w = [*[Value(1.0) for _ in range(8)], Value(0.0)]
    samples = np.zeros((n, 8))
    samples[-1, 0], samples[0, 1] = 1.7e308, -1.7e308
    compiled = compile(lambda x: micrograd.dot(w[:8], x, w[8]), backend, check=check)
    for _ in range(3):
        value, slopes = compiled.value_and_grad(samples, reduction="sum")
        assert (value, slopes.tolist()) == (0, [1.7e308, -1.7e308, 0, 0, 0, 0, 0, 0, n])


@every_backend
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_sum_over_finite_samples_that_is_not_finite_is_an_error(reduction, backend):
    w = Value(1.0)
    samples = np.full(3, 1e308)
    compiled = compile(lambda x: w * x, backend)
    with pytest.raises(NonFiniteError, match=r"the sum over 3 samples of what .* gives is inf"):
        compiled.value_and_grad(samples, reduction=reduction)
    with pytest.raises(NonFiniteError):
        compiled.backward(samples, reduction=reduction)
    assert w.grad == 0
    compiled.check = "warn"
    with pytest.warns(RuntimeWarning, match="the sum over 3 samples"):
        assert compiled.value_and_grad(samples, reduction=reduction)[0] == INF
    compiled.check = "ignore"
    assert compiled.value_and_grad(samples, reduction=reduction)[0] == INF


@every_backend
@pytest.mark.parametrize("exponent", [0.5, Value(0.5, label="half")])
def test_a_power_is_never_complex(exponent, backend):
    compiled = compile(lambda x: abs(x**exponent), backend)
    with pytest.raises(ValueError, match=r"-8.0 \*\* .*0.5 is undefined"):
        compiled(-8.0)
    assert compiled(4.0) == 2.0


@every_backend
def test_a_value_that_is_not_finite_is_named_with_its_sample(backend):
    w = Value(1.0, label="w")
    compiled = compile(lambda x: micrograd.log(x * w) + 1, backend)
    with pytest.raises(ValueError, match=r"sample 2: log\(.*-1.0\) is undefined"):
        compiled.map([1.0, 2.0, -1.0])
    with pytest.raises(ValueError, match=r"^log\("):
        compiled(-1.0)
    with pytest.raises(ValueError, match="sample 1: "):
        compiled.value_and_grad([1.0, -1.0])
    with pytest.raises(OverflowError, match="sample 0: exp"):
        compile(lambda x: micrograd.exp(x), backend).map([1e3, 1.0])
    with pytest.raises(NonFiniteError, match=r"input x of .* is nan"):
        compiled(NAN)
    big = compile(lambda x: x * x, backend)
    with pytest.raises(ArithmeticError, match=r"x=1e\+200 \* x=1e\+200 is inf"):
        big(1e200)


@every_backend
def test_a_derivative_that_is_not_finite_is_named(backend):
    w = Value(0.0, label="w")
    compiled = compile(lambda x: micrograd.sqrt(w) * x, backend)
    assert compiled(1.0) == 0.0
    with pytest.raises(ZeroDivisionError, match=r"sample 0: no finite derivative of sqrt\(w=0.0\)"):
        compiled.value_and_grad([1.0])
    root = compile(lambda x: micrograd.sqrt(x), backend)
    with pytest.raises(ZeroDivisionError, match=r"^no finite derivative of sqrt\(x=0.0\)"):
        root.jacobian(0.0)
    steep = compile(lambda x: x**1.5, backend)
    assert steep.jacobian(0.0).tolist() == [0.0]
    with pytest.raises(ZeroDivisionError, match=r"^no finite derivative of x=0.0 \*\* 0.5"):
        steep.hessian(0.0)
    with pytest.raises(NonFiniteError, match=r"gradient of operand 'x' = 1e-300 of .* is inf"):
        compile(lambda x: x**1.5 * 1e200, backend).hessian(1e-300)


@every_backend
def test_an_infinite_slope_times_nothing_is_nothing_as_in_the_engine(backend):
    compiled = compile(lambda x, y: micrograd.where(y, micrograd.sqrt(x), 2 * x), backend)
    value, grad = compiled.value_and_grad([0.0, 4.0], [0.0, 1.0], wrt="inputs", reduction="none")
    assert value.tolist() == [0.0, 2.0]
    assert grad.tolist() == [[2.0, 0.0], [0.25, 0.0]]
    assert compiled.value_and_grad([0.0, 4.0], [0.0, 1.0], wrt="inputs", reduction="sum")[
        1
    ].tolist() == [2.25, 0.0]
    assert compiled.jacobian(0.0, 0.0).tolist() == [2.0, 0.0]


@every_backend
def test_the_check_can_warn_or_be_left_out(backend):
    warning = compile(lambda x: micrograd.log(x), backend, check="warn")
    with pytest.warns(RuntimeWarning, match="sample 1: log"):
        out = warning.map([1.0, -1.0])
    assert math.isnan(out[1])
    with pytest.warns(RuntimeWarning) as seen:
        warning.backward([1.0, -1.0, 0.0, 2.0])
    (told,) = [str(one.message) for one in seen]
    assert told.startswith("sample 1: log(x=-1.0) is undefined: log is not defined at -1.0; ")
    assert told.endswith(" (and 1 more)")
    assert seen[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(compile(lambda x: micrograd.log(x), backend, check="ignore")(-1.0))


@every_backend
def test_one_bad_sample_in_a_large_batch_is_found_in_little_memory(backend, monkeypatch):
    monkeypatch.setattr("micrograd.replay.arguments.NUMBERS", 1_000)
    values = [Value(0.5) for _ in range(20)]
    X = np.ones(20_000)
    X[13_001] = X[17_000] = -1.0

    def fn(x):
        return micrograd.sum([micrograd.log(x) * v for v in values])

    compiled = compile(fn, backend)
    for _ in range(2):  # the second one prepares direct calls
        compiled.value_and_grad([1.0])
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"^sample 13001: log"):
            compiled.value_and_grad(X)
        assert tracemalloc.get_traced_memory()[1] < 20 * X.nbytes / 4
    finally:
        tracemalloc.stop()
    compiled.check = "warn"
    with pytest.warns(RuntimeWarning, match=r"^sample 13001: log.*\(and 1 more\)"):
        value, grad = compiled.value_and_grad(X)
    assert math.isnan(value)
    assert np.isnan(grad).all()
    # One that is finite after all counts as it should.
    root = compile(lambda x, y: micrograd.where(y, micrograd.sqrt(x), 2 * x), backend)
    at = np.zeros(5_000)
    at[4_000] = 1.0
    value, grad = root.value_and_grad(at, at, wrt="inputs", reduction="sum")
    assert (value, grad.tolist()) == (1.0, [2.0 * 4_999 + 0.5, 0.0])
