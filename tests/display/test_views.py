"""What a bare object shows as the last line of a cell, in any state and with any packages."""

import copy
import math
import random
import sys
import time
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tables import each

from micrograd import Value, explain, no_grad
from micrograd.datasets import Dataset
from micrograd.display import html
from micrograd.nn import MLP, Layer, Module, Neuron
from micrograd.train import History
from micrograd.values.showing import Shown, views
from tests.test_namespace import in_a_new_interpreter

HOSTILE = "</p><script>alert(1)</script>\"'&\ud800\x00 \u202eאב"


class Line(Module):
    def __init__(self, slope=2.0):
        self.slope, self.offset = Value(slope), Value(1.0)


class Odd(Module):
    """A network that cannot say what it holds."""

    layers = 3

    def parameters(self):
        raise RuntimeError("not built yet")


def neuron():
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(1.0, label="b")
    o = (x * w + b).tanh()
    o.label = "o"
    return o, x


def passed():
    o, _ = neuron()
    o.backward()
    return o


def stale():
    o, x = neuron()
    x.data = 5.0
    return o


def after_an_error():
    o, x = neuron()
    with pytest.raises(Exception, match="log"):
        (x * 0).log()
    return o


def by_hand():
    x = Value(2.0, label="x")
    made = Value(4.0, (x,), "sq")
    made._backward = lambda: None
    return made


def in_a_circle():
    x = Value(1.0, label="x")
    y = x + 1
    y._left = y
    return y


def of_second_order():
    from micrograd import gradient

    x = Value(2.0, label="x")
    y = x * x * x
    x.grad = gradient(y, x, create_graph=True)
    return x


def ungraphed():
    o, _ = neuron()
    with no_grad():
        return o * 2


def chain(size):
    x = y = Value(1.0, label="x")
    for _ in range(size):
        y = y * 0.5 + x
    return y


def network(*numbers):
    model = MLP(2, [2, 1], rng=random.Random(0))
    for p, number in zip(model.parameters(), numbers, strict=False):
        p.data = number
    return model


def replaced():
    model = MLP(2, [2, 1])
    model.layers[0].neurons = []
    return model


def data_set(X, y, features=("x1", "x2"), classes=("0", "1")):
    return Dataset("mine", X, y, X[:1], y[:1], features, classes, standardised=False)


def explained():
    o, x = neuron()
    return explain(o, x)


OBJECTS = {
    "a leaf": lambda: Value(3),
    "a fraction": lambda: Value(Fraction(1, 3), label="third") * 2,
    "a huge int": lambda: Value(10**5000) + 1,
    "before backward": lambda: neuron()[0],
    "after backward": passed,
    "stale": stale,
    "after an error": after_an_error,
    "nan": lambda: Value(math.nan, label="x") * 2,
    "infinite": lambda: Value(math.inf, label="x") + 1,
    "hostile label": lambda: Value(1.0, label=HOSTILE) * 2,
    "a label that is no text": lambda: Value(1.0, label=7) * 2,
    "by hand": by_hand,
    "in a circle": in_a_circle,
    "gradient with a graph": of_second_order,
    "without a graph": ungraphed,
    "301 values": lambda: chain(150),
    "output of a network": lambda: MLP(2, [16, 1])([1.0, -1.0]),
    "network": network,
    "network of nan": lambda: network(math.nan, math.inf, 10**400),
    "layer": lambda: Layer(2, 3),
    "one neuron": lambda: Neuron(0),
    "large network": lambda: MLP(64, [60, 10]),
    "replaced neurons": replaced,
    "own module": Line,
    "own module of nan": lambda: Line(math.nan),
    "module that fails": Odd,
    "empty module": Module,
    "history": lambda: History([2.0, 1.0], [0.5, 1.0], [0.1, 0.1], [0, 1], [3.0, 2.0], [0.5, 0.5]),
    "empty history": History,
    "one step": lambda: History([1.0]),
    "diverged": lambda: History([1.0, 1e300, math.inf, math.nan]),
    "only nan": lambda: History([math.nan]),
    "negative losses": lambda: History([-1.0, -1e308, 1e308]),
    "long history": lambda: History([1 / k for k in range(1, 20_000)]),
    "data of lists": lambda: data_set([[0.0, 1.0], [1.0, 0.5]], [0, 1]),
    "one feature": lambda: data_set([[0.0], [1.0]], [0, 1], ("x",)),
    "hostile features": lambda: data_set([[0, 1], [1, 1]], [0, 1], (HOSTILE, "b"), (HOSTILE, "1")),
    "data of nan": lambda: data_set([[math.nan, 1.0], [math.inf, 1.0]], [0, 1]),
    "no data": lambda: data_set([], []),
    "explanation": explained,
    "no path": lambda: explain(Value(1.0, label="a") * 2, Value(2.0, label=HOSTILE)),
    "many paths": lambda: explain(chain(30), chain(1).parents[1]),
}


class Checked(HTMLParser):
    """Whether all elements are closed, and which there are."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.words = [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.open.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@each("name", OBJECTS)
def test_an_object_in_any_state_shows_something_that_is_sound(name):
    thing = OBJECTS[name]()
    before = repr(thing)
    page = thing._repr_html_()
    assert isinstance(thing, Shown)
    page.encode("utf-8")
    checked = Checked(page)
    assert not checked.open
    assert "script" not in checked.seen
    assert repr(thing) == before


@each("name", OBJECTS)
def test_ipython_shows_it_beside_its_repr(name, capsys):
    formatters = pytest.importorskip("IPython.core.formatters")
    thing = OBJECTS[name]()
    data, _ = formatters.DisplayFormatter().format(thing)
    assert set(data) == {"text/plain", "text/html"}
    assert data["text/plain"] == repr(thing)
    assert not capsys.readouterr().err


def words(thing):
    return " ".join(" ".join(Checked(html(thing)).words).split())


def test_a_value_shows_formula_data_gradient_and_graph():
    shown = words(passed())
    assert "o = tanh(x × w + b)" in shown
    assert "data −0.9999 gradient +1 a graph of 6 values" in shown
    assert "<svg" in html(passed())
    assert "gradient –" in words(neuron()[0])


def test_a_stale_graph_says_so():
    assert "'x' of x=2.0 * w=-3.0 changed from 2.0 to 5.0" in words(stale())


def test_the_values_of_a_network_have_its_names():
    shown = words(MLP(2, [1], rng=random.Random(0))([1.0, 2.0]))
    assert shown.index("s⁽¹⁾₁ = b⁽¹⁾₁ + w⁽¹⁾₁,₁ × x⁽⁰⁾₁ + w⁽¹⁾₁,₂ × x⁽⁰⁾₂") > 0


def test_a_network_shows_layers_parameters_and_picture():
    model = MLP(2, [3, 1], activation="tanh", rng=random.Random(0))
    shown = words(model)
    for part in ("MLP 2-3-1", "layer 1 2 3 tanh 9", "layer 2 3 1 linear 4", "13", "w⁽¹⁾₃,₂"):
        assert part in shown
    assert "<svg" in html(model)
    assert "slope 2 – offset 1 –" in words(Line())


def test_a_history_shows_first_last_and_curve():
    shown = words(OBJECTS["history"]())
    assert "loss 2 1 2" in shown
    assert "accuracy 50.0 % 100.0 % 50.0 %" in shown
    assert html(OBJECTS["history"]()).count("<path") == 5  # three lines of the grid, two curves


def test_a_data_set_shows_counts_rows_and_plot():
    data = data_set([[0.0, 1.0], [1.0, 0.5], [2.0, 0.25]], [0, 1, 1])
    shown = words(data)
    assert "0 1 1 1 2 0" in shown
    assert "class x1 x2 0 0 1 1 1 0.5 1 2 0.25" in shown
    assert html(data).count('d="M') == 2 + 2 + 3  # the key, the axes, the samples


def test_an_explanation_is_coloured_by_sign():
    page = html(explained())
    assert '<span class="neg">' in page
    assert "o ← x × w + b ← x × w ← x" in words(explained())


def test_a_subclass_shows_itself_in_its_own_way():
    class Mine(Line):
        def _repr_html_(self):
            return "mine"

    assert Mine()._repr_html_() == "mine"
    assert "Sub" in type("Sub", (Line,), {})()._repr_html_()


def test_a_network_of_your_own_has_a_text_too():
    assert repr(Line()) == "<Line of 2 parameters>"
    assert repr(Odd()).startswith("<tests.display.test_views.Odd object at ")


def test_copies_and_sizes_are_as_they_were():
    assert sys.getsizeof(Value(1.0)) == sys.getsizeof(copy.copy(Value(1.0)))
    assert Shown.__slots__ == ()
    assert not vars(Value(1.0))


def test_a_graph_of_100_000_values_is_shown_at_once():
    root = chain(50_000)
    html(root)
    start = time.process_time()
    shown = words(root)
    assert time.process_time() - start < 0.2
    assert "a graph of more than 2,000 values" in shown


def test_an_object_of_another_kind_shows_nothing():
    assert html(3) is None
    assert len(views) == 1


@pytest.mark.notebook
def test_a_notebook_shows_them_without_any_preparation(tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    lines = [
        "from micrograd import Value, MLP, explain; x = Value(2.0, label='x'); y = x * x; y",
        "MLP(2, [3, 1])",
        "explain(y, x)",
        "from micrograd.train import History; History([1.0, 0.5])",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(line) for line in lines])
    client = nbclient.NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    for cell in notebook.cells:
        (output,) = cell.outputs
        assert set(output.data) == {"text/html", "text/plain"}
        assert not Checked(output.data["text/html"]).open


def test_without_any_package_numbers_formulas_and_curves_are_shown():
    in_a_new_interpreter("""
from micrograd import MLP, Value, explain
from micrograd.datasets import Dataset
from micrograd.train import History

x = Value(2.0, label="x")
y = x * x + 1
for thing, parts in [
    (y, ["x × x + 1", "gradient"]),
    (MLP(2, [3, 1]), ["layer 2", "13"]),
    (History([2.0, 1.0]), ["<svg", "loss"]),
    (explain(y, x), ["x × x"]),
    (Dataset("mine", [[0, 1]], [0], [], [], ("a", "b"), ("c", "d"), False), ["1 training", "<svg"]),
]:
    page = thing._repr_html_()
    assert all(part in page for part in parts), page
""")


def test_showing_loads_no_plotting_library():
    in_a_new_interpreter("""
import sys
from micrograd import Value
from micrograd.train import History

History([1.0])._repr_html_(), Value(1.0)._repr_html_()
assert "matplotlib" not in sys.modules
""")
