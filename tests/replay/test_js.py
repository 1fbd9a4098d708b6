"""A program as JavaScript: the engine's numbers in a browser, and names that JavaScript accepts."""

import itertools
import json
import math
import random

import numpy as np
import pytest
from browser import launched
from replaying import SAMPLES, TARGETS, cancelled, network, off
from strategies import ROWS, points, row_id

from micrograd import define, ops
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")
EDGES = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e300, -1e-300, 0.5, 2.0]
EXACT = {"add", "sub", "mul", "div", "neg", "abs", "sqrt", "relu", "maximum", "minimum", "where",
         "greater", "greater_equal", "equal", "share", "sign", "sum", "peak", "take", "leaky_relu",
         "identity"}  # fmt: skip


@pytest.fixture(scope="module")
def page():
    with launched() as browser:
        page = browser.new_page()
        yield page
        page.close()


def ran(page, source, name, samples, parameters=()):
    """Return value and gradient of each sample, as JavaScript computes them."""
    given = json.dumps(
        [[[repr(float(v)) for v in x] for x in samples], list(map(repr, parameters))]
    )
    return [
        [[float(text.replace("Infinity", "inf")) for text in part] for part in found]
        for found in page.evaluate(
            f"""() => {{ {source}
            const spelt = {{inf: Infinity, '-inf': -Infinity, nan: NaN}};
            const read = (part) => part.map((t) => t in spelt ? spelt[t] : Number(t));
            const text = (v) => Object.is(v, -0) ? '-0.0' : String(v);
            const [samples, parameters] = {given};
            return samples.map((x) => {{
              const {{value, gradient}} = {name}(read(x), read(parameters));
              return [value.map(text), gradient.map(text)]; }}); }}"""
        )
    ]


def same(a, b):
    return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)


def test_a_name_for_javascript_is_checked():
    compiled = compile(lambda x: x, "python")
    compiled(1.0)
    assert "function it(" in compiled.to_js("it")
    for wrong in ("a b", "", "1x", "let", "Math", "erf", "t1", "x", "über", 3):
        with pytest.raises(ValueError, match="expected a name for a JavaScript function"):
            compiled.to_js(wrong)

    def new(x):
        return x

    compiled = compile(new, "python")
    compiled(1.0)
    assert "function new_(" in compiled.to_js()
    for name in ("erf", "static"):
        new.__name__ = name
        compiled = compile(new, "python")
        compiled(1.0)
        assert f"function {name}_(" in compiled.to_js()


@pytest.mark.browser
def test_javascript_gives_the_numbers_of_the_engine_for_every_row_and_at_its_edges(page):
    rng = random.Random(0)
    for op in ROWS:
        compiled = compile(lambda *x, op=op: op(*x), "python", check="ignore")
        rows = list(points(op, 100, seed=7))
        edges = list(itertools.product(EDGES, repeat=min(op.arity, 2)))
        rows += [[*edge, *rng.choices(EDGES, k=op.arity - len(edge))] for edge in edges]
        wanted = [compiled(*row) for row in rows]
        slopes = [
            np.ravel(compiled.value_and_grad(*[[v] for v in row], wrt="inputs")[1]) for row in rows
        ]
        found = ran(page, compiled.to_js("it"), "it", rows)
        for row, value, gradient, ((got,), grads) in zip(rows, wanted, slopes, found, strict=True):
            if op.name in EXACT or not math.isfinite(value):
                assert same(got, value), (row_id(op), row, got, value)
            else:
                assert off(got, value) <= 4, (row_id(op), row, got, value)
            for one, right in zip(grads, gradient, strict=True):
                near = off(one, right, cancelled(op, row)) <= 4
                assert near or same(one + 0.0, right + 0.0), (row_id(op), row)


@pytest.mark.browser
def test_a_cube_root_is_rounded_once_here_and_there(page):
    mpmath = pytest.importorskip("mpmath")
    rng = random.Random(3)
    sizes = [2.0**e * rng.uniform(1, 2) for e in range(-1074, 1024)]
    rows = [[rng.choice((x, -x))] for x in (*sizes, *(rng.uniform(0, 9) for _ in range(2000)))]
    compiled = compile(lambda x: ops.cbrt(x), "python")
    slopes = compiled.value_and_grad([x for (x,) in rows], wrt="inputs", reduction="none")[1]
    pages = ran(page, compiled.to_js("it"), "it", rows)
    with mpmath.workprec(200):
        for (x,), slope, ((root,), (there,)) in zip(rows, slopes.ravel(), pages, strict=True):
            right = mpmath.sign(x) * mpmath.cbrt(abs(mpmath.mpf(x)))
            for found in (ops.cbrt(x), root):
                assert abs(found - right) <= 0.501 * math.ulp(float(right)), x
            for found in (slope, there):
                assert off(found, float(1 / (3 * right**2))) <= 4, x


@pytest.mark.browser
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu"])
def test_javascript_gives_the_gradient_of_a_network(page, activation):
    model, loss = network(activation)
    compiled = compile(loss, "python")
    value, grad = compiled.value_and_grad(SAMPLES[:1], TARGETS[:1])
    numbers = [p.data for p in model.parameters()]
    source = compiled.to_js("loss")
    (((got,), slopes),) = ran(page, source, "loss", [[*SAMPLES[0], TARGETS[0]]], numbers)
    if activation == "relu":
        assert [got, *slopes] == [value, *grad]
    assert [got, *slopes] == pytest.approx([value, *grad], rel=1e-12, abs=1e-15)


@pytest.mark.browser
def test_a_wrong_rule_is_wrong_in_javascript_as_well(page):
    """It is written from the row, not by hand."""
    wrong = define(name="wrong", forward=lambda x: x * 3, partials=lambda out, x: (2 + x * 0,))
    try:
        compiled = compile(lambda x: wrong(x), "python")
        assert compiled.value_and_grad([2.0], wrt="inputs")[1] == [2.0]
        assert ran(page, compiled.to_js("it"), "it", [[2.0]]) == [[[6.0], [2.0]]]
    finally:
        ops.TABLE.pop("wrong")


def test_the_words_of_a_row_end_no_comment():
    odd = define(
        name="odd", noun="*/ alert(1) /*", forward=lambda x: x * 3, partials=lambda o, x: (3,)
    )
    try:
        compiled = compile(lambda x: odd(x) ** 2, "python")
        compiled(2.0)
        assert "*/ alert" not in compiled.to_js("it") + compiled.to_c("it")
    finally:
        ops.TABLE.pop("odd")
