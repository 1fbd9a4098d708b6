"""Neurons, layers, networks, their states and their files."""

import copy
import json
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
    StateError,
    TraceError,
)
from micrograd.files import read_json, write_json
from micrograd.graph import order
from micrograd.nn import MLP, Layer, Module, Neuron

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
        (lambda: MLP(2, [3], init="xavier"), ArgumentError, "expected one of uniform, he, glorot"),
        (lambda: MLP(2, [3], rng=42), ArgumentTypeError, r"random\.Random\(seed\)"),
        (lambda: MLP(2, 3), ArgumentTypeError, r"\[16, 16, 1\]"),
        (lambda: MLP(2, "33"), ArgumentTypeError, r"\[16, 16, 1\]"),
        (lambda: MLP(2, [3, 0]), ArgumentError, "layer width of 1 or more, got 0"),
        (lambda: MLP(2.5, [3]), ArgumentTypeError, "whole number as nin, got 2.5"),
        (lambda: Neuron(-1), ArgumentError, "nin of 0 or more, got -1"),
        (lambda: Layer(2, 0), ArgumentError, "nout of 1 or more"),
        (lambda: Neuron(2, activation="add"), ArgumentError, "unknown activation"),
    ],
)
def test_arguments_that_cannot_be_are_errors_that_name_them(build, error, words):
    with pytest.raises(error, match=words):
        build()


# ---- modules of ones own -------------------------------------------------------------------------


class OnlyParameters(Module):
    def __init__(self):
        self.net = MLP(1, [2, 1], rng=random.Random(0))
        self.scale = Value(2.0)
        self.hidden = {"extra": Value(3.0)}

    def parameters(self):
        return [self.scale, *self.net.parameters(), Value(7.0)]


class NoMethods(Module):
    def __init__(self):
        self.scale = Value(2.0)
        self.again = self.scale
        self.blocks = [MLP(1, [1]), {"bias": Value(0.5)}, (Value(1),)]
        self.cached = self.scale * 2
        self.me = self
        self.name = "x"


def test_a_module_that_only_overrides_parameters_works(tmp_path):
    module = OnlyParameters()
    names = [name for name, _ in module.named_parameters()]
    assert names[:2] == ["scale", "net.layers.0.neurons.0.w.0"]
    assert names[-1] == "8"  # a parameter that no attribute leads to
    assert [p for _, p in module.named_parameters()][:-1] == module.parameters()[:-1]
    module.scale.grad = 5
    module.zero_grad()
    assert module.scale.grad == 0
    module.save(tmp_path / "m.json")
    other = OnlyParameters()
    other.scale.data = 0.0
    other.load(tmp_path / "m.json")
    assert other.scale.data == 2.0
    again = OnlyParameters.from_file(tmp_path / "m.json")
    assert again.state_dict() == module.state_dict()


def test_a_module_without_methods_finds_its_leaves_each_once():
    module = NoMethods()
    assert [name for name, _ in module.named_parameters()] == [
        "scale",
        "blocks.0.layers.0.neurons.0.w.0",
        "blocks.0.layers.0.neurons.0.b",
        "blocks.1.bias",
        "blocks.2.0",
    ]
    assert module.parameters() == [p for _, p in module.named_parameters()]
    assert Module().parameters() == []


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


# ---- states and files ----------------------------------------------------------------------------


def odd_numbers(model):
    """Give the model every kind of number."""
    kinds = [0.1, 3, Fraction(1, 3), -0.0, math.inf, -math.inf, 5e-324, 10**30]
    for i, p in enumerate(model.parameters()):
        p.data = kinds[i % len(kinds)]
    return model


def test_a_state_is_numbers_by_name_and_does_not_change_later():
    model = small()
    state = model.state_dict()
    assert list(state)[:3] == [
        "layers.0.neurons.0.w.0",
        "layers.0.neurons.0.w.1",
        "layers.0.neurons.0.b",
    ]
    assert list(state.values()) == [p.data for p in model.parameters()]
    model.parameters()[0].data = 9.0
    assert state["layers.0.neurons.0.w.0"] != 9.0


def test_save_and_load_round_trip_exactly(tmp_path):
    model = odd_numbers(small(activation="tanh", atomic=True))
    model.save(tmp_path / "m.json")
    again = MLP.from_file(tmp_path / "m.json")
    kinds = [type(p.data) for p in again.parameters()]
    assert kinds == [type(p.data) for p in model.parameters()]
    assert list(map(str, again.state_dict().values())) == list(
        map(str, model.state_dict().values())
    )
    assert repr(again) == repr(model)
    assert again.layers[0].neurons[0].atomic


def test_nan_survives_a_file(tmp_path):
    neuron = Neuron(1)
    neuron.b.data = math.nan
    neuron.save(tmp_path / "n.json")
    assert math.isnan(Neuron.from_file(tmp_path / "n.json").b.data)


@pytest.mark.parametrize(
    "module", [Neuron(3, False, activation="tanh"), Layer(2, 3, activation="gelu"), MLP(1, (2, 2))]
)
def test_every_class_is_rebuilt_from_its_file(tmp_path, module):
    module.save(str(tmp_path / "m.json"))
    random.seed(8)
    before = random.getstate()
    again = type(module).from_file(str(tmp_path / "m.json"))
    assert random.getstate() == before
    assert again.state_dict() == module.state_dict()
    assert repr(again) == repr(module)


def test_the_file_is_the_same_in_every_run(tmp_path):
    small().save(tmp_path / "a.json")
    small().save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_changed_activation_is_not_lost_silently(tmp_path):
    model = small()
    model.layers[0].neurons[0].activation = "tanh"
    model.save(tmp_path / "m.json")
    with pytest.raises(StateError, match="does not fit into"):
        MLP.from_file(tmp_path / "m.json")
    with pytest.raises(StateError, match="does not fit into"):
        small().load(tmp_path / "m.json")
    model.load(tmp_path / "m.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["parameters"].pop("layers.0.neurons.0.b"), "'layers.0.neurons.0.b' missing"),
        (lambda d: d["parameters"].update(more=1.0), "'more' unknown"),
        (lambda d: d["parameters"].update({"layers.2.neurons.0.b": "x"}), "layers.2.neurons.0.b"),
        (lambda d: d["parameters"].update({"layers.2.neurons.0.b": None}), "got None"),
        (lambda d: d["parameters"].update({"layers.2.neurons.0.b": [1]}), "got .1."),
        (lambda d: d.update(parameters=[1.0]), "expected an object as 'parameters'"),
        (lambda d: d.update(format="checkpoint"), "no model file"),
        (lambda d: d.pop("format"), "no model file"),
        (lambda d: d.update(version=99), "version 99"),
        (lambda d: d.update(structure="MLP of []"), "does not fit into"),
        (lambda d: d.pop("configuration"), "configuration"),
    ],
)
def test_a_wrong_file_changes_nothing_and_says_what_is_wrong(tmp_path, change, words):
    path = tmp_path / "m.json"
    other = MLP(2, [3, 4, 1], rng=random.Random(9))
    other.save(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    model = small()
    before = model.state_dict()
    with pytest.raises(StateError, match=words) as caught:
        model.load(path)
    assert "m.json" in str(caught.value)
    assert model.state_dict() == before
    with pytest.raises(StateError):
        MLP.from_file(path)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_truncated_file_changes_nothing(tmp_path, kept):
    path = tmp_path / "m.json"
    small().save(path)
    text = path.read_bytes()
    path.write_bytes(text[: int(kept * len(text))])
    model = MLP(2, [3, 4, 1], rng=random.Random(9))
    before = model.state_dict()
    with pytest.raises(StateError, match="cut short"):
        model.load(path)
    assert model.state_dict() == before


@pytest.mark.parametrize(
    "configuration",
    [{"nin": "2"}, {"nin": 2, "nouts": [3, 4, 1], "hidden": 3}, {}, {"nin": 2, "nouts": [-1]}],
)
def test_a_file_with_a_strange_configuration_is_a_state_error(tmp_path, configuration):
    path = tmp_path / "m.json"
    small().save(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["configuration"] = configuration
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(StateError, match="configuration"):
        MLP.from_file(path)


def test_a_file_of_another_class_is_refused(tmp_path):
    Neuron(2).save(tmp_path / "n.json")
    with pytest.raises(StateError, match="holds a Neuron, not a MLP"):
        MLP.from_file(tmp_path / "n.json")
    with pytest.raises(FileNotFoundError):
        MLP.from_file(tmp_path / "missing.json")


@pytest.mark.parametrize("state", [None, [1.0], "w", {}])
def test_a_state_that_is_none_is_refused(state):
    with pytest.raises(StateError):
        small().load_state_dict(state)


def test_two_parameters_of_one_name_cannot_be_saved():
    module = Module()
    module.table = {1: Value(1.0), "1": Value(2.0)}
    with pytest.raises(StateError, match=r"named 'table\.1'"):
        module.state_dict()


def test_a_folder_that_is_none_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        small().save(tmp_path / "no" / "m.json")


@pytest.mark.parametrize(
    ("make", "configuration"),
    [
        (lambda: MLP(1, [1]), {"nin": 10**9}),
        (lambda: MLP(1, [1]), {"nin": 10**5000}),
        (lambda: MLP(1, [1]), {"nin": 10**9, "nouts": [[1]]}),
        (lambda: MLP(1, [1]), {"nouts": [10**5, 10**5, 1]}),
        (lambda: MLP(1, [1]), {"nouts": "11"}),
        (lambda: MLP(1, [1]), {"nouts": None}),
        (lambda: Layer(1, 1), {"nout": 10**9}),
        (lambda: Layer(1, 1), {"nout": [0], "nin": 10**9}),
        (lambda: Neuron(1), {"nin": 10**9}),
    ],
)
def test_a_file_that_asks_for_more_than_it_holds_is_refused_at_once(
    tmp_path, monkeypatch, make, configuration
):
    path, module = tmp_path / "m.json", make()
    module.save(path)
    document = read_json(path)
    document["configuration"].update(configuration)
    write_json(path, document)
    built = []
    monkeypatch.setattr(Neuron, "__init__", lambda *_, **__: built.append(1))
    with pytest.raises(StateError, match=r"m\.json"):
        type(module).from_file(path)
    assert not built


def test_a_subclass_with_another_constructor_or_other_parameters_is_not_measured(tmp_path):
    class Square(MLP):
        def __init__(self, nin, nouts, **options):
            super().__init__(2 * nin, nouts, **options)

        def configuration(self):
            return {"nin": self.nin // 2, "nouts": self.nouts}

    class Weights(MLP):
        def parameters(self):
            return [w for layer in self.layers for neuron in layer.neurons for w in neuron.w]

    for module in (Square(1, [1]), Weights(2, [2, 1])):
        module.save(tmp_path / "m.json")
        again = type(module).from_file(tmp_path / "m.json")
        assert again.state_dict() == module.state_dict()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: MLP(2, [3, 1])(1.0, 2.0), "takes one sample, .*: write model([1.0, 2.0])"),
        (lambda: Layer(2, 3)(1.0, 2.0), "Layer(2, 3) takes one sample"),
        (lambda: Neuron(2)(1.0, 2.0, 3, 4), "write model([1.0, 2.0, 3, ...])"),
        (lambda: MLP([2, 3, 1]), "write MLP(2, [3, 1])"),
        (lambda: MLP(2, 3), "such as MLP(2, [16, 16, 1]), got 3"),
        (lambda: MLP(2), "such as MLP(2, [16, 16, 1]), got None"),
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
