"""Pictures of graphs: what was typed, on any machine, whatever the labels hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import graphviz
import pytest
from tables import each, mostly_slow

from micrograd import Value, gradient
from micrograd import sum as value_sum
from micrograd.draw import draw_dot, format_graph
from micrograd.draw.diagram import build
from micrograd.draw.picture import Picture
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    CycleError,
    MicrogradError,
    PictureError,
)
from micrograd.style import theme

GOLDEN = Path(__file__).parents[1] / "golden"
SVG = "{http://www.w3.org/2000/svg}"


def neuron(backward: bool = True) -> Value:
    """The neuron of the lecture: the gradients are published ones."""
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    s = x1 * w1 + x2 * w2 + b
    s.label = "s"
    o = s.tanh()
    o.label = "o"
    if backward:
        o.backward()
    return o


def shared() -> Value:
    x = Value(3, label="x")
    y = x * x - 2 * x + Fraction(1, 2)
    y.label = "y"
    y.backward()
    return y


def derivative() -> list[Value]:
    x = Value(2.0, label="x")
    y = x**3
    y.label = "y"
    slope = gradient(y, x, create_graph=True)
    slope.label = "dy/dx"
    return [y, slope]


def random_graph(size: int) -> Value:
    values = [Value(0.1 * i, label=f"x{i}") for i in range(10)]
    for i in range(size - 11):
        left, right = values[-1 - i % 7], values[-1 - i * i % 10]
        values.append(left * right if i % 2 else left + right)
    return value_sum(values[-10:])


def texts(svg: str) -> list[str]:
    """The text that is drawn, without title and description."""
    root = ElementTree.fromstring(svg)
    return ["".join(element.itertext()).replace("\xa0", " ") for element in root.iter(f"{SVG}text")]


def svg_of(root: object, **options: object) -> str:
    return str(draw_dot(root, **options).pipe("svg", encoding="utf-8"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("neuron", lambda: draw_dot(neuron())),
        (
            "neuron_dark_before",
            lambda: draw_dot(neuron(backward=False), theme="dark", rankdir="TB"),
        ),
        ("shared", lambda: draw_dot(shared(), precision=3, local=False)),
        ("derivative", lambda: draw_dot(derivative())),
    ],
)
def test_the_source_is_what_was_read_by_eye(name: str, picture: object) -> None:
    path = GOLDEN / f"{name}.dot"
    source = picture().source  # type: ignore[operator]
    if os.environ.get("MICROGRAD_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8", newline="\n")
    assert source == path.read_text(encoding="utf-8")


def test_the_source_is_the_same_in_every_process() -> None:
    program = (
        "from micrograd import Value\nfrom micrograd.draw import draw_dot\n"
        "x = [Value(i / 7, label=f'x{i}') for i in range(20)]\n"
        "y = sum((a * b).tanh() for a in x for b in x)\ny.backward()\n"
        "print(hash('x'), file=__import__('sys').stderr)\n"
        "import hashlib; print(hashlib.sha256("
        "draw_dot(y, max_nodes=None, labels={v: 'n' for v in x}).source.encode()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stderr != runs[1].stderr


# ---- what the picture shows --------------------------------------------------------------------


def test_the_lectures_neuron_shows_the_lectures_numbers() -> None:
    drawn = texts(svg_of(neuron()))
    for text in ("x1", "w2", "o", "-3", "6.881", "0.7071", "-1.5", "+0.5", "+1", "∂ -3", "tanh"):
        assert text in drawn
    assert drawn.count("×") == 2


def test_a_gradient_that_is_not_computed_is_no_zero() -> None:
    drawn = texts(svg_of(neuron(backward=False), legend=False))
    assert drawn.count("–") == 10
    assert "+1" not in drawn


def test_a_gradient_pushed_by_hand_shows_how_far_it_came() -> None:
    o = neuron(backward=False)
    o.grad = 1.0
    o._backward()
    known = [box.name for box in build([o]).boxes if box.grad is not None]
    assert known == ["s", "o"]


@pytest.mark.parametrize("number", [int, float, Fraction])
def test_a_gradient_of_exactly_zero_is_known_in_every_number_type(number: type) -> None:
    x, w = Value(number(0), label="x"), Value(number(5), label="w")
    y = x * w
    y.backward()
    assert [box.grad for box in build([y]).boxes] == [5, 0, 1]
    x.grad = 0  # cleared: a pass would give 5
    assert build([y]).boxes[0].grad is None


def test_what_a_dead_neuron_passes_on_is_a_known_zero() -> None:
    w, x = Value(-1.0, label="w"), Value(2.0, label="x")
    y = (w * x).relu()
    y.backward()
    assert [box.grad for box in build([y]).boxes] == [0, 0, 0, 1]


def test_operands_keep_their_order_and_repeats() -> None:
    x, y = Value(2.0, label="x"), Value(5.0, label="y")
    source = draw_dot(x * x - y).source
    assert re.findall(r"(v\d+) -> (o\d+)", source) == [
        ("v0", "o1"),
        ("v0", "o1"),
        ("v1", "o3"),
        ("v2", "o3"),
    ]


def test_roles_are_told_apart() -> None:
    x, w, b = Value(1.0, label="x"), Value(2.0, label="w"), Value(3.0, label="b")
    y = x * w + b + 4
    assert [box.role for box in build([y]).boxes] == [
        "input", "parameter", "computed", "parameter", "computed", "constant", "computed",
    ]  # fmt: skip
    a, c = Value(1.0, label="a"), Value(3.0, label="b")
    assert [box.role for box in build([a + c]).boxes] == ["input", "input", "computed"]


def test_a_model_says_which_leaves_are_parameters() -> None:
    class Line:
        def __init__(self) -> None:
            self.slope = Value(2.0)

        def named_parameters(self) -> list[tuple[str, Value]]:
            return [("slope", self.slope)]

    line = Line()
    drawn = texts(svg_of(line.slope * Value(3.0, label="x"), model=line))
    assert "slope" in drawn
    assert "parameter" in drawn
    with pytest.raises(ArgumentTypeError, match="model must be a Module"):
        draw_dot(Value(1.0), model=3)


def test_numbers_are_short_and_fractions_exact() -> None:
    x = Value(Fraction(1, 3), label="x")
    drawn = texts(svg_of(x * 1e-12 + 123456.0 + Value(Fraction(3, 4), label="q")))
    assert {"1/3", "3/4", "1e-12", "1.235e5"} <= set(drawn)


def test_what_is_not_a_number_is_marked() -> None:
    svg = svg_of(Value(float("nan"), label="x") * 2)
    assert "nan!" in texts(svg)
    assert theme("light").wrong.lower() in svg


def test_numbers_beyond_every_float_are_drawn() -> None:
    x = Value(10**400, label="x")
    y = x * 3 + 1
    y.backward()
    assert "1e400" in texts(svg_of(y))


def test_show_leaves_numbers_out() -> None:
    data = texts(svg_of(neuron(), show="data"))
    grad = texts(svg_of(neuron(), show="grad"))
    assert "grad" not in "".join(data)
    assert "data" not in "".join(grad)
    assert "-1.5" in grad
    assert "6.881" in data


def test_names_can_be_given() -> None:
    x, y, z = Value(1.0), Value(2.0), Value(3.0, label="own")
    drawn = texts(svg_of(x * y + z, labels={x: "first", "second": y, "other": z, "junk": 3}))
    assert {"first", "second", "own"} <= set(drawn)
    assert "other" not in drawn
    assert "x[1]" in texts(svg_of(x * y, labels={"x": [x, y]}))
    for labels in (3, {x: 3}, {1: x}):
        with pytest.raises(ArgumentTypeError):
            draw_dot(x, labels=labels)


def test_wrt_fades_what_is_on_no_path() -> None:
    o = neuron()
    w1 = next(box.value for box in build([o]).boxes if box.name == "w1")
    faded = {box.name for box in build([o], wrt=[w1]).boxes if box.is_faded}
    assert faded == {"x1", "x2", "w2", "x2 × w2", "b"}
    assert draw_dot(o, wrt=w1).source != draw_dot(o).source
    with pytest.raises(ArgumentError, match="does not contain"):
        draw_dot(o, wrt=Value(1.0))
    with pytest.raises(ArgumentTypeError, match="wrt must be Values"):
        draw_dot(o, wrt=["w1"])


def test_the_graph_of_a_gradient_is_told_apart() -> None:
    y, slope = derivative()
    parts = {box.name: box.in_gradient for box in build([y, slope], forward=y).boxes}
    assert parts["y"] is False
    assert parts["dy/dx"] is True
    assert "graph of the gradient" in texts(svg_of([y, slope]))
    assert "graph of the gradient" in texts(svg_of(slope))
    assert slope.derivative_of is y
    plain = 3 * y
    assert "graph of the gradient" in texts(svg_of(plain, forward=y))
    assert "graph of the gradient" not in texts(svg_of(plain))


def test_the_legend_holds_the_scale_and_only_roles_that_occur() -> None:
    drawn = texts(svg_of(neuron()))
    assert {"-1.5", "+1.5", "input", "parameter", "computed", "output"} <= set(drawn)
    assert "constant" not in drawn
    assert "parameter" not in texts(svg_of(neuron(), legend=False))


def test_large_graphs_are_drawn_in_less_detail() -> None:
    small, middle, large = (
        texts(svg_of(value_sum([Value(1.0) for _ in range(n - 1)]))) for n in (60, 150, 151)
    )
    assert any("∂" in text for text in small)
    assert not any("∂" in text for text in middle)
    assert "data " in middle
    assert "data " not in large


def test_every_option_leaves_a_picture(tmp_path: Path) -> None:
    o = neuron()
    for rankdir in ("LR", "RL", "TB", "BT"):
        for show in ("both", "data", "grad"):
            svg_of(o, rankdir=rankdir, show=show, theme="dark", color=False, local=True)
    assert draw_dot(o, "png").pipe().startswith(b"\x89PNG")
    assert draw_dot(o, "dot").write(tmp_path / "a.dot").read_text(encoding="utf-8") == (
        draw_dot(o).source
    )


# ---- labels from hell --------------------------------------------------------------------------

LABELS = [
    "{ } | < > \" \\ & '",
    "<script>alert(1)</script>",
    "<b>&amp;</b>",
    "&lt;&#65;&quot;",
    "\\N\\G\\n",
    "日本語",
    "🎉👩‍👩‍👧",
    "שלום עולם",
    "مرحبا",
    "e\u0301",
    "-->",
    "]]>",
    "%s %d {0}",
]


@each("label", LABELS)
@pytest.mark.parametrize("padding", mostly_slow([0, 200, 600]))
def test_a_label_is_text_and_nothing_else(label: str, padding: int) -> None:
    root = Value(1.0, label=label) * Value(2.0, label=label)
    root.label = label
    if padding:
        root = value_sum([root, *[Value(1.0) for _ in range(padding)]])
        root.label = label
    svg = svg_of(root, max_nodes=None, legend=False)
    drawn = texts(svg)
    shown = label if len(label) <= 18 else f"{label[:8]}…{label[-8:]}"
    assert sum(shown.replace("  ", " ") in text.replace("  ", " ") for text in drawn) >= 3
    assert "<script" not in svg
    assert label in (ElementTree.fromstring(svg).findtext(f"{SVG}desc") or "")


def test_the_whole_of_a_long_label_is_in_the_tooltip() -> None:
    label = "".join(chr(97 + i % 26) for i in range(300))
    svg = svg_of(Value(1.0, label=label) + 1)
    assert label in svg
    assert "abcdefgh…ghijklmn" in texts(svg)


@pytest.mark.parametrize("label", ["", " ", "\n", "\x00\x1b[31m", "\ud800", "\ufffe", "a\nb", "\t"])
def test_odd_labels_do_no_harm(label: str) -> None:
    root = Value(1.0, label=label) * 2
    root.label = label
    ElementTree.fromstring(svg_of(root))
    format_graph(root).encode("utf-8")


def test_a_newline_in_a_label_is_a_new_line() -> None:
    drawn = texts(svg_of(Value(1.0, label="first\nsecond") * 2))
    assert {"first", "second"} <= set(drawn)


# ---- the SVG and the files ---------------------------------------------------------------------


def test_the_svg_fits_into_a_page() -> None:
    svg = svg_of(neuron())
    root = ElementTree.fromstring(svg)
    assert svg.startswith("<svg ")
    assert "pt" not in (root.get("width") or "")
    assert root.get("role") == "img"
    assert "o 0.7071, gradient +1" in (root.findtext(f"{SVG}desc") or "")
    assert len(root.findall(f".//{SVG}title")) == 1
    ids = re.findall(r'\sid="([^"]*)"', svg)
    assert len(ids) == len(set(ids))
    other = re.findall(r'\sid="([^"]*)"', svg_of(neuron(backward=False)))
    assert not set(ids) & set(other)
    assert svg == svg_of(neuron())


def test_it_is_a_digraph_that_shows_itself() -> None:
    picture = draw_dot(neuron())
    assert isinstance(picture, graphviz.Digraph)
    assert picture.format == "svg"
    bundle = picture._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"] == "<Computation graph of o, 10 values>"
    assert list(draw_dot(neuron(), format="png")._repr_mimebundle_()) == ["image/png", "text/plain"]
    assert picture._repr_mimebundle_(include=[]) == {}
    picture.node("extra", label="mine")
    assert "mine" in picture.copy().pipe("svg", encoding="utf-8")
    assert isinstance(picture.copy(), Picture)


def test_the_references_way_of_rendering_works(tmp_path: Path) -> None:
    dot = draw_dot(neuron(), format="svg", rankdir="LR")
    path = dot.render("gout", directory=tmp_path)
    assert Path(path) == tmp_path / "gout.svg"
    assert (tmp_path / "gout").read_text(encoding="utf-8") == dot.source
    dot.render("clean", directory=tmp_path, cleanup=True, format="png")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["clean.png", "gout", "gout.svg"]
    assert Path(dot.render(outfile=tmp_path / "own.svg")).exists()


def test_file_names_may_hold_anything(tmp_path: Path) -> None:
    for name in ("ünïcødé 日本.svg", "a b & c.png", "$(echo x).svg", "-o.svg"):
        assert draw_dot(neuron()).write(tmp_path / name).stat().st_size > 100


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("no_programs")
def test_no_program_is_needed_on_the_path() -> None:
    assert "tanh" in texts(svg_of(neuron()))


@pytest.mark.usefixtures("no_programs")
def test_a_missing_program_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = draw_dot(neuron(), program="system")
    with pytest.raises(PictureError, match=r"graphviz\.org/download"):
        picture.pipe("svg")
    assert "tanh" in picture.source
    picture.program = "wheel"
    monkeypatch.setattr("micrograd.draw.picture._of_wheel", lambda _: None)
    monkeypatch.setattr("micrograd.draw.picture._program", _uncached())
    with pytest.raises(PictureError, match="pip install graphviz-pure"):
        picture.pipe("svg")


def _uncached() -> object:
    from micrograd.draw import picture

    return picture._program.__wrapped__


def test_pdf_says_what_it_needs() -> None:
    with pytest.raises(ArgumentError, match="program='system'"):
        draw_dot(neuron(), format="pdf").pipe()


def test_a_layout_that_fails_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    picture = draw_dot(neuron())
    picture.body.append("a -> -> b")
    with pytest.raises(PictureError, match="failed with exit status"):
        picture.write(tmp_path / "a.svg")
    assert list(tmp_path.iterdir()) == []


# ---- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("root", [3, None, "x", [], [Value(1.0), 2], {"a": 1}])
def test_a_root_that_is_no_value_is_named(root: object) -> None:
    with pytest.raises(ArgumentTypeError, match="expected a Value to draw, got"):
        draw_dot(root)
    with pytest.raises(TypeError):
        format_graph(root)


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("format", "bmp"),
        ("rankdir", "XY"),
        ("rankdir", None),
        ("show", "all"),
        ("theme", "neon"),
        ("precision", 0),
        ("precision", "four"),
        ("max_nodes", 0),
        ("max_nodes", 2.5),
        ("program", "dot"),
    ],
)
def test_an_option_that_is_unknown_is_named_with_its_value(option: str, given: object) -> None:
    with pytest.raises(ValueError, match=option) as caught:
        draw_dot(Value(1.0), **{option: given})
    assert repr(given) in str(caught.value)


def test_an_unwritable_path_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        draw_dot(neuron()).write(tmp_path / "nowhere" / "a.svg")
    with pytest.raises(ArgumentError, match="cannot tell the format"):
        draw_dot(neuron()).write(tmp_path / "a.tiff")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(OSError):
        draw_dot(neuron()).write(tmp_path / "folder.svg")
    assert [item.name for item in tmp_path.iterdir()] == ["folder.svg"]


def test_a_cycle_made_by_hand_is_named() -> None:
    y = Value(1.0, label="y")
    y._record((y * 2,), (2.0,))
    with pytest.raises(CycleError, match="label='y'"):
        draw_dot(y)
    with pytest.raises(CycleError):
        format_graph(y)


def test_the_guard_answers_at_once_and_names_the_ways_out() -> None:
    root = Value(1.0)
    for _ in range(200_000):
        root = root + 1
    start = time.perf_counter()
    with pytest.raises(ArgumentError, match=r"more than 10,000 values.*max_nodes") as caught:
        draw_dot(root)
    assert time.perf_counter() - start < 0.5  # milliseconds; the rest is for a busy machine
    assert isinstance(caught.value, MicrogradError)
    with pytest.raises(ArgumentError, match="the graph has 501 values, a picture holds 500"):
        draw_dot(value_sum([Value(1.0) for _ in range(500)]))
    draw_dot(value_sum([Value(1.0) for _ in range(499)]))


@pytest.mark.slow
def test_the_source_of_a_large_graph_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        root = random_graph(size)
        root.backward()
        start = time.perf_counter()
        draw_dot(root, max_nodes=None)
        return time.perf_counter() - start

    seconds(1_000)
    small, large = (min(seconds(n) for _ in range(3)) for n in (6_000, 48_000))
    assert large < 8 * small * 3


def test_hand_made_nodes_are_drawn() -> None:
    x = Value(2.0, label="x")
    y = Value(8.0, (x,), "cube")
    assert "cube" in texts(svg_of(y))
    assert "cube(x)" in format_graph(y)


def test_data_that_changed_since_does_not_stop_the_picture() -> None:
    x = Value(2.0, label="x")
    y = x * 3
    x.data = 5.0
    drawn = texts(svg_of(y))
    assert "5" in drawn
    assert not any("∂" in text for text in drawn if "=" not in text)


# ---- text --------------------------------------------------------------------------------------


def test_the_text_form_reads_like_the_program() -> None:
    assert format_graph(neuron()).splitlines() == [
        "name     is                   data  grad  local derivatives",
        "x1       input                   2  -1.5",
        "w1       parameter              -3    +1",
        "x1 × w1  product                -6  +0.5  ∂x1 -3, ∂w1 2",
        "x2       input                   0  +0.5",
        "w2       parameter               1     0",
        "x2 × w2  product                 0  +0.5  ∂x2 1, ∂w2 0",
        "v6       x1 × w1 + x2 × w2      -6  +0.5  ∂(x1 × w1) 1, ∂(x2 × w2) 1",
        "b        parameter           6.881  +0.5",
        "s        v6 + b             0.8814  +0.5  ∂v6 1, ∂b 1",
        "o        tanh(s)            0.7071    +1  ∂s 0.5",
    ]


@pytest.mark.slow
def test_the_text_form_shows_the_end_of_a_deep_graph() -> None:
    root = Value(0, label="x")
    for _ in range(100_000):
        root = root + 1
    lines = format_graph(root, max_nodes=3, local=False).splitlines()
    assert lines[1] == "… 199998 values before these"
    assert lines[-1].split() == ["v200000", "v199998", "+", "1", "100000", "–"]
    with pytest.raises(ArgumentError, match="max_nodes"):
        format_graph(root, max_nodes=0)


@pytest.mark.skipif(shutil.which("dot") is None, reason="the system has no Graphviz")
def test_the_systems_program_draws_the_same_picture_and_pdf_too(tmp_path: Path) -> None:
    picture = draw_dot(neuron(), program="system")
    texts = [
        sorted(
            "".join(element.itertext())
            for element in ElementTree.fromstring(svg).iter(f"{SVG}text")
        )
        for svg in (picture.pipe("svg"), draw_dot(neuron()).pipe("svg"))
    ]
    assert texts[0] == texts[1]
    content = picture.write(tmp_path / "neuron.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert picture.write(tmp_path / "neuron.png").read_bytes().startswith(b"\x89PNG")
