"""What Python sends to the page and the notebook, without a browser."""

import base64
import hashlib
import html
import json
import math
import random
import re
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
from graphs import guide_graph
from packed import data_of, part_of
from random_graphs import random_graph
from screen import GRAPHS

import micrograd.stepper.page
from micrograd import Value, explain, steps
from micrograd import sum as value_sum
from micrograd.errors import ArgumentError, MicrogradError, TooLargeError
from micrograd.graph import order
from micrograd.losses import cross_entropy, hinge, mse
from micrograd.nn import MLP
from micrograd.stepper.page import page_data, page_text
from micrograd.stepper.page.data import layout_of
from micrograd.stepper.page.html import LAST_LINE, script, styles
from micrograd.stepper.page.layout import CARD, LARGEST_DRAWING, RADIUS, lay_out
from micrograd.stepper.page.notebook import leaf_number, mimebundle, picture, saved_steps
from micrograd.style import contrast, theme

STATIC = Path(micrograd.stepper.page.__file__).parent / "static"


def overlaps(places, size):
    (width, height) = size
    return [
        (a, b)
        for i, a in enumerate(places)
        for b in places[:i]
        if abs(a[0] - b[0]) < width and abs(a[1] - b[1]) < height
    ]


# ---- the drawing -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [25, 400])
def test_no_card_overlaps_another_and_all_are_on_the_page(size):
    root = random_graph(1, size=size)
    stepper = steps(root)
    assert (len(stepper.nodes) > LARGEST_DRAWING) == (size == 400)
    drawn = lay_out(stepper.recording.parents, [34] * len(stepper.nodes))
    assert overlaps(drawn.cards, CARD) == []
    centres = [centre for centre in drawn.operations if centre]
    assert overlaps(centres, (2 * RADIUS, 2 * RADIUS)) == []
    assert len(centres) == len([node for node in stepper.nodes if node.parents])
    for x, y in drawn.cards:
        assert CARD[0] / 2 <= x <= drawn.size[0] - CARD[0] / 2
        assert CARD[1] / 2 <= y <= drawn.size[1] - CARD[1] / 2
    wanted = [
        (p, i, k) for i, ops in enumerate(stepper.recording.parents) for k, p in enumerate(ops)
    ]
    assert [(edge.parent, edge.child, edge.operand) for edge in drawn.edges] == wanted


@pytest.mark.parametrize("name", sorted({*GRAPHS} - {"long chain"}))
def test_local_derivatives_are_written_inside_the_drawing(name):
    stepper = steps(GRAPHS[name]())
    drawn = layout_of(stepper)
    for edge in drawn.edges:
        x, y = edge.label
        assert 0 < x < drawn.size[0]
        assert 13 <= y <= drawn.size[1] - 4


def test_a_graph_is_drawn_the_same_every_time():
    assert page_data(steps(guide_graph())) == page_data(steps(guide_graph()))


def test_a_single_value_can_be_shown():
    assert "The backward pass starts at x." in page_text(steps(Value(1.0, label="x")))


def loss_of_samples(samples=3, atomic=False):
    source = random.Random(7)
    model = MLP(2, [4, 3, 1], rng=source, atomic=atomic)
    points = [[source.uniform(-1, 1) for _ in range(2)] for _ in range(samples)]
    return hinge([model(point) for point in points], [1 - 2 * (i % 2) for i in range(samples)])


@pytest.mark.parametrize("atomic", [False, True])
def test_of_a_folded_graph_nothing_shown_at_once_overlaps(atomic):
    stepper = steps(loss_of_samples(5, atomic))
    drawn = layout_of(stepper)
    fold = drawn.fold
    (group,) = fold.groups
    assert len(group.terms) == 5
    owners = sorted({owner for owner in fold.owner if owner >= 0})
    assert len(owners) == (0 if atomic else 4 + 3 + 1)
    for term in range(5):
        for owner in owners or [-1]:
            shown = [
                i for i in range(len(stepper.nodes))
                if (fold.term[i] is None or fold.term[i][1] == term)
                and (stepper.recording.parents[i] or fold.owner[i] in (-1, owner))
            ]  # fmt: skip
            assert len(shown) < len(stepper.nodes) / 2
            assert overlaps([drawn.cards[i] for i in shown], CARD) == []
            centres = [drawn.operations[i] for i in shown if drawn.operations[i]]
            assert overlaps(centres, (2 * RADIUS, 2 * RADIUS)) == []
            for i in shown:
                assert all(
                    0 < at < full for at, full in zip(drawn.cards[i], drawn.size, strict=True)
                )


def test_what_shares_a_place_is_computed_alike_or_a_leaf_of_one_weighted_sum():
    stepper = steps(loss_of_samples())
    fold = layout_of(stepper).fold
    # Of each sample: 2 inputs, 8 sums, 7 relus; its label, their product, 1, 1 - product, its relu.
    assert {len(inside) for inside in fold.groups[0].inside} == {2 + 8 + 7 + 5}
    for inside in fold.groups[0].inside:
        for first, position in zip(fold.groups[0].inside[0], inside, strict=True):
            assert stepper.nodes[first].op is stepper.nodes[position].op
            assert fold.spot[first] == fold.spot[position]
    parents = stepper.recording.parents
    parameters = [i for i, owner in enumerate(fold.owner) if owner >= 0 and not parents[i]]
    assert len(parameters) == 4 * 3 + 3 * 5 + 1 * 4
    for i in parameters:
        readers = [k for k, ops in enumerate(parents) if i in ops]
        assert {fold.spot[reader] for reader in readers} == {fold.owner[i]}
        assert {fold.owner[reader] for reader in readers} == {fold.owner[i]}


def test_the_parameters_of_a_neuron_are_folded_also_where_no_terms_are_alike():
    source = random.Random(7)
    model = MLP(3, [4, 3], rng=source)
    samples = [[source.uniform(-1, 1) for _ in range(3)] for _ in range(5)]
    stepper = steps(cross_entropy([model(x) for x in samples], [0, 1, 2, 0, 1]))
    fold = layout_of(stepper).fold
    assert fold.groups == []  # each class is picked elsewhere
    parameters = set(model.parameters())
    folded = {node for node, owner in zip(stepper.nodes, fold.owner, strict=True) if owner >= 0}
    assert folded - {node for node in folded if node.parents} == parameters
    neuron = model.layers[0].neurons[0]
    own = {fold.owner[stepper.place(p)] for p in neuron.parameters()}
    assert len(own) == 1


def test_a_penalty_on_the_parameters_leaves_them_at_their_neurons():
    model = MLP(2, [3, 1], rng=random.Random(3))
    losses = [(1 - model([0.1 * i, 0.5])).relu() for i in range(4)]
    root = value_sum(losses) + 0.01 * value_sum([p * p for p in model.parameters()])
    stepper = steps(root)
    fold = layout_of(stepper).fold
    assert [len(group.terms) for group in fold.groups] == [4]
    for neuron in [*model.layers[0].neurons, *model.layers[1].neurons]:
        places = [stepper.place(p) for p in neuron.parameters()]
        assert len({fold.spot[place] for place in places}) == len(places)
        assert len({fold.owner[place] for place in places}) == 1


def test_a_graph_of_sixty_values_is_shown_whole():
    root = Value(1.0, label="x")
    terms = [root * float(i) for i in range(1, 20)]
    assert len(order(value_sum(terms))) <= 60
    assert layout_of(steps(value_sum(terms))).fold is None
    terms = [root * float(i) for i in range(1, 40)]
    assert layout_of(steps(value_sum(terms))).fold is not None


# ---- the document ------------------------------------------------------------------------------


def test_the_document_says_what_the_steps_say():
    for broken in (None, "assign", "recursion", "no_zero_grad"):
        stepper = steps(guide_graph(), broken)
        data = page_data(stepper)
        texts = [[data["strings"][i] if i >= 0 else "" for i in row[9:]] for row in data["steps"]]
        assert [text[5] for text in texts] == [step.text for step in stepper]
        assert [text[6] for text in texts] == [step.rule for step in stepper]
        words, rows = stepper.words, stepper.rows
        assert [text[7] for text in texts] == [words.arithmetic(row) for row in rows]
        assert all(
            step.addition in (text[7], "") for step, text in zip(stepper, texts, strict=True)
        )
    assert data["rule"] == "no zero_grad between two passes"
    assert data["turns"] == 2


def test_a_chain_step_carries_its_numbers_as_text():
    data = page_data(steps(guide_graph()))
    row = data["steps"][6]
    kind, node, parent, edge, number, of = row[:6]
    assert (kind, node, parent, number, of) == (2, 4, 2, 2, 2)
    assert data["edges"][edge][:3] == [2, 4, 0]
    assert [data["strings"][i] for i in row[9:14]] == ["+4", "-6", "1", "-6", "-2"]
    assert row[7] < 0
    assert -1 <= row[7] <= 1


@pytest.mark.parametrize("seed", range(5))
def test_the_paths_are_those_that_explain_gives(seed):
    root = random_graph(seed, size=15)
    data = page_data(steps(root))
    strings = data["strings"]
    for i, value in enumerate(order(root)):
        found = explain(root, value)
        rows, count, total = data["paths"][i]
        texts = [[strings[k] for k in row[:3]] for row in rows]
        wanted = [list(row) for row in found.rows]
        assert [strings[count], strings[total]] == wanted[-1][1:]
        assert [row[0] for row in texts] == [row[0] for row in wanted[:-1]]
        assert [row[2] for row in texts] == [row[2] for row in wanted[:-1]]
        for row, path in zip(rows, found.paths, strict=False):
            edges = [data["edges"][k] for k in row[3]]
            assert [edge[2] for edge in edges] == list(path.operands)
            assert [edge[1] for edge in edges] + [i] == [
                order(root).index(node) for node in path.nodes
            ]


def test_a_folded_page_says_what_is_alike_and_leaves_the_paths_to_python():
    data = page_data(steps(loss_of_samples()))
    assert data["paths"] is None
    assert [len(group["terms"]) for group in data["alike"]] == [3]
    shown = {node.get("term") for node in data["nodes"]}
    assert shown == {None, 0, 1, 2}
    assert page_data(steps(guide_graph()))["alike"] == []


def test_wrong_gradients_carry_the_right_one():
    data = page_data(steps(guide_graph(), "assign"))
    right = [data["strings"][row[17]] if row[17] >= 0 else "" for row in data["steps"]]
    assert right[6] == "-2"
    assert right[:6] == [""] * 6
    data = page_data(steps(guide_graph()))
    assert {row[17] for row in data["steps"]} == {-1}


def test_sizes_keep_their_sign_however_small():
    x = Value(1e-30, label="x")
    root = x * 1e-30 + Value(1.0, label="y") * 5.0
    sizes = [(row[7], row[8]) for row in page_data(steps(root))["steps"] if row[0] == 2]
    assert all(adds > 0 and after > 0 for adds, after in sizes)


def test_roles_are_told_apart():
    data = page_data(steps(guide_graph() * 2))
    roles = {node["name"]: node["role"] for node in data["nodes"]}
    assert roles["x"] == "input"
    assert roles["w"] == roles["b"] == "param"
    assert roles["2"] == "const"
    assert roles["h"] == "computed"


def test_infinity_is_text():
    data = page_data(steps(Value(float("-inf"), label="x") * 2.0))
    json.dumps(data, allow_nan=False)
    assert data["nodes"][0]["text"] == "-inf!"


def test_a_graph_that_is_too_large_names_the_ways_out():
    root = Value(1.0)
    for _ in range(2_000):
        root = root + 1
    with pytest.raises(TooLargeError, match=r"atomic=False.*steps\(part\)"):
        page_text(steps(root))
    assert steps(root).find(order(root)[0]).grad_after == 1


# ---- the page ----------------------------------------------------------------------------------


def test_the_front_end_ends_in_the_line_that_the_page_replaces():
    assert script().endswith(LAST_LINE)
    assert script().count("export") == 1


def test_the_policy_names_this_script_and_this_sheet_and_nothing_else():
    text = page_text(steps(guide_graph()))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    start = re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)[1]
    sheet = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    code = part_of(text, "code")
    first, second, third = (
        f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"
        for part in (start, code, sheet)
    )
    assert f"; script-src {first} {second}; style-src {third};" in policy
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert " style=" not in text.split("<script")[0]
    assert "export " not in code


def test_markup_in_labels_cannot_leave_the_document():
    x = Value(1.0, label="</script><script>alert(1)</script><!--\u2028")
    text = page_text(steps(x * x))
    assert text.count("<script") == 3
    assert "<!--" not in text
    assert data_of(text)["nodes"][0]["name"] == x.label


def test_a_page_is_small_for_what_it_says():
    model = MLP(2, [16, 8, 1], rng=random.Random(1))
    walk = steps(mse([model([i / 3, 1.0]) for i in range(3)], [1.0] * 3))
    text = page_text(walk)
    assert data_of(text) == json.loads(json.dumps(page_data(walk))) | {"position": 0}
    fixed = len(page_text(steps(Value(1.0))).encode())
    assert len(text.encode()) - fixed < 1_000 * len(walk.nodes)


# ---- a network ---------------------------------------------------------------------------------


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("samples", [1, 3])
def test_the_page_gets_the_network_of_the_graph(samples, atomic):
    model = MLP(2, [3, 2], activation="tanh", rng=random.Random(0), atomic=atomic)
    walk = steps(cross_entropy([model([k + 0.5, 1.0]) for k in range(samples)], [1] * samples))
    net, place = page_data(walk)["net"], walk.place
    assert net["title"].startswith("Network of 2 layers: 2 inputs, 3 and 2 neurons")
    assert (net["samples"], net["sample"]) == (samples, 0)
    assert [layer["activation"] for layer in net["layers"]] == ["tanh", "linear"]
    for i, layer in enumerate(net["layers"]):
        for j, neuron in enumerate(layer["neurons"]):
            own = model.layers[i].neurons[j]
            assert neuron["code"] == f"model.layers[{i}].neurons[{j}]"
            assert neuron["w"] == [place(w) for w in own.w]
            assert neuron["b"] == place(own.b)
            for k, at in enumerate(neuron["at"], 1):
                nth = f"#{k}" if samples > 1 else ""
                assert at["s"] == place(f"s{i + 1}[{j + 1}]{nth}")
                assert at["x"] == (None if i else place(f"x1[{j + 1}]{nth}"))
                assert bool(at["parts"]) == atomic
    terms = net["loss"]["terms"]
    assert (net["loss"]["node"], net["loss"]["kind"]) == (len(walk.nodes) - 1, "cross_entropy")
    assert {term["name"] for term in terms} == {"right class: 1 (p2)"}
    for term in terms:
        p = [float(text) for text in term["p"]]
        assert sum(p) == pytest.approx(1, abs=1e-3)
        assert walk.recording.data[term["node"]] == pytest.approx(-math.log(p[1]), abs=1e-3)
    known = {i for layer in net["layers"] for n in layer["neurons"] for i in (*n["w"], n["b"])}
    known |= {
        i for layer in net["layers"] for n in layer["neurons"] for at in n["at"]
        for i in (*at["in"], at["s"], at["x"], *at["parts"])
    }  # fmt: skip
    rest = {i for found in (*net["after"], *net["between"], *net["inputs"]) for i in found}
    assert known | rest | {*net["before"], *net["end"], None} == {*range(len(walk.nodes)), None}


def test_the_page_gets_the_sections_with_their_sentences():
    model = MLP(2, [2, 1], rng=random.Random(0))
    walk = steps(mse([model([k + 0.5, 1.0]) for k in range(2)], [1.0] * 2))
    data = page_data(walk)
    strings, sections = data["strings"], data["sections"]
    names = [(section["phase"], section["name"], section["sample"]) for section in sections]
    assert names[:4] == [
        ("forward", "layer 1", 0), ("forward", "layer 2", 0), ("forward", "loss", 0),
        ("forward", "layer 1", 1),
    ]  # fmt: skip
    groups = [group for section in sections for group in section["groups"]]
    assert [k for g in groups for k in range(g["steps"][0], g["steps"][1] + 1)] == [
        *range(len(walk))
    ]
    assert strings[groups[0]["text"]].startswith("Neuron 1 of layer 1, sample 1: the weighted sum")
    assert page_data(steps(guide_graph()))["net"] is None
    assert [s["name"] for s in page_data(steps(guide_graph()))["sections"]] == [
        "forward pass", "backward pass",
    ]  # fmt: skip


def test_the_page_has_the_steps_as_text_where_scripts_are_off():
    text = page_text(steps(guide_graph()))
    assert "<noscript><pre>   1  h is the product x × w: 2 × (-3) = -6." in text


def test_to_html_writes_one_file_with_unix_line_ends(tmp_path):
    path = steps(guide_graph()).to_html(tmp_path / "back prop.html", title="A & B <c>")
    assert b"\r" not in path.read_bytes()
    assert "<title>A &amp; B &lt;c&gt;: back-propagation" in path.read_text(encoding="utf-8")


def test_the_sheet_has_the_colours_of_the_look():
    for name in ("light", "dark"):
        colours = theme(name)
        assert f"--current: {colours.current};" in styles()
        assert contrast(colours.ink, colours.none) > 4.5
        assert contrast(colours.current_text, colours.current) > 4.5


def test_no_two_scripts_declare_the_same_name():
    scripts = [path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")]
    declared = re.compile(r"^(?:const|let|function|async function) (\w+)", re.MULTILINE)
    names = declared.findall("\n".join(scripts))
    assert len(names) > 50
    assert len(set(names)) == len(names)  # else no browser would load the widget's script


def test_front_end_is_small_enough_to_be_sent_with_each_widget():
    for net, most in ((True, 200_000), (False, 150_000)):
        assert len(script(net).encode()) + len(styles(net).encode()) < most


# ---- the notebook ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "like", "wanted"),
    [
        ("2", 1, 2),
        ("2", 1.0, 2.0),
        ("2.5", 1, 2.5),
        (" -3 ", 1, -3),
        ("1e-3", 1, 0.001),
        ("3/4", 1.0, Fraction(3, 4)),
        ("0.5", Fraction(1), Fraction(1, 2)),
    ],
)
def test_a_typed_number_is_of_the_kind_of_its_leaf(text, like, wanted):
    found = leaf_number(text, like)
    assert (found, type(found)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    "text",
    ["", "two", "1/0", "nan", "inf", "1e999", "1;2", "__import__", "1e9999999", "1e-99999999"],
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match=r"write 2, -0\.5, 1e-3 or 3/4"):
        leaf_number(text, 1.0)


@pytest.fixture
def widget():
    pytest.importorskip("anywidget")
    return lambda *arguments, **options: steps(*arguments).widget(**options)


def test_the_widget_starts_at_the_stepper_s_place(widget):
    pytest.importorskip("anywidget")
    stepper = steps(guide_graph())
    stepper.go(6)
    shown = stepper.widget(theme="dark")
    assert (shown.step, shown.theme) == (6, "dark")
    shown.step = 3
    assert stepper.position == 3
    shown.step = 99
    assert (shown.step, stepper.position) == (10, 9)  # the update that the page adds


def test_the_widget_asks_and_keeps_the_answers(widget):
    shown = steps(guide_graph(), guess=True).widget()
    assert shown.answers == []
    assert "answers" in shown.keys  # the page writes to it
    assert shown.data["guess"]["level"] == 1
    shown.set_leaf(0, "5")
    assert shown.data["guess"]["level"] == 1


def test_an_edit_shows_the_pass_anew_and_leaves_the_values_alone(widget):
    root = guide_graph()
    before = [(node.data, node.grad) for node in order(root)]
    shown = widget(root)
    shown.step = 6
    shown.edit = {"node": 0, "text": "5", "seq": 1}
    assert shown.error == ""
    assert shown.step == 6
    assert shown.data["nodes"][0]["text"] == "5"
    assert shown.data["nodes"][-1]["text"] == "75"
    assert shown.stepper[6].text.startswith("s passes gradient back to h: upstream -15")
    assert [(node.data, node.grad) for node in order(root)] == before
    shown.edit = {"node": 1, "text": "-1/2", "seq": 2}
    assert shown.data["nodes"][-1]["text"] == "-75/4"


def test_a_refused_edit_says_why_and_changes_nothing(widget):
    x = Value(2.0, label="x")
    shown = widget(x.log() * x)
    before = shown.data
    for text, why in (("-1", "log"), ("zwei", "not a number"), ("0", "log")):
        shown.edit = {"node": 0, "text": text, "seq": text}
        assert why in shown.error
        assert shown.data == before
    shown.edit = {"node": 1, "text": "3", "seq": 4}
    assert "is not a leaf" in shown.error
    shown.edit = {"node": 0, "text": "3", "seq": 5}
    assert shown.error == ""
    assert shown.data["nodes"][0]["text"] == "3"


def test_an_edit_to_the_same_number_is_answered(widget):
    shown = widget(guide_graph())
    answers = []
    shown.observe(lambda change: answers.append(change["new"]), names=["data"])
    for seq in (1, 2):
        shown.edit = {"node": 0, "text": "2", "seq": seq}
    assert len(answers) == 2


def test_what_is_shown_is_of_the_moment_that_the_steps_were_made(widget):
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    root = x * w
    root.label = "L"
    stepper = steps(root)
    before, still = page_data(stepper), picture(stepper)
    x.data = 100.0
    assert page_data(stepper) == before
    root.forward()
    assert page_data(stepper) == before
    assert picture(stepper) == still
    shown = stepper.widget()
    shown.edit = {"node": 1, "text": "7", "seq": 1}
    assert shown.data["nodes"][-1]["text"] == "14"
    assert x.data == 100.0


def test_numbers_that_no_float_can_hold_are_shown():
    big = Value(10**400, label="b")
    data = page_data(steps(big * big))
    assert data["nodes"][0]["text"].startswith("≈") or "e400" in data["nodes"][0]["text"]
    small = Value(Fraction(1, 10**400), label="s")
    page_data(steps(small * -small))


def test_an_edit_keeps_the_rule_broken(widget):
    shown = widget(guide_graph(), "assign")
    shown.edit = {"node": 0, "text": "1", "seq": 1}
    assert shown.data["assigns"]


WIDGET = "application/vnd.jupyter.widget-view+json"


def in_a_notebook(monkeypatch, **known):
    """Pretend that a kernel runs this; `known` are its variables."""
    shell = SimpleNamespace(kernel=object(), user_ns=known)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.delenv("VSCODE_PID", raising=False)


def bundle_of(shown, **options):
    bundle = shown._repr_mimebundle_(**options)
    return bundle[0] if isinstance(bundle, tuple) else bundle


def test_a_notebook_keeps_the_page_and_the_widget_finds_its_place(widget, monkeypatch):
    in_a_notebook(monkeypatch)
    shown = widget(guide_graph())
    shown.step = 4
    data = bundle_of(shown)
    assert set(data) == {"text/html", "text/plain"}
    assert f'<micrograd-page of="{shown.place}">' in data["text/html"]
    assert shown.place != widget(guide_graph()).place
    assert data["text/plain"].startswith("<Stepper of L = -24")
    assert data_of(data["text/html"]) == {**page_data(shown.stepper), "position": 4}
    assert set(bundle_of(shown.stepper)) == {"text/html", "text/plain"}


def test_where_only_an_output_starts_a_widget_the_output_says_so(widget, monkeypatch):
    shown = steps(guide_graph())
    hosts = [
        lambda: monkeypatch.delitem(sys.modules, "IPython", raising=False),  # as in marimo
        lambda: in_a_notebook(monkeypatch, __vsc_ipynb_file__="lesson.ipynb"),
        lambda: (in_a_notebook(monkeypatch), monkeypatch.setenv("VSCODE_PID", "1")),
        lambda: (in_a_notebook(monkeypatch), monkeypatch.setitem(sys.modules, "google.colab", 1)),
    ]
    for host in hosts:
        host()
        assert set(bundle_of(shown)) == {WIDGET, "text/html", "text/plain"}
        assert list(bundle_of(shown, include={WIDGET})) == [WIDGET]
        assert list(bundle_of(shown, exclude=["text/html", WIDGET])) == ["text/plain"]
        assert bundle_of(shown, include=[]) == {}
        assert len(bundle_of(shown, include=None, exclude=None)) == 3


def test_what_a_notebook_keeps_is_small(monkeypatch):
    x1, x2, w1, w2, b = map(Value, (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    neuron = steps((x1 * w1 + x2 * w2 + b).tanh())
    network = MLP(2, [16, 16, 1], rng=random.Random(1))
    lens = steps((network([0.5, -1.0]) - 1) ** 2)
    assert len(page_text(neuron).encode()) < 120_000
    assert len(page_text(lens).encode()) < 260_000
    assert len(saved_steps(neuron).encode()) < 150_000
    assert len(saved_steps(lens).encode()) < 260_000
    monkeypatch.setattr("micrograd.stepper.page.notebook.LARGEST_SAVED", 1000)
    text = saved_steps(neuron, "here")
    assert "<iframe" not in text
    assert "<style" not in text  # the picture is not hidden
    assert re.search(r'<micrograd-page of="here">.*src="data:image/svg.*Run this cell', text)


def test_without_the_extra_a_notebook_gets_the_page_and_its_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "micrograd.stepper.page.stepper_widget", raising=False)
    data = mimebundle(steps(guide_graph()))
    assert "data:image/svg+xml;base64," in data["text/html"]
    assert data_of(data["text/html"])["title"].startswith("L = ")
    assert 'pip install "micrograd[notebook]"' in data["text/plain"]


def test_the_picture_shows_the_gradients_of_the_last_step():
    root = guide_graph()
    svg = picture(steps(root)).decode()
    assert "+6" in svg
    assert all(node.grad == 0 for node in order(root))
    leaf = Value(2.0)
    assert "mine" in picture(steps(leaf * leaf, labels={"mine": leaf})).decode()
    broken = picture(steps(root, "no_zero_grad")).decode()
    assert "+12" in broken


def test_a_graph_too_large_for_a_widget_is_still_described(widget):
    root = Value(1.0)
    for _ in range(2_100):
        root = root + 1
    assert "a page shows up to" in steps(root)._repr_mimebundle_()["text/plain"]


def test_errors_of_the_page_are_of_the_package():
    assert issubclass(TooLargeError, MicrogradError)


def test_the_frame_holds_the_whole_page_as_text_of_one_attribute():
    stepper = steps(guide_graph())
    frame = stepper.page(height=500)
    shown = frame._repr_html_()
    found = re.fullmatch(
        r"<style>.*</style><iframe (.*) srcdoc='([^']*)'></iframe>", shown, re.DOTALL
    )
    assert html.unescape(found[2]) == page_text(stepper)
    assert 'sandbox="allow-scripts allow-downloads"' in found[1]
    assert 'height="500"' in found[1]
    assert 'height="860"' in stepper.page()._repr_html_()
    for height in (0, -1, 2.5, True, "tall"):
        with pytest.raises(ArgumentError, match="expected height to be a whole number of 1"):
            stepper.page(height=height)


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("the old one", encoding="utf-8")
    monkeypatch.setattr("pathlib.Path.replace", failing)
    with pytest.raises(OSError, match="disk"):
        steps(guide_graph()).to_html(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]
    assert path.read_text(encoding="utf-8") == "the old one"


def failing(*_):
    raise OSError(28, "the disk is full")
