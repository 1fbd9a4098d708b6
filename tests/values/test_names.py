"""Names: by one rule in every reader, over every kind of network, and never a number."""

import copy
import math
import pickle
import random
import re

import pytest
from tables import mostly_slow

from micrograd import Value, draw_dot, draw_network, explain, formula, steps
from micrograd import dot as weighted_sum
from micrograd.draw import format_graph
from micrograd.errors import DomainError, NotInGraphError, StaleGraphError
from micrograd.graph import order
from micrograd.losses import binary_cross_entropy_with_logits, cross_entropy, hinge, mse
from micrograd.nn import MLP, Layer, Module, Neuron
from micrograd.ops import constant
from micrograd.stepper.page.data import page_data
from micrograd.values.names import names_in

NUMBER = re.compile(r"[-+≈]?[\d./]+(e[-+]?\d+)?!?")


class Own(Module):
    def __init__(self, rng):
        self.enc = MLP(2, [2], rng=rng)
        self.out = Layer(2, 1, nonlin=False, rng=rng)
        self.slope, self.b = Value(2.0), Value(1.0)

    def __call__(self, x):
        return self.out(self.enc(x)) * self.slope + self.b


def made(seed=1, **options):
    return MLP(2, [2, 1], activation="tanh", rng=random.Random(seed), **options)


def loaded(folder):
    made().save(folder / "model.json")
    return MLP.from_file(folder / "model.json")


def rearranged(folder):
    model = MLP(2, [2, 2, 1], activation="tanh", rng=random.Random(0))
    model.layers[:2] = model.layers[1::-1]
    del model.layers[1]
    model.layers[0].neurons[1].w = [Value(0.25), Value(0.5)]
    return model


def copies(loss):
    return copy.deepcopy(copy.deepcopy(loss))


def pickled(loss):
    return pickle.loads(pickle.dumps(loss))


NETWORKS = {
    "neurons": lambda folder: made(),
    "atomic": lambda folder: made(atomic=True),
    "copied": lambda folder: copy.deepcopy(made()),
    "pickled": lambda folder: pickle.loads(pickle.dumps(made())),
    "loaded": loaded,
    "rearranged": rearranged,
}
WANTED = {
    *("w1[1,1]", "w1[1,2]", "w1[2,1]", "w1[2,2]", "b1[1]", "b1[2]", "w2[1,1]", "w2[1,2]", "b2[1]"),
    *("x0[1]", "x0[2]", "s1[1]", "s1[2]", "x1[1]", "x1[2]", "s2[1]"),
}


def names(root, **options):
    nodes = order(root)
    texts = names_in(nodes, **options).texts
    assert len(set(texts.values())) == len(texts)
    return set(texts.values())


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_reader_calls_the_values_of_a_network_alike(kind, tmp_path):
    model = NETWORKS[kind](tmp_path)
    score = model([0.5, -1.0])
    assert names(score) == WANTED
    walk = steps(score)
    assert set(walk.words.names) >= WANTED
    weight, hidden = model.layers[0].neurons[1].w[0], walk.nodes[walk.place("x1[2]")]
    assert walk.nodes[walk.place("w⁽¹⁾₂,₁")] is walk.nodes[walk.place("w1[2,1]")] is weight
    assert hidden.op.name == "tanh"
    assert "passes gradient back to w1[2,1]: " in walk.find("w1[2,1]").text
    assert "back to w⁽¹⁾₂,₁: " in " ".join(page_data(walk)["strings"])
    assert explain(score, weight).text.startswith("s2[1] ← ")
    assert "w1[2,1]" in explain(score, weight).text
    assert formula(hidden) == "tanh(s1[2])"
    for picture in (draw_dot(score).source, format_graph(score)):
        assert all(name in picture for name in WANTED)
    assert all(f"x{i}[1], " in draw_network(model).source for i in range(3))
    weight.data += 1
    with pytest.raises(StaleGraphError, match=r"operand 'w1\[2,1\]' of "):
        score.backward()


def test_several_samples_are_numbered():
    model = made()
    total = model([0.5, -1.0]) * 2 + model([1.0, 2.0]) - model([0.0, 0.0])
    found = names(total)
    assert {f"{x}#{n}" for n in (1, 2, 3) for x in ("x0[1]", "s1[2]", "x1[2]", "s2[1]")} <= found
    assert {name for name in WANTED if name[0] in "wb"} <= found
    assert not WANTED & {"x0[1]", "s1[1]"} & found


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("alive", [True, False])
def test_a_layer_that_follows_itself_is_two_layers_with_the_weights_of_the_first(
    samples, atomic, alive
):
    layer = Layer(2, 2, activation="tanh", rng=random.Random(0), atomic=atomic)
    rows = [[0.3, -0.5], [0.1, 0.7]][:samples]
    walk = steps(cross_entropy([layer(layer(row)) for row in rows], [1, 0][:samples]))
    if not alive:
        walk = steps(walk.copy_of_graph())
    found = {name for name in walk.words.names if re.match(r"[wbsx]\d\[\d(,\d)?\]", name)}
    own = {f"{letter}[{i}]" for letter in ("x0", "s1", "x1", "s2", "x2") for i in (1, 2)}
    own = {f"{name}#{k + 1}" for name in own for k in range(samples)} if samples > 1 else own
    weights = {*("w1[1,1]", "w1[1,2]", "w1[2,1]", "w1[2,2]", "b1[1]", "b1[2]")}
    assert {name for name in found if " " not in name} == own | weights
    assert "loss" in walk.words.names
    assert walk.network.samples == samples
    assert {section.name for section in walk.sections} == {
        *("layer 1", "layer 2", "loss"),
        *(("other samples", "batch loss") if samples > 1 else ()),
    }


@pytest.mark.parametrize("atomic", [False, True])
def test_sequences_of_unlike_lengths_are_samples_of_their_own(atomic):
    cell = Layer(3, 2, activation="tanh", rng=random.Random(0), atomic=atomic)
    out = Layer(2, 2, nonlin=False, rng=random.Random(1), atomic=atomic)
    states = []
    for length in (1, 3):
        h = [0.0, 0.0]
        for k in range(length):
            h = cell([k / 4, *h])
        states.append(h)
    walk = steps(cross_entropy([out(h) for h in states], [1, 0]))
    for j in (0, 1):
        assert walk.nodes[walk.place(f"net1.x3[{j + 1}]#2")] is states[1][j]
        assert walk.nodes[walk.place(f"net1.x1[{j + 1}]#1")] is states[0][j]
    assert "net1.s3[1]#1" not in walk.words.names
    assert {"net2.s1[1]#1", "net2.s1[1]#2", "loss#1", "loss#2", "loss"} <= set(walk.words.names)
    assert all(section.groups[0].text for section in walk.all_sections)
    assert not walk.network.is_drawn


def test_what_follows_a_layer_that_is_used_again_is_numbered_after_it():
    model = MLP(2, [2, 2, 1], activation="tanh", rng=random.Random(0))
    first, again, last = model.layers
    score = last(again(again(first([1.0, 2.0]))))
    found = names(score)
    assert {"w1[2,1]", "w2[2,1]", "w4[1,2]", "s1[2]", "s2[2]", "x3[2]", "s4[1]"} <= found
    assert not {name for name in found if name.startswith(("w3", "b3"))}
    assert steps(score).place("model.layers[2].neurons[0].w[1]") == steps(score).place("w4[1,2]")


def test_networks_are_numbered_as_they_are_computed():
    older, younger = made(), made(2)
    for first, second in ((older, younger), (younger, older)):  # age and size do not count
        found = names(second(first.layers[0]([1.0, 2.0])))
        assert {"net1.w1[2,1]", "net2.w1[2,1]", "net1.x1[1]", "net2.s2[1]"} <= found
        assert "net1.w2[1,1]" not in found


def test_networks_are_called_as_the_user_says():
    gen, judge = made(), made(2)
    score = judge(gen.layers[0]([1.0, 2.0]))
    labels = {"gen": gen, judge: "judge"}
    assert {"gen.w1[2,1]", "judge.w1[2,1]", "gen.x1[1]", "judge.s2[1]"} <= set(
        steps(score, labels=labels).words.names
    )
    assert "judge.w1[2,1]" in draw_dot(score, labels=labels).source
    walk = steps(score, labels=labels)
    assert (
        walk.nodes[walk.place("judge.layers[0].neurons[1].w[0]")] is judge.layers[0].neurons[1].w[0]
    )


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("front", ["", "model."])
def test_a_parameter_is_found_where_it_stands_in_code(front, atomic):
    model = made(atomic=atomic)
    walk = steps(model([1.0, 2.0]))
    for path, value in model.named_parameters():
        assert walk.nodes[walk.place(front + path)] is value
        code = re.sub(r"\.(\d+)", r"[\1]", path)
        assert walk.nodes[walk.place(front + code)] is value
    with pytest.raises(NotInGraphError, match="w1"):
        walk.place("layers[0].neurons[7].w[0]")


def test_the_names_of_a_network_are_set_in_latex_as_on_slides():
    model = made()
    walk = steps(mse([model([1.0, 2.0]), model([2.0, 1.0])], [1.0, 2.0]))
    assert r"\frac{\partial \ell}{\partial w^{(1)}_{2,1}}" in walk.find("w1[2,1]").latex
    assert r"{\partial s^{(2)}_{1}\mathrm{\#2}}" in walk.find("s2[1]#2").latex
    x = Value(2.0, label="w1[2,1]")
    assert r"\mathrm{w1[2,1]\ \cdot" in steps(x * x)[0].latex


def test_a_network_of_ones_own_shows_the_paths_of_its_attributes():
    model = Own(random.Random(0))
    found = names(model([1.0, 2.0]))
    assert {"enc.w1[2,1]", "enc.s1[2]", "enc.x0[1]", "out.w1[1,2]", "out.s1[1]"} <= found
    assert {"slope", "b"} <= found


def test_a_network_that_shares_a_layer_is_named_as_itself_alone():
    first, second = made(), made(2)
    second.layers[0] = first.layers[0]
    assert names(second([1.0, 2.0])) == names(first([1.0, 2.0])) == WANTED


def test_layers_and_neurons_alone_are_the_first_layer():
    assert {"w1[1,1]", "b1[1]", "s1[1]", "x1[1]"} <= names(Neuron(1)([2.0]))
    assert {"w1[2,1]", "b1[2]", "s1[2]", "x1[2]"} <= names(sum(Layer(1, 2)([2.0])))


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("travel", [lambda loss: loss, copy.deepcopy, copies, pickled])
def test_a_network_that_is_gone_has_the_names_that_it_had(travel, atomic):
    """A loss may use the last output first: the order of appearance would exchange neurons."""

    def built():
        model = MLP(2, [3, 3], activation="tanh", rng=random.Random(0), atomic=atomic)
        other = Layer(2, 2, activation="sigmoid", rng=random.Random(1), atomic=atomic)
        loss = cross_entropy([model([0.5, -1.0])], [0]) + cross_entropy([other([0.5, -1.0])], [1])
        return model, other, loss

    model, other, loss = built()
    alive = list(steps(loss).words.names)
    numbers = [node.data for node in order(loss)]
    del model, other, loss
    found = travel(built()[2])
    assert [node.data for node in order(found)] == numbers
    assert list(steps(found).words.names) == alive
    assert {"net1.w2[3,1]", "net2.b1[2]", "net1.x1[3]"} <= set(alive)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize(
    ("atomic", "what"), [(False, "b"), (True, "b"), (False, "w"), (False, "wb")]
)
def test_a_parameter_that_was_replaced_in_a_network_that_is_gone_has_its_place(
    atomic, what, samples
):
    model = MLP(2, [2, 2], activation="tanh", rng=random.Random(0), atomic=atomic)
    for neuron in model.layers[0].neurons:
        if "b" in what:
            neuron.b = Value(-5.0)
        if "w" in what:
            neuron.w[1] = Value(2.0)
    loss = cross_entropy([model([0.5, k]) for k in range(samples)], [1] * samples)
    alive = steps(loss)
    wanted, sections = list(alive.words.names), [section.name for section in alive.sections]
    del model, neuron, alive
    walk = steps(loss)
    assert list(walk.words.names) == wanted
    assert [section.name for section in walk.sections] == sections
    assert "before the network" not in sections


def test_a_network_that_is_gone_or_none_of_ours_is_told_by_its_shape():
    assert names(made()([1.0, 2.0])) == WANTED
    assert names(made(atomic=True)([1.0, 2.0])) == WANTED
    for atomic in (False, True):
        model = made(atomic=atomic)
        total = model([1.0, 2.0]) + model([3.0, 4.0])
        del model
        assert {"w1[2,1]", "b2[1]", "s1[2]#1", "x1[2]#2", "s2[1]#2"} <= names(total)
    assert names(Value(1.0) + Value(2.0) * 3.0) == set()
    w, b = [Value(1.0), Value(2.0)], Value(3.0)
    assert "w1[1,2]" in names(weighted_sum(w, [1.0, 2.0], b))
    labelled = weighted_sum([Value(1.0, label="v")], [2.0], b)
    assert names(labelled) == {"v"}


def test_the_names_of_the_user_win():
    model = made()
    model.layers[0].neurons[0].w[0].label = "mine"
    score = model([Value(1.0, label="height"), 2.0])
    walk = steps(score, labels={"output": score, "w1[2,2]": model.layers[0].neurons[0].b})
    found = set(walk.words.names)
    assert {"mine", "height", "output", "w1[2,2]", "w1[2,1]"} <= found
    assert not {"w1[1,1]", "x0[1]", "s2[1]", "b1[1]"} & found
    assert walk.nodes[walk.place("w1[2,2]")] is model.layers[0].neurons[0].b
    assert "w1[2,2]" in " ".join(page_data(walk)["strings"])  # no name of the network
    assert pickle.loads(pickle.dumps(walk)).words.names == walk.words.names


def in_itself(module, child):
    module.child, module.root = child, module


def in_a_list(module, child):
    module.child, module.kids = child, [module, {"again": [module]}]
    module.kids.append(module.kids)


def in_its_child(module, child):
    module.child, child.parent = child, module


def in_each_other(module, child):
    module.child = child
    module.other = Module()
    module.other.other = module


@pytest.mark.parametrize("hold", [in_itself, in_a_list, in_its_child, in_each_other])
def test_modules_that_hold_themselves_are_walked_once(hold):
    module, child = Module(), made()
    hold(module, child)
    assert formula(Value(1.0) * 2) == "1.0 * 2"
    assert names(child([1.0, 2.0])) == {f"child.{name}" for name in WANTED}
    assert steps(child([1.0, 2.0])).place("child.w1[2,1]") >= 0


def test_a_network_of_another_library_is_given_as_model():
    class Line:
        def __init__(self):
            self.a, self.c = Value(2.0), Value(1.0)

        def named_parameters(self):
            return [("a", self.a), ("c", self.c)]

    line = Line()
    root = line.a * 3.0 + line.c
    assert {"a", "c"} <= set(steps(root, model=line).words.names)
    assert not {"a", "c"} & set(steps(root).words.names)


def test_a_domain_error_in_a_network_names_its_operands():
    model = MLP(1, [1, 1], activation="log", rng=random.Random(0))
    neuron = model.layers[0].neurons[0]
    neuron.w[0].data, neuron.b.data = 1.0, 0.0
    with pytest.raises(DomainError, match=r"s1\[1\]=-2"):
        model([-2.0])


def test_leaves_without_a_name_are_numbered_and_plain_numbers_stay_numbers():
    root = Value(2.0) * Value(3.0) + 4
    assert steps(root).words.names[:2] == ["v0", "v1"]
    assert formula(root) == "2.0 * 3.0 + 4"


def random_loss(draw):
    """Return one or two random networks, and a loss of one sample or several."""
    kind = draw.choice([mse, hinge, binary_cross_entropy_with_logits, cross_entropy])
    models, outputs, names = [], [], ["relu", "tanh", "sigmoid", "softplus", "linear"]
    for _ in range(draw.choice([1, 1, 2])):
        last = 3 if kind is cross_entropy else 1
        sizes = [*(draw.randint(1, 3) for _ in range(draw.randint(0, 2))), last]
        options = {"activation": draw.choice(names), "atomic": draw.random() < 0.5, "rng": draw}
        model = MLP(draw.randint(1, 3), sizes, **options)
        models.append(model)
        rows = [[draw.uniform(-1, 1) for _ in range(model.nin)] for _ in range(draw.choice([1, 3]))]
        outputs += map(model, rows)
    return models, kind(outputs, [1] * len(outputs))


# Where a name stands in a sentence.
NAMED = re.compile(
    r"back to (\S+): |(?:^|\. )(\S+) (?:passes|is|=) |(\S+)\.grad|∂(\S+?)/∂(\S+?)[ ,.]"
)


@pytest.mark.parametrize("seed", mostly_slow(range(40), 2))
def test_no_number_is_a_name_and_each_formula_gives_its_number(seed):
    draw = random.Random(seed)
    for _ in range(25):
        _models, loss = random_loss(draw)
        walk = steps(loss)
        named = zip(walk.nodes, walk.words.names, strict=True)
        assert not [
            name for node, name in named if node.op is not constant and NUMBER.fullmatch(name)
        ]
        for node in draw.sample([node for node in walk.nodes if node.parents], 2):
            texts = names_in(order(node)).texts
            own = {name: str(value.data) for value, name in texts.items()}
            assert evaluated(formula(node), own) == pytest.approx(node.data, rel=1e-12, abs=1e-12)
        said = [group.text for section in walk.sections for group in section.groups]
        for text in [*said, *(step.text for step in draw.sample(list(walk), 8))]:
            names = [name for found in NAMED.findall(text) for name in found]
            assert not any(NUMBER.fullmatch(name) for name in names), text
            assert "None" not in text
            for p, loss in re.findall(r"-log ([\d.]+) [=≈] (\S+)\.(?= |$)", text):
                assert float(loss) == pytest.approx(-math.log(float(p)), rel=2e-3, abs=2e-4)


def evaluated(text, numbers):
    """Return what a formula gives with the numbers of the names in it, longest names first."""

    for name in sorted(numbers, key=len, reverse=True):
        text = text.replace(name, f"({numbers[name]})")
    known = {
        "relu": lambda x: max(x, 0.0),
        "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
        "softplus": lambda x: math.log1p(math.exp(x)),
        "logsumexp": lambda xs: math.log(math.fsum(map(math.exp, xs))),
    }
    return eval(text, {**vars(math), **known})
