"""Modules: their parameters, names, states and files."""

import json
import math
import random
from fractions import Fraction

import pytest

from micrograd import Value
from micrograd.errors import StateError
from micrograd.files import read_json, write_json
from micrograd.nn import MLP, Layer, Module, Neuron


def small(**options):
    return MLP(2, [3, 4, 1], rng=random.Random(5), **options)


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
        (lambda d: d.update(format="checkpoint"), "not a model file"),
        (lambda d: d.pop("format"), "not a model file"),
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
