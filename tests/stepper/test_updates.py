"""The steps of an update: bit for bit those of the optimizer, which never changes."""

import copy
import pickle
import random
from fractions import Fraction

import pytest

from micrograd import Value, steps
from micrograd.errors import ArgumentError, ArgumentTypeError, OverflowRangeError
from micrograd.losses import mse
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam, AdamW, Optimizer, linear
from micrograd.stepper.terminal import step_text, table_text

OPTIMIZERS = {
    "SGD": lambda ps: SGD(ps, 0.3),
    "decay": lambda ps: SGD(ps, 0.3, weight_decay=0.1, decayed=ps[:3]),
    "momentum": lambda ps: SGD(ps, 0.3, momentum=0.9),
    "nesterov": lambda ps: SGD(ps, linear(0.3, 0.1, 5), momentum=0.8, nesterov=True),
    "Adam": lambda ps: Adam(ps, lambda step: 0.1 / (step + 1), weight_decay=0.2),
    "AdamW": lambda ps: AdamW(ps, 0.1, betas=(0.5, 0.75), eps=0),
    "L1": lambda ps: SGD(ps, 0.3, weight_decay=0.1, l1=0.05, decayed=ps[:3]),
    "AdamW, L1": lambda ps: AdamW(ps, 0.1, l1=0.5),
}


class Signs(Optimizer):
    """Moves each parameter by the learning rate, whatever the size of its gradient."""

    def step(self):
        for p in self.params:
            p.data -= self.lr * ((p.grad > 0) - (p.grad < 0))
        self.steps += 1


def bits(numbers):
    return [float(number).hex() for number in numbers]


def network_and_loss(seed):
    draw = random.Random(seed)
    model = MLP(2, [3, 2], activation="tanh", rng=draw)
    target = [draw.uniform(-1, 1) for _ in range(2)]
    return model, lambda: mse(model([0.5, -1.0]), target)


@pytest.mark.parametrize("made", [*OPTIMIZERS.values(), lambda ps: Signs(ps, 0.1)])
def test_an_update_is_the_step_of_the_optimizer_at_each_of_many(made):
    model, loss = network_and_loss(1)
    parameters = model.parameters()
    optimizer = made(parameters)
    for _ in range(6):
        walk = steps(loss(), optimizer=optimizer)
        state, data = optimizer.state_dict(), bits(p.data for p in parameters)
        assert [step.node for step in walk if step.kind == "update"] == parameters
        found = [step.change.after for step in walk if step.kind == "update"]
        assert walk[-1].text
        assert optimizer.state_dict() == state
        assert bits(p.data for p in parameters) == data
        optimizer.zero_grad()
        walk.root.backward()
        optimizer.step()
        assert bits(found) == bits(p.data for p in parameters)


def test_fractions_stay_exact():
    w = Value(Fraction(1, 3), label="w")
    (*_, step) = steps(w * w, optimizer=SGD([w], Fraction(1, 4)))
    assert step.change.after == Fraction(1, 6)
    assert step.sentence == "w moves against its gradient: 1/3 - 1/4 × (2/3) = 1/6."


def described(walk):
    step = walk[-1]
    return [step.sentence, step.rule, step.formula, step.latex.partition(" = ")[0]]


def test_each_rule_is_told():
    def walk(made, count=0):
        w = Value(3.0, label="w")
        optimizer = made([w])
        for _ in range(count):
            w.grad = 2.0
            optimizer.step()
        w.data = 3.0
        return steps(w * 2, optimizer=optimizer)

    d = r"\frac{\partial \mathrm{w\ \cdot \ 2}}{\partial \mathrm{w}}"
    w = r"\mathrm{w}"
    assert described(walk(lambda ps: SGD(ps, 0.5))) == [
        "w moves against its gradient: 3 - 0.5 × 2 = 2.",
        "SGD, lr = 0.5",
        "w - lr × w.grad",
        rf"{w} \leftarrow {w} - \eta \cdot {d}",
    ]
    assert described(walk(lambda ps: SGD(ps, 0.5, weight_decay=0.25))) == [
        "Weight decay adds 0.25 × 3 to the gradient of w: together +2.75. "
        "w moves against its gradient: 3 - 0.5 × 2.75 = 1.625.",
        "SGD, lr = 0.5, weight decay = 0.25",
        "w - lr × (w.grad + decay × w)",
        rf"{w} \leftarrow {w} - \eta \cdot \left({d} + \lambda\, {w}\right)",
    ]
    momentum = walk(lambda ps: SGD(ps, 0.5, momentum=0.5))
    assert momentum[-1].sentence == (
        "The momentum buffer of w starts as the gradient, +2. w moves against it: 3 - 0.5 × 2 = 2."
    )
    assert momentum[-1].change.buffers == {"m": (None, 2)}
    assert described(walk(lambda ps: SGD(ps, 0.5, momentum=0.5), 1)) == [
        "The momentum buffer of w is now 0.5 × 2 + 2 = +3. w moves against it: 3 - 0.5 × 3 = 1.5.",
        "SGD, lr = 0.5, momentum = 0.5",
        "w - lr × m",
        rf"{w} \leftarrow {w} - \eta \cdot m",
    ]
    assert described(walk(lambda ps: SGD(ps, 0.5, momentum=0.5, nesterov=True), 1)) == [
        "The momentum buffer of w is now 0.5 × 2 + 2 = +3. "
        "w moves against the gradient plus 0.5 times that: 3 becomes 1.25.",
        "SGD, lr = 0.5, momentum = 0.5",
        "w - lr × (w.grad + momentum × m)",
        rf"{w} \leftarrow {w} - \eta \cdot \left({d} + \mu\, m\right)",
    ]
    assert described(walk(lambda ps: AdamW(ps, 0.5, weight_decay=0.25))) == [
        "Weight decay first multiplies w by 1 - 0.5 × 0.25. The mean of the gradients of w, m, is "
        "now +0.2, that of their squares, v, 0.004. Both are corrected for their start at 0: "
        "w moves by -0.875, to 2.125.",
        "AdamW, lr = 0.5, weight decay = 0.25",
        "w × (1 - lr × decay) - lr × m / √v, both corrected for their start at 0",
        rf"{w} \leftarrow (1 - \eta\lambda)\, {w} - \eta \cdot \frac{{\hat m}}"
        r"{\sqrt{\hat v} + \varepsilon}",
    ]
    assert described(walk(lambda ps: SGD(ps, 0.5, weight_decay=0.25, l1=0.5))) == [
        "Weight decay adds 0.25 × 3 to the gradient of w: together +2.75. L1 adds +0.5 to the "
        "gradient of w: together +3.25. w moves against its gradient: 3 - 0.5 × 3.25 = 1.375.",
        "SGD, lr = 0.5, weight decay = 0.25, l1 = 0.5",
        "w - lr × (w.grad + decay × w + l1 × sign w)",
        rf"{w} \leftarrow {w} - \eta \cdot \left({d} + \lambda\, {w} + "
        rf"\lambda_1 \operatorname{{sign}} {w}\right)",
    ]
    shrunk = described(walk(lambda ps: AdamW(ps, 0.5, weight_decay=0.25, l1=0.5)))
    assert shrunk[0].startswith(
        "Weight decay first multiplies w by 1 - 0.5 × 0.25. L1 moves w by -0.25 first. The mean of "
    )
    assert shrunk[1:3] == [
        "AdamW, lr = 0.5, weight decay = 0.25, l1 = 0.5",
        "w × (1 - lr × decay) - lr × l1 × sign w - lr × m / √v, both corrected for their start at "
        "0",
    ]
    assert shrunk[3].startswith(
        rf"{w} \leftarrow (1 - \eta\lambda)\, {w} - \eta\lambda_1 \operatorname{{sign}} {w} - "
    )
    assert described(walk(lambda ps: Signs(ps, 0.5))) == [
        "Signs moves w by -0.5: 3 becomes 2.5.",
        "Signs",
        "",
        rf"{w} \leftarrow 3 - 0.5",
    ]
    assert walk(lambda ps: Signs(ps, 0.0))[-1].sentence == "Signs leaves w at 3."


def test_a_parameter_without_gradient_stays():
    a, b = Value(1.0, label="a"), Value(2.0, label="b")
    walk = steps((a - 5).relu() * b, optimizer=SGD([a, b]))
    assert walk[-2].sentence == "a stays 1: its gradient is 0."


def test_the_update_is_the_last_section_and_the_rest_is_as_without_it():
    model, loss = network_and_loss(2)
    root = loss()
    plain, walk = steps(root), steps(root, optimizer=Adam(model.parameters()))
    last = walk.sections[-1]
    assert [section.name for section in walk.sections[:-1]] == [s.name for s in plain.sections]
    assert (last.phase, last.name, len(last.groups)) == ("update", "update", 1)
    assert last.groups[0].first == len(plain)
    assert last.groups[0].last == len(walk) - 1
    assert walk[-1].section is last
    assert last.groups[0].text.startswith(
        "The gradient is used now: each parameter moves a little against its gradient, so that "
        "loss falls. One update: loss went from "
    )
    assert [step.text for step in walk[: len(plain)]] == [step.text for step in plain]
    for value in walk.nodes:
        assert walk.find(value).index == plain.find(value).index
        assert walk.ledger(value) == plain.ledger(value)
    assert walk.gradients == plain.gradients
    assert f", {len(model.parameters())} updates>" in repr(walk)
    assert str(walk).splitlines()[-1].endswith(walk[-1].text)


def test_the_snapshot_tells_what_was_updated():
    w, x = Value(3.0, label="w"), Value(2.0, label="x")
    walk = steps(w * x, optimizer=SGD([w, x], 0.5))
    assert [walk.snapshot(k)[w].updated for k in (3, 4, 5)] == [None, 2.0, 2.0]
    assert [walk.snapshot(k)[x].updated for k in (3, 4, 5)] == [None, None, 0.5]
    walk.go(4)
    assert step_text(walk).splitlines()[0] == "[5/6] Update 1 of 2"
    assert "3 → 2    +2  final" in table_text(walk)


def test_copies_and_pickles_have_the_same_update():
    w, x = Value(3.0, label="w"), Value(2.0, label="x")
    optimizer = SGD([Value(1.0), w], lambda step: 0.25, momentum=0.5)
    w.grad = 1.0
    optimizer.step()
    walk = steps(w * x, optimizer=optimizer)
    texts = [step.text for step in walk]
    optimizer.step()
    w.data, x.data = 7.0, 8.0
    for other in (copy.copy(walk), copy.deepcopy(walk), pickle.loads(pickle.dumps(walk))):
        assert [step.text for step in other] == texts
    edited = walk.copy_of_graph()
    edited.parents[1].data = 10.0
    change = walk.of_copy(edited.forward())[-1].change
    assert change.grad == 10.0
    assert change.after == change.before - 0.25 * (0.5 * 1.0 + 10.0)


def test_what_the_optimizer_and_the_graph_do_not_share_is_told():
    model, loss = network_and_loss(3)
    frozen, *held = model.parameters()
    walk = steps(loss(), optimizer=SGD([*held, Value(1.0), Value(2.0)]))
    name = walk.words.names[walk.place(frozen)]
    assert walk.updated.endswith(
        f"The optimizer does not hold {name}: it stays as it is. "
        "It holds 2 more parameters outside of this graph."
    )


def test_a_broken_pass_updates_with_the_wrong_gradients():
    a = Value(2.0, label="a")
    root = a * a
    walk = steps(root, "assign", optimizer=SGD([a], 0.5))
    assert walk[-1].change.grad == 2.0
    assert walk[-1].change.after == 1.0
    assert steps(root, optimizer=SGD([a], 0.5))[-1].change.after == 0.0


def test_a_root_without_a_number_after_the_update_is_told():
    w = Value(1.0, label="w")
    walk = steps(w.log(), optimizer=SGD([w], 2.0))
    assert walk.updated.startswith("With the new parameters log(w) cannot be computed: ")


def test_errors_name_what_is_wrong():
    w = Value(3, label="w")
    root = w * 2
    with pytest.raises(ArgumentTypeError, match="expected an optimizer, such as"):
        steps(root, optimizer="sgd")
    with pytest.raises(ArgumentError, match="holds no parameter of this graph"):
        steps(root, optimizer=SGD([Value(1.0)]))
    with pytest.raises(ArgumentError, match="the learning rate of step 0"):
        steps(root, optimizer=SGD([w], lambda step: -1.0))
    with pytest.raises(OverflowRangeError):
        steps(w * 10**400, optimizer=SGD([w], 0.1))
    assert w.data == 3

    class Locked(SGD):
        def __deepcopy__(self, memo):
            raise TypeError("no copies")

    with pytest.raises(ArgumentError, match="Locked cannot be copied"):
        steps(root, optimizer=Locked([w]))


def test_a_single_update_is_said_by_its_own_sentence_and_several_by_the_closing_one():
    w, v = Value(3.0, label="w"), Value(1.0, label="v")
    alone, both = (steps(w * v, optimizer=SGD(held, lr=0.1)) for held in ([w], [w, v]))
    assert alone.sections[-1].groups[-1].text == alone[-1].text
    assert both.sections[-1].groups[-1].text.endswith(both.updated)
    assert both[-2].change is both.changes[0] is both.change_at(-2)
    assert (both[-1].change, both.change_at(-1)) == (both.changes[1], both.changes[1])
    assert both.change_at(-3) is both[-3].change is both.change_at(0) is None
