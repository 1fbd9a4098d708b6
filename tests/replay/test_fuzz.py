"""Compiled against eager, on programs with what goes wrong: signs, infinities, branches."""

import itertools
import math
import random

import pytest
from strategies import row_id
from tables import mostly_slow

import micrograd
from micrograd import Value, compile, gradient, ops  # noqa: A004

BACKENDS = ["python", "llvm"]


def same(a, b):
    """Return whether two numbers are the same, their signs and nan included."""
    return (a == b and math.copysign(1.0, a) == math.copysign(1.0, b)) or (a != a and b != b)


# ---- the sign of zero ----------------------------------------------------------------------------

ROWS = [
    *ops.TABLE.values(),
    *map(ops.power, (-1, 0, 1, 2, 3, 4, 5, -2, 0.5)),
    *(ops.base_power(2.0), ops.leaky_relu_with(0.1), ops.elu_with(1.5)),
    *(ops.sum_of(2), ops.sum_of(3), ops.logsumexp_of(2), ops.peak_of(3)),
    *(ops.dot_of(1, False), ops.dot_of(2, False), ops.dot_of(2, True), ops.dot_of(150, False)),
]


def points(op):
    """Return operands of which some are zeros of either sign."""
    signs = [0.0, -0.0, 1.0, -1.0]
    if op.arity <= 3:
        found = list(itertools.product(signs, repeat=op.arity))
    else:
        rng = random.Random(0)
        half = op.arity // 2
        found = [tuple(rng.choices(signs, k=op.arity)) for _ in range(5)]
        found.append((*[-0.0] * half, *[1.0] * (op.arity - half)))
    base = op.parameters if op.family == "base_power" else ()
    return [(*base, *point[len(base) :]) for point in found]


@pytest.mark.parametrize("op", mostly_slow(ROWS, 15), ids=row_id)
def test_a_zero_has_the_sign_that_it_has_in_the_engine(op):
    known = []
    for point in points(op):
        leaves = [Value(x) for x in point]
        try:
            out = op(*leaves)
            slopes = gradient(out, leaves)
        except (ArithmeticError, ValueError):
            continue
        if all(map(math.isfinite, (out.data, *slopes))):
            known.append((point, float(out.data), slopes))
    for backend, contract in (("python", True), ("llvm", True), ("llvm", False)):
        compiled = compile(lambda *xs: op(*xs), backend, contract=contract)
        parameters = [Value(1.0) for _ in range(op.arity)]
        loss = compile(lambda x: op(*parameters) + x, backend, contract=contract)  # noqa: B023
        for point, value, slopes in known:
            found = [compiled(*point) for _ in range(3)]
            found += compiled.map(*[[x] * 9 for x in point]).tolist()
            single, slopes_of_inputs = compiled.value_and_grad(*[[x] for x in point], wrt="inputs")
            found += [
                single,
                compiled.value_and_grad(*[[x] * 9 for x in point], wrt="inputs", reduction="sum")[
                    0
                ],
            ]
            for one in found:
                assert one != 0 or value != 0 or same(one, value), (backend, contract, point)
            given = [slopes_of_inputs, compiled.jacobian(*point)]
            for parameter, x in zip(parameters, point, strict=True):
                parameter.data = x
            if op.family != "base_power":
                given += [loss.value_and_grad([-0.0])[1] for _ in range(3)]
            for one in given:
                for mine, theirs in zip(one, slopes, strict=True):
                    assert mine != 0 or theirs != 0 or same(mine, theirs), (backend, point, mine)


@pytest.mark.parametrize("backend", BACKENDS)
def test_zeros_of_derivatives_have_no_sign(backend):
    cases = [
        lambda x, y: -x * y + x * 0.0,
        lambda x, y: (x - y) * -1 + x * y * 0.0,
        lambda x, y: micrograd.dot([x, y], [-y, x]) * 0.0,
        lambda x, y: micrograd.grad(lambda t: -t * t * y)(x),
        lambda x, y: micrograd.where(x, -x, -y) / -1,
    ]
    for fn, x, y in itertools.product(cases, (0.0, -0.0), (0.0, -0.0, 2.0)):
        leaves = [Value(x), Value(y)]
        out = fn(*leaves)
        compiled = compile(fn, backend, contract=False)
        assert same(compiled(x, y), float(getattr(out, "data", out)))
        if isinstance(out, Value):
            for mine, theirs in zip(compiled.jacobian(x, y), gradient(out, leaves), strict=True):
                assert same(mine, theirs)


# ---- random programs -----------------------------------------------------------------------------

NUMBERS = [1, -1, 1.0, -1.0, 0, 0.0, -0.0, 2, 0.5, -3, math.inf, -math.inf, math.nan, 1e200]
POINTS = [0.0, -0.0, 1.0, -1.0, 0.7, -2.5, 3.25, 1e155]


def program(rng, size, rows, others=()):
    """Return a function of two numbers and two parameters, as a list of steps, and that list."""
    steps = []
    for at in range(size):
        kinds = [
            *others, *others, "-", "/", "*", "+", "c-", "c/", "-c", "/c", "*c", "neg", "relu",
            "max", "where",
        ]  # fmt: skip
        kind = rng.choice([*kinds, "-", "/", "*", "abs", "power", "dot", "row", "sum", "same"])
        i, j, k = (rng.randrange(at + 4) for _ in range(3))
        constant = rng.choice(NUMBERS[:10] if rng.random() < 0.85 else NUMBERS)
        steps.append((kind, i, j, k, constant, rng.choice(rows), rng.choice([-2, -1, 1, 2])))

    def run(x, y, p, q):
        values = [x, y, p, q]
        for kind, i, j, k, c, row, exponent in steps:
            a, b = values[i], values[j]
            values.append(STEPS[kind](a, b, values[k], c, row, exponent))
        return values[-1] + values[-2] - values[-3]

    return run, steps


STEPS = {
    "-": lambda a, b, d, c, row, n: a - b,
    "/": lambda a, b, d, c, row, n: a / b,
    "*": lambda a, b, d, c, row, n: a * b,
    "+": lambda a, b, d, c, row, n: a + b,
    "c-": lambda a, b, d, c, row, n: c - a,
    "c/": lambda a, b, d, c, row, n: c / a,
    "-c": lambda a, b, d, c, row, n: a - c,
    "/c": lambda a, b, d, c, row, n: a / (c or 4),
    "*c": lambda a, b, d, c, row, n: c * a if n > 0 else a * c,
    "neg": lambda a, b, d, c, row, n: -a,
    "relu": lambda a, b, d, c, row, n: micrograd.relu(a),
    "abs": lambda a, b, d, c, row, n: abs(a),
    "max": lambda a, b, d, c, row, n: micrograd.maximum(a, b) if n > 0 else micrograd.minimum(a, b),
    "where": lambda a, b, d, c, row, n: micrograd.where(micrograd.greater(a, c), b, d),
    "power": lambda a, b, d, c, row, n: a ** abs(n),
    "dot": lambda a, b, d, c, row, n: micrograd.dot([a, b], [d, a], b if n > 0 else None),
    "sum": lambda a, b, d, c, row, n: micrograd.sum([a, b, d, a]),
    "row": lambda a, b, d, c, row, n: row(a),
    "sqrt": lambda a, b, d, c, row, n: micrograd.sqrt(a),
    "cbrt": lambda a, b, d, c, row, n: micrograd.cbrt(a),
    "arcsin": lambda a, b, d, c, row, n: micrograd.arcsin(a),
    "hypot": lambda a, b, d, c, row, n: micrograd.hypot(a, b) ** 2,
    "squared root": lambda a, b, d, c, row, n: micrograd.sqrt(a) ** 2,
    "huge": lambda a, b, d, c, row, n: a * 1e200,
    "logsumexp": lambda a, b, d, c, row, n: micrograd.logsumexp([a, b]),
    "softmax": lambda a, b, d, c, row, n: micrograd.softmax([a, b, d])[0],
    "greater": lambda a, b, d, c, row, n: micrograd.greater(a, b),
    "choice": lambda a, b, d, c, row, n: micrograd.where(micrograd.greater(a, 0), 1, 0),
    "sign": lambda a, b, d, c, row, n: micrograd.sign(a),
    "masked": lambda a, b, d, c, row, n: micrograd.where(a, micrograd.sqrt(abs(a)), b),
    "masked relu": lambda a, b, d, c, row, n: micrograd.relu(-micrograd.sqrt(abs(a))),
    "largest": lambda a, b, d, c, row, n: micrograd.maximum(micrograd.cbrt(a), b),
    "leaky": lambda a, b, d, c, row, n: micrograd.leaky_relu(a, 0) + micrograd.elu(b, 0),
    "nothing": lambda a, b, d, c, row, n: a**0 * b,
    "same": lambda a, b, d, c, row, n: (a - b) * (b - a) + a / b - b / a if n > 0 else a - a,
}


@pytest.fixture(scope="module")
def rows():
    """Return operations with rules in which Python branches."""
    made = [
        micrograd.define(
            name="fuzzed_truth",
            forward=lambda x: x * x if x else 7.0,
            partials=lambda out, x: (2 * x,),
        ),
        micrograd.define(
            name="fuzzed_chain",
            forward=lambda x: -1.0 if x < -1 else 1.0 if x == 1 or x in (0.7, 2) else x / -1,
            partials=lambda out, x: (micrograd.where(micrograd.greater(x, -1), -1, 0),),
        ),
    ]
    yield made
    for op in made:
        ops.TABLE.pop(op.name)


def result(run, numbers):
    """Return value and gradient in the engine; None for what is an error or not finite."""
    leaves = [Value(x) for x in numbers]
    try:
        out = run(*leaves)
    except (ArithmeticError, ValueError):
        return None, None
    if not isinstance(out, Value) or not math.isfinite(out.data):
        return None, None
    try:
        slopes = [float(slope) for slope in gradient(out, leaves)]
    except (ArithmeticError, ValueError):
        return float(out.data), None
    return float(out.data), slopes if all(map(math.isfinite, slopes)) else None


def close(a, b):
    """Return whether two numbers are the same but for the rounding of a few functions."""
    return same(a, b) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def disagreements(seed, rows, backend, others=(), same=same):
    """Yield where compiled code and the engine differ on a random program."""
    rng = random.Random(seed)
    run, steps = program(rng, rng.randint(2, 12), rows, others)
    p, q = Value(1.0, label="p"), Value(1.0, label="q")
    try:
        compiled = compile(lambda x, y: run(x, y, p, q), backend, contract=False, parameters=[p, q])
        compiled.check = "ignore"
        compiled(1.0, 1.0)
    except (ArithmeticError, ValueError):  # of parameters alone
        return
    compiled.check = "raise"
    for _ in range(8):
        x, y, p.data, q.data = numbers = rng.choices(POINTS, k=4)
        value, slopes = result(run, numbers)
        if value is None:
            continue
        mine = [compiled(x, y), compiled.map([x] * 3, [y] * 3)[1]]
        if not all(same(one, value) for one in mine):
            yield steps, numbers, value, mine
        for wrt, expected in (
            ("inputs", slopes and slopes[:2]),
            ("parameters", slopes and slopes[2:]),
        ):
            try:
                got = compiled.value_and_grad([x], [y], wrt=wrt)[1].tolist()
            except (ArithmeticError, ValueError):
                got = None
            if expected is None:
                expected = result_of(run, numbers, wrt)
            one, other = got or [math.nan], expected or [math.nan]
            if not (len(one) == len(other) and all(map(same, one, other))):
                yield steps, numbers, wrt, expected, got


def result_of(run, numbers, wrt):
    """Return the gradient in some of the operands, None where that is an error."""
    leaves = [Value(x) for x in numbers]
    wanted = leaves[:2] if wrt == "inputs" else leaves[2:]
    try:
        slopes = [float(slope) for slope in gradient(run(*leaves), wanted)]
    except (ArithmeticError, ValueError):
        return None
    return slopes if all(map(math.isfinite, slopes)) else None


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("first", mostly_slow(range(0, 120, 20)))
def test_compiled_programs_agree_with_the_engine(first, backend, rows):
    for seed in range(first, first + 20):
        assert not list(itertools.islice(disagreements(seed, rows, backend), 1)), seed


INFINITE = [
    "sqrt", "cbrt", "arcsin", "hypot", "squared root", "huge", "logsumexp", "softmax", "greater",
    "choice", "sign", "masked", "masked relu", "largest", "leaky", "nothing",
]  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("first", mostly_slow(range(1000, 1100, 20)))
def test_what_the_engine_refuses_is_refused_and_nothing_else(first, backend, rows):
    for seed in range(first, first + 20):
        found = disagreements(seed, rows, backend, INFINITE, close)
        assert not list(itertools.islice(found, 1)), seed


# ---- what was not chosen -------------------------------------------------------------------------

MASKED = {
    "where": lambda x, w: micrograd.where(x, micrograd.sqrt(abs(x)) * w, w),
    "relu": lambda x, w: micrograd.relu(-micrograd.sqrt(x * x)) + w * x,
    "maximum": lambda x, w: micrograd.maximum(micrograd.cbrt(x) * w, 1.0 + x),
    "minimum": lambda x, w: micrograd.minimum(micrograd.sqrt(x * x), -1 - x * w),
    "leaky_relu": lambda x, w: micrograd.leaky_relu(-micrograd.cbrt(x), 0) * w + x,
    "elu": lambda x, w: micrograd.elu(-micrograd.cbrt(x), 0) * w + x,
    "of a parameter": lambda x, w: micrograd.where(x, w - 1, x) * micrograd.where(x, x, 3 + w),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", MASKED)
def test_a_batch_with_masked_infinities_gives_what_the_engine_gives(name, backend):
    fn, w = MASKED[name], Value(1.5, label="w")
    X = [1.0, 0.0, 4.0, 0.0, -0.0]
    compiled = compile(lambda x: fn(x, w), backend)
    leaves = [Value(x) for x in X]
    total = micrograd.sum([fn(x, w) for x in leaves])
    expected = gradient(total, [w, *leaves])
    value, slopes = compiled.value_and_grad(X, reduction="sum")
    assert [value, *slopes] == pytest.approx([total.data, expected[0]], rel=1e-15)
    _, of_inputs = compiled.value_and_grad(X, wrt="inputs", reduction="none")
    assert of_inputs[:, 0].tolist() == pytest.approx(expected[1:], rel=1e-15)
    assert compiled.jacobian(0.0)[0] == expected[2]
    compiled.backward(X, reduction="sum")
    assert w.grad == pytest.approx(expected[0], rel=1e-15)


REFUSED = {
    "0 times infinity": (lambda x, w: micrograd.sqrt(x * x) ** 2 * w, 0.0),
    "a root": (lambda x, w: micrograd.cbrt(x) * w, 0.0),
    "of a parameter": (lambda x, w: micrograd.cbrt(w - 1.5) + x, 0.0),
    "0 times it": (lambda x, w: 0 * micrograd.sqrt(x * w) + w * x, 0.0),
    "overflow": (lambda x, w: (x * 1e200 * w) / 1e250 * 1e300, 1e-200),
    "at a comparison": (lambda x, w: micrograd.sqrt(micrograd.greater(x * w, 5)), 1.0),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", REFUSED)
def test_a_gradient_that_the_engine_refuses_is_refused(name, backend):
    fn, bad = REFUSED[name]
    w = Value(1.5, label="w")
    x = Value(bad)
    errors = (ArithmeticError, ValueError)
    compiled = compile(lambda x: fn(x, w), backend)
    for wrt, leaf in (("parameters", w), ("inputs", x)):
        try:
            gradient(fn(x, w), leaf)
        except errors:
            with pytest.raises(errors):
                compiled.value_and_grad([3.0, bad], wrt=wrt)
            with pytest.raises(errors):
                compiled.value_and_grad([bad], wrt=wrt, reduction="none")
        else:
            compiled.value_and_grad([bad], wrt=wrt)
    assert compiled(bad) == fn(x, w).data  # the value itself is finite
