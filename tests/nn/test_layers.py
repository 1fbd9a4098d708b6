"""Neurons, layers, networks, their states and their files."""

import copy
import math
import pickle
import random
from fractions import Fraction

import pytest

from micrograd import Value, dot, gradient, ops, train
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputCountError,
    NumberTypeError,
    TraceError,
)
from micrograd.graph import order
from micrograd.nn import MLP, Layer, Neuron, activation_of, is_ours, neurons_of

SAMPLE = [0.3, -1.7]


def small(**options):
    return MLP(2, [3, 4, 1], rng=random.Random(5), **options)


# ---- the network of the original -----------------------------------------------------------------


def test_the_weights_of_seed_1337_are_those_of_the_original():
    # Drawn with the reference's nn.py: random.seed(1337); MLP(2, [16, 16, 1]).
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    first = [p.data for p in model.parameters()[:7]]
    last = [p.data for p in model.parameters()[-3:]]
    expected = random.Random(1337)
    drawn = [
        [expected.uniform(-1, 1) for _ in range(nin)]
        for nin, nout in ((2, 16), (16, 16), (16, 1))
        for _ in range(nout)
    ]
    assert [p.data for p in model.parameters()] == [n for row in drawn for n in (*row, 0)]
    assert first == FIRST
    assert last == LAST


FIRST = [
    0.23550571390294128,
    0.06653114721000164,
    0,
    -0.26830328150124894,
    0.1715747078045431,
    0,
    -0.6686254326224383,
]
LAST = [-0.3223491002609964, -0.2532524374373504, 0]


def test_biases_start_as_the_integer_zero_and_a_network_has_337_parameters():
    model = MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337
    biases = [neuron.b for layer in model.layers for neuron in layer.neurons]
    assert all(repr(b) == "Value(data=0, grad=0)" for b in biases)


def test_the_reprs_are_those_of_the_original():
    assert repr(Neuron(2)) == "ReLUNeuron(2)"
    assert repr(Neuron(16, nonlin=False)) == "LinearNeuron(16)"
    assert repr(Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    assert repr(MLP(1, [2, 1])) == (
        "MLP of [Layer of [ReLUNeuron(1), ReLUNeuron(1)], Layer of [LinearNeuron(2)]]"
    )


def test_a_generator_of_ones_own_leaves_the_shared_one_alone():
    random.seed(3)
    before = random.getstate()
    one, two = MLP(2, [3, 1], rng=random.Random(1)), MLP(2, [3, 1], rng=random.Random(1))
    assert random.getstate() == before
    assert one.state_dict() == two.state_dict()


def test_zero_grad_sets_every_gradient_to_the_integer_zero():
    model = small()
    model(SAMPLE).backward()
    model.zero_grad()
    assert {repr(p.grad) for p in model.parameters()} == {"0"}


def test_nonlin_can_be_changed_after_the_fact_as_in_the_original():
    neuron = Neuron(1)
    neuron.w, neuron.b = [Value(1.0)], Value(0.0)
    assert neuron([-3.0]).data == 0
    neuron.nonlin = False
    assert neuron([-3.0]).data == -3.0


# ---- what a forward pass builds ------------------------------------------------------------------


def test_a_neuron_is_two_nodes_the_sum_and_the_activation():
    neuron = Neuron(3, activation="tanh")
    out = neuron([1.0, 2.0, 3.0])
    results = [node for node in order(out) if node.parents]
    assert [node.op.name for node in results] == ["dot", "tanh"]
    assert results[0].parents[:3] == tuple(neuron.w)
    assert results[0].parents[-1] is neuron.b


def test_an_atomic_neuron_is_single_products_and_sums_as_in_the_original():
    out = Neuron(3, atomic=True)([1.0, 2.0, 3.0])
    names = [node._op for node in order(out) if node.parents]
    assert names == ["*", "+", "*", "+", "*", "+", "ReLU"]


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu"])
def test_atomic_and_whole_networks_agree_to_the_last_bit(activation):
    whole, atomic = small(activation=activation), small(activation=activation, atomic=True)
    draw = random.Random(2)
    for _ in range(50):
        x = [draw.uniform(-3, 3), draw.uniform(-3, 3)]
        assert whole(x).data == atomic(x).data


def test_whole_and_atomic_networks_have_the_same_gradients():
    whole, atomic = small(activation="tanh"), small(activation="tanh", atomic=True)
    for model in (whole, atomic):
        model(SAMPLE).backward()
    for p, q in zip(whole.parameters(), atomic.parameters(), strict=True):
        assert p.grad == pytest.approx(q.grad, rel=1e-14)


@pytest.mark.parametrize("atomic", [False, True])
def test_each_plain_input_is_one_leaf_that_all_neurons_share(atomic):
    model = small(atomic=atomic)
    leaves = [node for node in order(model(SAMPLE)) if not node.parents]
    inputs = [leaf for leaf in leaves if leaf.op is ops.constant]
    assert [leaf.data for leaf in inputs] == SAMPLE
    assert len(leaves) == 2 + len(model.parameters())


def test_value_inputs_are_taken_as_they_are_and_get_gradients():
    model = small(activation="tanh")
    x = [Value(v) for v in SAMPLE]
    out = model(x)
    out.backward()
    eps = 1e-6
    for i in range(2):
        up, down = list(SAMPLE), list(SAMPLE)
        up[i] += eps
        down[i] -= eps
        slope = (model(up).data - model(down).data) / (2 * eps)
        assert x[i].grad == pytest.approx(slope, rel=1e-7)


def test_numbers_tuples_generators_and_numpy_rows_give_the_same():
    np = pytest.importorskip("numpy")
    model = small()
    expected = model(SAMPLE).data
    assert model(tuple(SAMPLE)).data == expected
    assert model(v for v in SAMPLE).data == expected
    assert model(np.array(SAMPLE)).data == expected
    assert model(np.array([Value(v) for v in SAMPLE])).data == expected
    assert model([np.float64(SAMPLE[0]), Value(SAMPLE[1])]).data == expected


def test_a_network_of_one_input_takes_a_bare_number():
    model = MLP(1, [1, 1])
    assert model(0.5).data == model([0.5]).data == model(Value(0.5)).data


def test_several_outputs_are_a_list_and_one_is_a_value():
    assert isinstance(MLP(2, [3, 1])(SAMPLE), Value)
    outputs = MLP(2, [3, 2])(SAMPLE)
    assert isinstance(outputs, list)
    assert len(outputs) == 2


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("nin", [0, 1])
def test_neurons_of_few_inputs_work(nin, atomic):
    neuron = Neuron(nin, nonlin=False, atomic=atomic)
    neuron.b.data = 2.0
    x = [1.5] * nin
    assert neuron(x).data == 2.0 + sum(w.data * 1.5 for w in neuron.w)


def test_the_trace_is_each_layers_sums_and_activations_as_nodes_of_one_graph():
    model = small(activation="tanh")
    trace = model.trace(SAMPLE)
    assert [(len(layer.s), len(layer.x)) for layer in trace] == [(3, 3), (4, 4), (1, 1)]
    x = SAMPLE
    for layer, (sums, outs) in zip(model.layers, trace, strict=True):
        for neuron, s, out in zip(layer.neurons, sums, outs, strict=True):
            assert s.data == dot([w.data for w in neuron.w], x, neuron.b.data)
            assert out.data == (math.tanh(s.data) if neuron.nonlin else s.data)
        x = [out.data for out in outs]
    assert trace[-1].x[0].data == model(SAMPLE).data
    hidden = trace[0].s[0]
    assert gradient(trace[-1].x[0], hidden) != 0


def test_fractions_go_through_exactly():
    model = MLP(2, [2, 1])
    thirds = iter(range(1, 100))
    for p in model.parameters():
        p.data = Fraction(next(thirds), 3)
    x = [Fraction(1, 7), Fraction(2, 7)]
    out = model(x)
    # (1/3, 2/3 | 3/3), (4/3, 5/3 | 6/3) and (7/3, 8/3 | 9/3), all sums positive.
    h1 = Fraction(1, 3) / 7 + Fraction(2, 3) * 2 / 7 + 1
    h2 = Fraction(4, 3) / 7 + Fraction(5, 3) * 2 / 7 + 2
    assert out.data == Fraction(7, 3) * h1 + Fraction(8, 3) * h2 + 3
    out.backward()
    first = model.layers[0].neurons[0]
    assert first.w[1].grad == Fraction(7, 3) * Fraction(2, 7)
    assert type(first.w[1].grad) is Fraction


@pytest.mark.parametrize(
    ("activation", "expected", "title"),
    [
        ("relu", lambda s: max(s, 0), "ReLU"),
        ("tanh", math.tanh, "Tanh"),
        ("sigmoid", lambda s: 1 / (1 + math.exp(-s)), "Sigmoid"),
        ("linear", lambda s: s, "Linear"),
        ("leaky_relu", lambda s: s if s > 0 else 0.01 * s, "LeakyReLU"),
        ("elu", lambda s: s if s > 0 else math.expm1(s), "ELU"),
        ("gelu", lambda s: 0.5 * s * math.erfc(-s / math.sqrt(2)), "GELU"),
        ("silu", lambda s: s / (1 + math.exp(-s)), "SiLU"),
        ("softplus", lambda s: math.log1p(math.exp(s)), "Softplus"),
        ("sin", math.sin, "Sin"),
    ],
)
def test_activations_by_name(activation, expected, title):
    neuron = Neuron(1, activation=activation)
    neuron.w, neuron.b = [Value(1.0)], Value(0.0)
    for s in (-1.3, 0.7):
        assert neuron([s]).data == pytest.approx(expected(s), rel=1e-14)
    assert repr(neuron) == f"{title}Neuron(1)"


def test_an_operation_of_ones_own_is_an_activation():
    ops.define(name="squared_for_test", forward=lambda x: x * x, partials=lambda out, x: (2 * x,))
    try:
        neuron = Neuron(1, activation="squared_for_test")
        neuron.w[0].data = 3.0
        assert neuron([2.0]).data == 36.0
    finally:
        del ops.TABLE["squared_for_test"]
        del ops.Operators.squared_for_test


def by_hand(self):
    """Return a leaky ReLU in the lecture's style."""
    out = Value(self.data if self.data > 0 else 0.2 * self.data, (self,), "leaky")

    def _backward():
        self.grad += (1 if self.data > 0 else 0.2) * out.grad

    out._backward = _backward
    return out


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("leaky", [by_hand, lambda self: self.maximum(0.2 * self)])
def test_a_method_that_a_user_replaced_is_the_activation(monkeypatch, atomic, leaky):
    neuron = Neuron(1, activation="relu", atomic=atomic)
    neuron.w, neuron.b = [Value(1.0)], Value(0.0)
    assert neuron([-3.0]).data == 0.0
    monkeypatch.setattr(Value, "relu", leaky)
    out = neuron([-3.0])
    assert out.data == pytest.approx(-0.6)
    out.backward()
    assert neuron.w[0].grad == pytest.approx(-0.6)
    assert MLP(1, [2, 1])([1.0]).data is not None
    assert Neuron(1, activation="tanh")([0.5]).op is ops.TABLE["tanh"]


def test_a_method_of_a_subclass_is_the_activation():
    class Mine(Value):
        def __add__(self, other):
            return Mine(super().__add__(other).data)

        def relu(self):
            return Value(42.0)

    neuron = Neuron(1, atomic=True)
    neuron.b = Mine(0.0)
    assert neuron([1.0]).data == 42.0


@pytest.mark.filterwarnings("ignore:llvmlite is not installed")
def test_a_replaced_method_holds_for_training_and_compiled_code_too(monkeypatch):
    pytest.importorskip("numpy")
    X, y = [[-1.0], [2.0]], [1.0, 3.0]

    def trained(compile):
        model = MLP(1, [3, 1], rng=random.Random(3))
        train.fit(model, X, y, "mse", steps=5, compile=compile)
        return [p.data for p in model.parameters()]

    ours = trained(True)
    monkeypatch.setattr(Value, "relu", lambda self: self.maximum(0.2 * self))
    theirs = trained(True)
    assert theirs != ours
    assert theirs == pytest.approx(trained(False), rel=1e-12)
    monkeypatch.setattr(Value, "relu", by_hand)
    with pytest.raises(TraceError):
        trained(True)
    assert trained(False) == pytest.approx(theirs, rel=1e-12)
    monkeypatch.undo()
    assert trained(True) == ours


# ---- initialisation ------------------------------------------------------------------------------


def test_he_draws_normal_weights_of_variance_two_over_inputs():
    weights = [w.data for n in Layer(50, 200, init="he", rng=random.Random(1)).neurons for w in n.w]
    variance = sum(w * w for w in weights) / len(weights)
    assert variance == pytest.approx(2 / 50, rel=0.05)
    assert max(map(abs, weights)) > 3 * math.sqrt(2 / 50)  # not uniform


def test_glorot_draws_uniform_weights_within_its_limit():
    weights = [
        w.data for n in Layer(50, 100, init="glorot", rng=random.Random(1)).neurons for w in n.w
    ]
    limit = math.sqrt(6 / 150)
    assert 0.99 * limit < max(map(abs, weights)) <= limit
    variance = sum(w * w for w in weights) / len(weights)
    assert variance == pytest.approx(2 / 150, rel=0.05)


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("x", [[1.0, 2.0], [1.0, 2.0, 3.0, 4.0], [], 5.0])
def test_a_wrong_number_of_inputs_is_an_error_with_both_numbers(x, atomic):
    got = len(x) if isinstance(x, list) else 1
    for module, title in (
        (MLP(3, [4, 1], atomic=atomic), r"MLP\(3, \[4, 1\]\)"),
        (Layer(3, 4, atomic=atomic), r"Layer\(3, 4\)"),
        (Neuron(3, atomic=atomic), r"Neuron\(3\)"),
    ):
        with pytest.raises(InputCountError, match=rf"^expected 3 inputs for {title}, got {got}$"):
            module(x)
        with pytest.raises(ValueError, match="expected 3 inputs"):
            module.trace(x)


def test_a_neuron_whose_weights_were_changed_is_not_truncated():
    layer = Layer(2, 2, atomic=True)
    layer.neurons[1].w.append(Value(1.0))
    with pytest.raises(InputCountError, match="expected 3 inputs"):
        layer(SAMPLE)


def test_a_batch_is_refused_with_a_hint():
    np = pytest.importorskip("numpy")
    with pytest.raises(NumberTypeError, match=r"MLP\(2, \[1\]\).*one sample at a time"):
        MLP(2, [1])(np.zeros((2, 2)))
    with pytest.raises(NumberTypeError, match="an input of MLP"):
        MLP(2, [1])("ab")


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: MLP(2, [3], activation="rleu"), ArgumentError, "unknown activation 'rleu'"),
        (
            lambda: MLP(2, [3], init="xavier"),
            ArgumentError,
            "init to be one of 'uniform', 'he', 'glorot'",
        ),
        (lambda: MLP(2, [3], rng=42), ArgumentTypeError, r"random\.Random\(seed\)"),
        (lambda: MLP(2, 3), ArgumentTypeError, r"\[16, 16, 1\]"),
        (lambda: MLP(2, "33"), ArgumentTypeError, r"\[16, 16, 1\]"),
        (
            lambda: MLP(2, [3, 0]),
            ArgumentError,
            "layer width to be a whole number of 1 or more, got 0",
        ),
        (
            lambda: MLP(2.5, [3]),
            ArgumentTypeError,
            "nin to be a whole number of 0 or more, got 2.5",
        ),
        (lambda: Neuron(-1), ArgumentError, "nin to be a whole number of 0 or more, got -1"),
        (lambda: Layer(2, 0), ArgumentError, "nout to be a whole number of 1 or more"),
        (lambda: Neuron(2, activation="add"), ArgumentError, "unknown activation"),
    ],
)
def test_arguments_that_cannot_be_are_errors_that_name_them(build, error, words):
    with pytest.raises(error, match=words):
        build()


def test_a_subclass_of_neuron_and_layers_of_ones_own_fit_into_a_network():
    class Loud(Neuron):
        def __call__(self, x):
            return super().__call__(x) * 2

    model = small()
    expected = model(SAMPLE).data
    last = model.layers[-1].neurons[0]
    loud = Loud(4, nonlin=False)
    loud.w, loud.b = last.w, last.b
    model.layers[-1].neurons[0] = loud
    assert model(SAMPLE).data == 2 * expected
    model.layers.append(lambda x: x + 1)
    assert model(SAMPLE).data == 2 * expected + 1


def test_networks_can_be_copied_and_pickled():
    model = small()
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert again.state_dict() == model.state_dict()
        assert again(SAMPLE).data == model(SAMPLE).data
        again.parameters()[0].data += 1
        assert again.state_dict() != model.state_dict()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: MLP(2, [3, 1])(1.0, 2.0), "takes one sample, .*: write model([1.0, 2.0])"),
        (lambda: Layer(2, 3)(1.0, 2.0), "Layer(2, 3) takes one sample"),
        (lambda: Neuron(2)(1.0, 2.0, 3, 4), "write model([1.0, 2.0, 3, ...])"),
        (lambda: MLP([2, 3, 1]), "write MLP(2, [3, 1])"),
        (lambda: MLP(2, 3), "as in MLP(2, [16, 16, 1]), got 3"),
        (lambda: MLP(2), "as in MLP(2, [16, 16, 1]), got None"),
    ],
)
def test_a_first_guess_at_a_call_is_answered_with_the_right_one(call, told):
    with pytest.raises(TypeError) as caught:
        call()
    assert isinstance(caught.value, ArgumentTypeError)
    start, _, end = told.partition(".*")
    assert start in str(caught.value)
    assert end in str(caught.value)


# ---- one activation a layer --------------------------------------------------------------------


def test_a_network_may_have_one_activation_a_layer():
    model = MLP(2, [3, 2, 1], activation=["tanh", "relu", "sigmoid"], rng=random.Random(1))
    (s1, x1), (s2, x2), (s3, x3) = model.trace([0.5, -1.0])
    assert x1[0].data == math.tanh(s1[0].data)
    assert x2[0].data == max(s2[0].data, 0)
    assert x3[0].data == pytest.approx(1 / (1 + math.exp(-s3[0].data)), rel=1e-15)


def test_such_a_network_is_saved_and_read(tmp_path):
    model = MLP(2, [3, 1], activation=("tanh", "sigmoid"))
    model.save(tmp_path / "model.json")
    again = MLP.from_file(tmp_path / "model.json")
    assert again([1, 2]).data == model([1, 2]).data
    assert str(again) == str(model)


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        (["tanh"], ArgumentError, "2 layers, got 1"),
        (["tanh", "relu", "relu"], ArgumentError, "2 layers, got 3"),
        (["tanh", "nope"], ArgumentError, "unknown activation 'nope'"),
        (7, ArgumentTypeError, "activation"),
        (["tanh", 7], ArgumentTypeError, "activation"),
    ],
)
def test_activations_that_do_not_fit_are_refused(given, kind, told):
    with pytest.raises(kind, match=told):
        MLP(2, [3, 1], activation=given)


# ---- walking through a network -------------------------------------------------------------------


class Leaky(Neuron):
    """A subclass, whose output nothing but a call can tell."""


def test_the_neurons_of_a_network_are_given_layer_by_layer():
    model = small()
    assert [len(neurons) for neurons in neurons_of(model)] == [3, 4, 1]
    assert [n for neurons in neurons_of(model) for n in neurons] == [
        n for layer in model.layers for n in layer.neurons
    ]
    layer = model.layers[0]
    assert neurons_of(layer) == [layer.neurons]
    assert neurons_of(layer.neurons[1]) == [[layer.neurons[1]]]
    assert neurons_of(Value(1.0)) == neurons_of(None) == []
    model.layers.insert(1, "no layer")
    assert [len(neurons) for neurons in neurons_of(model)] == [3, 4, 1]


def test_the_activation_of_a_neuron_is_the_one_that_it_applies():
    names = [[activation_of(n) for n in neurons] for neurons in neurons_of(small())]
    assert names == [["relu"] * 3, ["relu"] * 4, ["linear"]]
    assert activation_of(Neuron(1, nonlin=False, activation="tanh")) == "linear"


def test_a_network_is_ours_while_no_part_is_of_a_subclass():
    model = small()
    assert is_ours(model)
    model.layers[1].neurons[0] = Leaky(3)
    assert not is_ours(model)
    assert not is_ours(model.layers[0])
    empty = small()
    empty.layers[0].neurons = []
    assert not is_ours(empty)
