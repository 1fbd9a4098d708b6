"""Optimizers and schedules, against closed forms, exact fractions and themselves resumed."""

import json
import math
import pickle
import random
from fractions import Fraction

import pytest
from tables import each

from micrograd import Value
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    MicrogradError,
    NumberTypeError,
    StateError,
)
from micrograd.files import read_json, write_json
from micrograd.losses import mse
from micrograd.nn import MLP
from micrograd.optim import (
    SGD,
    Adam,
    AdamW,
    Optimizer,
    cosine,
    exponential,
    linear,
    step_decay,
    warmup,
)


def pushed(optimizer, gradients):
    """Return what the first parameter is after a step with each gradient."""
    trail = []
    for grad in gradients:
        optimizer.params[0].grad = grad
        optimizer.step()
        trail.append(optimizer.params[0].data)
    return trail


# ---- update rules, by hand -----------------------------------------------------------------------


def test_plain_sgd_has_the_bits_of_the_demo_update():
    p = Value(0.3)
    assert pushed(SGD([p], lr=0.7), [0.1]) == [0.3 - 0.7 * 0.1]


def test_sgd_rules_are_exact_on_fractions():
    half, grads = Fraction(1, 2), [Fraction(1), Fraction(2), Fraction(-1)]
    # Buffers by hand: 1, 1/2 + 2 = 5/2, 5/4 - 1 = 1/4.
    assert pushed(SGD([Value(Fraction(0))], lr=1, momentum=half), grads) == [
        -1,
        Fraction(-7, 2),
        Fraction(-15, 4),
    ]
    # Nesterov: g + buffer/2 = 3/2, 13/4, -7/8.
    nesterov = SGD([Value(Fraction(0))], lr=1, momentum=half, nesterov=True)
    assert pushed(nesterov, grads) == [Fraction(-3, 2), Fraction(-19, 4), Fraction(-31, 8)]
    # Decay: p - (g + p/10) / 5.
    decay = SGD([Value(Fraction(1))], lr=Fraction(1, 5), weight_decay=Fraction(1, 10))
    assert pushed(decay, [Fraction(3)]) == [1 - Fraction(31, 50)]


def test_weight_decay_is_a_penalty_of_half_its_size_in_the_loss():
    p, q = Value(1.5), Value(1.5)
    SGD([p], lr=0.25, weight_decay=0.5).step()
    (0.25 * q * q).backward()
    SGD([q], lr=0.25).step()
    assert p.data == q.data == 1.5 - 0.25 * 0.75


def test_l1_is_a_penalty_of_the_absolute_value_in_the_loss():
    half, tenth = Fraction(1, 2), Fraction(1, 10)
    for start in (Fraction(3, 2), Fraction(-3, 2)):
        p, q = Value(start), Value(start)
        SGD([p], lr=half, weight_decay=half, l1=tenth).step()
        (half * half * q * q + tenth * (q if start > 0 else -q)).backward()
        SGD([q], lr=half).step()
        assert p.data == q.data == start - half * (half * start + (tenth if start > 0 else -tenth))


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_l1_pulls_the_parameters_that_are_decayed_to_0_and_leaves_those_that_are_there(kind):
    kept, up, down, zero = params = [Value(x) for x in (2.0, 2.0, -2.0, 0.0)]
    optimizer = kind(params, lr=0.25, weight_decay=0, l1=0.5, decayed=[up, down, zero])
    assert optimizer.pulls == [0, 0.5, 0.5, 0.5]
    optimizer.step()
    far = 0.25 if kind is Adam else 0.125  # Adam takes a step of the size of the rate
    assert [p.data for p in params] == pytest.approx([2.0, 2 - far, far - 2, 0.0], abs=1e-7)
    assert (kept.data, zero.data) == (2.0, 0.0)
    assert repr(optimizer).endswith(", l1=0.5)")
    again = kind(params, decayed=[up, down, zero])
    again.load_state_dict(json.loads(json.dumps(optimizer.state_dict())))
    assert again.state_dict() == optimizer.state_dict()
    state = again.state_dict()
    del state["l1"]  # as written by a version that had none
    again.load_state_dict(state)
    assert again.l1 == 0
    for wrong in (-1, math.nan, "x"):
        with pytest.raises((ArgumentError, TypeError), match="l1"):
            kind([up], l1=wrong)


def test_no_parameter_is_looked_for_in_a_list(monkeypatch):
    params = [Value(float(i)) for i in range(4)]
    monkeypatch.setattr(Value, "__eq__", None)
    for decayed in (None, params[1:]):
        assert SGD(params, weight_decay=1, decayed=decayed).decays == [int(not decayed), 1, 1, 1]


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_only_the_parameters_that_are_decayed_shrink(kind):
    kept, shrunk = Value(2.0), Value(2.0)
    optimizer = kind([kept, shrunk], lr=0.25, weight_decay=0.5, decayed=[shrunk])
    assert optimizer.decays == [0, 0.5]
    assert pushed(optimizer, [0]) == [2.0]
    assert shrunk.data < 2.0
    again = pickle.loads(pickle.dumps(optimizer))
    assert again.decays == [0, 0.5]
    with pytest.raises(ArgumentError, match="decayed holds Values"):
        kind([kept], decayed=[shrunk])


@pytest.mark.parametrize("grad", [1e-3, -5.0, 1e6])
def test_the_first_step_of_adam_is_of_the_size_of_the_learning_rate(grad):
    (moved,) = pushed(Adam([Value(0.0)], lr=0.1, eps=0.0), [grad])
    assert moved == pytest.approx(-math.copysign(0.1, grad), rel=1e-14)


def test_adam_with_a_steady_gradient_takes_steady_steps():
    trail = pushed(Adam([Value(0.0)], lr=0.1, eps=0.0), [2.0] * 5)
    assert trail == pytest.approx([-0.1, -0.2, -0.3, -0.4, -0.5], rel=1e-13)


def test_adam_without_a_gradient_does_nothing():
    assert pushed(Adam([Value(0.7)]), [0, 0]) == [0.7, 0.7]


def test_adamw_shrinks_by_the_decay_apart_from_the_gradient():
    assert pushed(AdamW([Value(1.0)], lr=0.5, weight_decay=0.5), [0, 0]) == [0.75, 0.5625]


def test_adam_with_decay_differs_from_adamw():
    adam, adamw = Adam([Value(1.0)], weight_decay=0.01), AdamW([Value(1.0)], weight_decay=0.01)
    assert pushed(adam, [0.5]) != pushed(adamw, [0.5])


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_every_optimizer_finds_the_bottom_of_a_bowl(kind):
    x, y = Value(4.0), Value(-3.0)
    optimizer = kind([x, y], lr=0.1)
    for _ in range(400):
        optimizer.zero_grad()
        ((x - 1) ** 2 + 2 * (y + 2) ** 2).backward()
        optimizer.step()
    tolerance = 0.02 if kind is AdamW else 1e-6
    assert (x.data, y.data) == pytest.approx((1.0, -2.0), abs=tolerance)


def test_a_parameter_that_comes_twice_is_updated_once():
    p = Value(1.0)
    optimizer = SGD([p, p], lr=0.5)
    p.grad = 1.0
    optimizer.step()
    assert p.data == 0.5
    assert optimizer.params == [p]


def test_zero_grad_sets_gradients_to_zero():
    p = Value(1.0)
    p.grad = 3.0
    SGD([p]).zero_grad()
    assert p.grad == 0


# ---- learning rates ------------------------------------------------------------------------------


def test_a_schedule_or_any_function_of_the_step_sets_the_rate():
    for lr in (exponential(1.0, 0.5), lambda k: 0.5**k):
        assert pushed(SGD([Value(0.0)], lr=lr), [1.0] * 3) == [-1.0, -1.5, -1.75]


def test_the_rate_can_be_changed_between_steps():
    optimizer = SGD([Value(0.0)], lr=1.0)
    pushed(optimizer, [1.0])
    optimizer.lr = 0.25
    assert pushed(optimizer, [1.0]) == [-1.25]


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: SGD([]), ArgumentError, "SGD: expected at least one parameter"),
        (lambda: SGD([1.0]), ArgumentTypeError, "expected Values, got 1.0 as parameter 0"),
        (lambda: SGD(MLP(1, [1])), ArgumentTypeError, r"pass model\.parameters\(\)"),
        (lambda: SGD(Value(1.0)), ArgumentTypeError, "expected a list of Values"),
        (lambda: SGD([Value(1.0) * 2]), ArgumentError, "only leaves can be trained"),
        (
            lambda: SGD([Value(1)], lr=-0.1),
            ArgumentError,
            "lr to be a finite number of 0 or more, got -0.1",
        ),
        (lambda: SGD([Value(1)], lr=math.nan), ArgumentError, "got nan"),
        (lambda: SGD([Value(1)], lr=math.inf), ArgumentError, "got inf"),
        (lambda: SGD([Value(1)], lr="fast"), NumberTypeError, "lr to be a finite number"),
        (
            lambda: SGD([Value(1)], momentum=1.0),
            ArgumentError,
            "momentum to be a finite number of 0 or more and below 1",
        ),
        (
            lambda: SGD([Value(1)], weight_decay=-1),
            ArgumentError,
            "weight_decay to be a finite number of 0",
        ),
        (lambda: SGD([Value(1)], nesterov=True), ArgumentError, "nesterov needs a momentum"),
        (lambda: Adam([Value(1)], betas=(0.9, 1.0)), ArgumentError, r"betas\[1\]"),
        (lambda: Adam([Value(1)], betas=0.9), ArgumentTypeError, "two numbers as betas, got 0.9"),
        (lambda: Adam([Value(1)], eps=math.nan), ArgumentError, "eps"),
        (lambda: AdamW([Value(1)], weight_decay=math.nan), ArgumentError, "weight_decay"),
    ],
)
def test_arguments_that_cannot_be_are_errors_that_name_them(build, error, words):
    with pytest.raises(error, match=words):
        build()


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_schedule_that_goes_wrong_is_an_error_and_changes_nothing(kind, rate):
    p = Value(1.0)
    optimizer = kind([p], lr=lambda k: 0.5 if k < 1 else rate)
    pushed(optimizer, [1.0])
    before, data = optimizer.state_dict(), p.data
    with pytest.raises(ArgumentError, match="the learning rate of step 1"):
        optimizer.step()
    assert optimizer.state_dict() == before
    assert p.data == data


def test_a_step_that_fails_half_way_changes_nothing():
    p, q = Value(1.0), Value(1.0)
    optimizer = Adam([p, q], eps=0.0)
    p.grad = 1.0  # the step of q, without a gradient, is 0 / 0
    before = optimizer.state_dict()
    with pytest.raises(ZeroDivisionError):
        optimizer.step()
    assert (p.data, q.data) == (1.0, 1.0)
    assert optimizer.state_dict() == before


# ---- states --------------------------------------------------------------------------------------


BUILDS = {
    "sgd": lambda params: SGD(params, lr=0.05),
    "momentum": lambda params: SGD(params, lr=0.05, momentum=0.9, weight_decay=1e-3),
    "nesterov": lambda params: SGD(params, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda params: Adam(params, lr=cosine(0.05, 0.01, 12), weight_decay=1e-3),
    "adamw": lambda params: AdamW(params, lr=warmup(4, linear(0.1, 0.0, 10)), betas=(0.8, 0.9)),
}


def trained(model, optimizer, steps):
    draw = random.Random(4)
    X = [[draw.uniform(-1, 1), draw.uniform(-1, 1)] for _ in range(6)]
    y = [a * b for a, b in X]
    for _ in range(steps):
        optimizer.zero_grad()
        mse([model(x) for x in X], y).backward()
        optimizer.step()


def network():
    return MLP(2, [4, 1], activation="tanh", rng=random.Random(3))


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize("done", [0, 1, 7])
def test_a_run_resumed_from_files_has_the_same_bits(tmp_path, name, done):
    straight = network()
    optimizer = BUILDS[name](straight.parameters())
    trained(straight, optimizer, 14)

    first = network()
    optimizer = BUILDS[name](first.parameters())
    trained(first, optimizer, done)
    first.save(tmp_path / "model.json")
    write_json(tmp_path / "optimizer.json", optimizer.state_dict())

    second = MLP.from_file(tmp_path / "model.json")
    kind = type(optimizer)
    resumed = kind(second.parameters())  # its options come from the state
    resumed.load_state_dict(read_json(tmp_path / "optimizer.json"))
    assert repr(resumed) == repr(optimizer)
    trained(second, resumed, 14 - done)
    assert second.state_dict() == straight.state_dict()


def test_a_rate_that_is_a_function_of_ones_own_is_kept_when_a_state_is_loaded():
    lr = lambda k: 0.5**k  # noqa: E731
    optimizer = SGD([Value(0.0)], lr=lr)
    pushed(optimizer, [1.0])
    state = json.loads(json.dumps(optimizer.state_dict()))
    assert state["lr"] is None
    again = SGD([Value(0.0)], lr=lr)
    again.load_state_dict(state)
    assert pushed(again, [1.0]) == [-0.5]


@each(
    "change",
    [
        lambda s: s.pop("mean"),
        lambda s: s.update(more=1),
        lambda s: s.update(optimizer="SGD"),
        lambda s: s.update(steps=-1),
        lambda s: s.update(steps=1.5),
        lambda s: s.update(lr=-1.0),
        lambda s: s.update(lr="fast"),
        lambda s: s.update(lr={"schedule": "nope", "arguments": []}),
        lambda s: s.update(lr={"schedule": "linear", "arguments": [1]}),
        lambda s: s.update(lr={}),
        lambda s: s.update(betas=[0.9]),
        lambda s: s.update(betas=[0.9, 2.0]),
        lambda s: s.update(eps=None),
        lambda s: s.update(mean=[1.0]),
        lambda s: s.update(mean=[]),
        lambda s: s.update(square=["a", "b"]),
        lambda s: s.update(square=3),
        lambda s: s.update(square=[1.0, -1e-300]),
        lambda s: s.update(square=[1.0, Fraction(-1, 3)]),
        lambda s: s.update(square=[1.0, 10**400]),
        lambda s: s.update(mean=[1.0, 10**400]),
        lambda s: s.update(steps=10**400),
        lambda s: s.update(steps=True),
        lambda s: s.update(lr=10**400),
        lambda s: s.update(lr={"schedule": [], "arguments": []}),
        lambda s: s.update(lr={"schedule": 10**5000, "arguments": []}),
        lambda s: s.update(lr={"schedule": "linear", "arguments": [1, None, 3]}),
        lambda s: s.update(lr=nested(100_000)),
        lambda s: s.update({1: 10**5000}),
        lambda s: s.update(optimizer=10**5000),
    ],
)
def test_a_wrong_state_changes_nothing(change):
    optimizer = Adam([Value(1.0), Value(2.0)])
    optimizer.step()
    before = optimizer.state_dict()
    state = optimizer.state_dict()
    change(state)
    with pytest.raises(StateError):
        optimizer.load_state_dict(state)
    assert optimizer.state_dict() == before


def nested(depth):
    rate = 0.1
    for _ in range(depth):
        rate = {"schedule": "warmup", "arguments": [1, rate]}
    return rate


@pytest.mark.parametrize("momentum_buffer", [[10**400], ["x"], [1.0, 2.0], 3, {"a": 1}])
def test_a_wrong_momentum_changes_nothing(momentum_buffer):
    optimizer = SGD([Value(1.0)], momentum=0.5)
    before = optimizer.state_dict()
    with pytest.raises(StateError):
        optimizer.load_state_dict({**before, "momentum_buffer": momentum_buffer})
    assert optimizer.state_dict() == before


@pytest.mark.parametrize("nesterov", ["no", [], 2, None])
def test_nesterov_is_true_or_false(nesterov):
    optimizer = SGD([Value(1.0)], momentum=0.5)
    with pytest.raises(StateError, match="nesterov"):
        optimizer.load_state_dict({**optimizer.state_dict(), "nesterov": nesterov})


@pytest.mark.parametrize("square", [math.inf, math.nan, 0, Fraction(1, 3)])
def test_whatever_state_an_optimizer_is_in_can_be_loaded_again(square):
    optimizer = Adam([Value(1.0)])
    optimizer.square = [square]
    again = Adam([Value(1.0)])
    again.load_state_dict(optimizer.state_dict())
    assert repr(again.state_dict()) == repr(optimizer.state_dict())


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda p: Adam(p, eps=0), ZeroDivisionError),
        (lambda p: SGD(p, lr=exponential(1.0, 10.0)), OverflowError),
        (lambda p: SGD(p, lr=exponential(7, 7)), OverflowError),
        (lambda p: SGD(p, lr=step_decay(1, Fraction(7, 2), 1)), OverflowError),
    ],
)
def test_a_step_that_cannot_be_computed_is_an_error_of_ours_and_changes_nothing(make, error):
    p = Value(1.0)
    optimizer = make([p])
    optimizer.steps = 2**50
    before = optimizer.state_dict()
    with pytest.raises(error) as caught:
        optimizer.step()
    assert isinstance(caught.value, MicrogradError)
    assert (p.data, optimizer.state_dict()) == (1.0, before)


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_a_state_of_other_decayed_parameters_is_refused(kind):
    p, q = Value(1.0), Value(2.0)
    some, other, every = kind([p, q], decayed=[p]), kind([p, q], decayed=[q]), kind([p, q])
    some.step()
    state = json.loads(json.dumps(some.state_dict()))
    for wrong in (other, every):
        with pytest.raises(StateError, match="other decayed parameters"):
            wrong.load_state_dict(state)
        with pytest.raises(StateError, match="other decayed parameters"):
            some.load_state_dict(wrong.state_dict())
        assert (wrong.steps, some.steps) == (0, 1)
    again = kind([p, q], decayed=[p])
    again.load_state_dict(state)
    assert again.state_dict() == state
    del state["decayed"]  # as written by a version that did not keep it
    other.load_state_dict(state)
    assert (other.steps, other.decays[0]) == (1, 0)


@pytest.mark.parametrize("state", [None, [], "x", {}])
def test_a_state_that_is_none_is_refused(state):
    with pytest.raises(StateError, match="expected the state of SGD"):
        SGD([Value(1.0)]).load_state_dict(state)


def test_the_repr_shows_the_options():
    assert repr(SGD([Value(1.0)], momentum=0.9)) == (
        "SGD(1 parameters, lr=0.1, momentum=0.9, nesterov=False, weight_decay=0.0)"
    )


def test_an_optimizer_of_ones_own_needs_only_its_rule():
    class Signs(Optimizer):
        def _updated(self, rate):
            return [p.data - rate * ((p.grad > 0) - (p.grad < 0)) for p in self.params]

        def _checked(self, options):
            return options

    p = Value(1.0)
    optimizer = Signs([p], lr=0.5)
    assert pushed(optimizer, [3.0, -3.0]) == [0.5, 1.0]
    again = Signs([p], lr=0.1)
    again.load_state_dict(optimizer.state_dict())
    assert (again.lr, again.steps) == (0.5, 2)
