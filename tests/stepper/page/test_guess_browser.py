"""Guessing on the page: what is asked, what a wrong answer is told, and that nothing shows it."""

import math
import re
from pathlib import Path

import pytest
from browser import keep_screenshot
from networks import small
from stepper_page import INSIDE, TWO_FRAMES, Opened
from tables import each

import micrograd
from micrograd import Value, steps
from micrograd.nn import MLP
from micrograd.ops import softmax
from micrograd.sentences.mistakes import _wrong_numbers, guess_table, judged
from micrograd.stepper.guess import guess_data
from micrograd.stepper.page import html
from micrograd.stepper.page.data import page_data
from micrograd.style import number_text

pytestmark = pytest.mark.browser

KEPT_COPY = """Object.defineProperty(navigator, "clipboard",
  {value: {writeText: async text => { window.copied = text; }}})"""


def each_kind():
    """Return a graph in which each leaf can be mistaken in another way."""
    leaves = {}

    def leaf(name, data):
        return leaves.setdefault(name, Value(data, label=name))

    several = leaf("m", 2.0) * leaf("m", 2.0) * 1.0 + leaf("m", 2.0) * 5.0 + leaf("m", 2.0) ** 2
    parts = [
        3.0 * (leaf("w", -3.0) * leaf("x", 2.5)),
        3.0 * leaf("s", 0.5).sigmoid(),
        3.0 * leaf("t", 0.5).tanh(),
        3.0 * leaf("r", -2.0).relu(),
        3.0 * leaf("p", 2.0) ** 3,
        3.0 * (leaf("a", 5.0) - leaf("b", 3.7)),
        3.0 * (leaf("c", 5.0) / leaf("d", 4.0)),
        3.0 * leaf("l", 2.0).log(),
        several,
    ]
    return micrograd.sum(parts)


@pytest.fixture
def guessing(browser, tmp_path):
    pages = []

    def open_page(root, fragment="", level=True, **options):
        stepper = steps(root, guess=level)
        path = stepper.to_html(tmp_path / f"page{len(pages)}.html")
        pages.append(Opened(browser, path, fragment, **options))
        pages[-1].page.evaluate(KEPT_COPY)
        return pages[-1], stepper

    yield open_page
    for page in pages:
        page.close()


def field(opened, name="now"):
    return opened.page.locator(f"[data-asks={name}]")


def told(opened, typed, name="now"):
    """Type an answer and return what is said of it."""
    field(opened, name).fill(typed)
    field(opened, name).press("Enter")
    return opened.page.locator(".mgs-hint").inner_text()


def heard(opened):
    """Return what a screen reader reads out of a step in a network."""
    return opened.page.get_by_role("status").text_content()


def go(opened, step):
    opened.page.get_by_label("Step", exact=True).fill(str(step.index))


sigma = 1 / (1 + math.exp(-0.5))
o = math.tanh(0.5)
OWN = "You used w itself. The derivative of a product is the other factor."
SIGMA = "You used σ(s). The local derivative is σ′(s) = x(1 − x)."
POWER = "The exponent comes down and drops by one: n·x^(n − 1)."
MINUS = "The second operand enters with a minus."
PATH = "One path is missing: what has come so far and what arrives now are added, all of it."
WRONG = [  # the leaf, what is typed, and what is said after "Not right. "
    ("w", "-9", OWN),
    ("s", f"{3 * sigma}", SIGMA),
    ("s", f"{3 - 3 * sigma}", SIGMA),
    ("t", f"{3 - 3 * o}", "1 − o is not enough: the derivative of tanh is 1 − o²."),
    ("t", f"{3 * o}", "The slope of tanh is 1 − o², not o."),
    ("r", "3", "relu is off here: nothing passes."),
    ("p", "24", POWER),
    ("p", "72", POWER),
    ("b", "3", MINUS),
    ("d", "0,9375", MINUS),
    ("m", "2", "That is what arrives now. It is added to what is there: +=."),
    ("l", "−1.5", "Right size, wrong sign."),
    ("l", "0.5", "That is the local derivative alone. Multiply it by the upstream gradient."),
    ("l", "+3", "That is the upstream gradient alone. Multiply it by the local derivative."),
    ("l", "3.5", "Added. The chain rule multiplies."),
    ("c", "-0.9375", "That is the local derivative in another operand of c / d, not in c."),
    ("m", "8", PATH),
]  # fmt: skip


def test_a_wrong_answer_is_told_which_mistake_it_is(guessing):
    opened, stepper = guessing(each_kind())

    @each(("leaf", "typed", "said"), WRONG)
    def tell(leaf, typed, said):
        go(opened, stepper.find(leaf))
        assert told(opened, typed) == f"Not right. {said}"

    tell()
    go(opened, stepper.find("l"))
    assert told(opened, "77").startswith(
        "Not yet. Upstream and local derivative stand in the tiles"
    )
    assert told(opened, "abc") == "“abc” is not a number: write 2, −0.5, 1e−3 or 3/4."
    assert field(opened).input_value() == "abc"
    assert opened.page.evaluate("getSelection().toString()") == "abc"
    # 1.5 at the edges of the tolerance; then the step is shown, and the focus is on "Step forward"
    for typed in ("1.4849", "1.5151"):
        assert told(opened, typed).startswith("Not yet.")
    assert told(opened, "1.515") == "Right."
    assert opened.page.evaluate("document.activeElement.ariaLabel") == "Step forward"
    assert "+1.5" in opened.page.locator(".mgs-tile.now").inner_text()
    go(opened, stepper.find("w"))
    opened.button("Show").click()
    assert opened.page.locator(".mgs-hint").inner_text() == "Shown."
    assert "+7.5" in opened.page.locator(".mgs-tile.now").inner_text()
    assert opened.page.locator(".mgs-score").inner_text() == "0 of 10 right at the first try"
    go(opened, stepper.find("x"))
    assert told(opened, "-9") == "Right."
    assert opened.page.locator(".mgs-score").inner_text() == "1 of 11 right at the first try"
    opened.button("Copy answers").click()
    rows = opened.page.evaluate("window.copied").splitlines()
    assert rows[0] == "step,value,answer,right,correct"
    assert rows[1] == f"{stepper.find('w').index + 1},w,-9,false,7.5"
    assert rows[10].endswith(',d,"0,9375",false,-0.9375')
    assert rows[-1] == f"{stepper.find('x').index + 1},x,-9,true,-9"
    assert len(rows) == 1 + len(WRONG) + 1 + 3 + 1
    keep_screenshot(opened.page, "guess-drawn")


def test_a_network_is_asked_with_the_keyboard_alone(guessing):
    opened, stepper = guessing(small()[1], level=False)
    assert opened.page.locator("[data-asks]").count() == 0
    opened.press("g")  # from the first stop to the first chain step, in the open loss
    assert "guess=1" in opened.page.evaluate(
        "new Promise(f => setTimeout(() => f(location.hash), 400))"
    )
    assert opened.page.evaluate("document.activeElement.dataset.asks") == "now"
    asked = "neuron 2 − s, layer 2, neuron 1 passes gradient back to s, layer 2, neuron 1."
    while asked not in heard(opened):
        opened.press("ArrowRight")  # passes on: counts as nothing
    right = stepper.find("s2[1]").grad_after
    assert told(opened, number_text(1 + right)) == (
        "Not right. That is the probability. For the right class subtract 1: p − y."
    )
    opened.press(*number_text(right), "Enter")
    assert opened.page.locator(".mgs-hint").inner_text() == "Right."
    opened.press("Enter")  # on "Step forward"
    assert opened.page.evaluate("document.activeElement.dataset.asks") == "now"
    assert opened.page.locator(".mgs-score").inner_text() == "0 of 1 right at the first try"
    opened.press("Escape")
    assert opened.page.evaluate(INSIDE)
    opened.press("g")
    assert opened.page.locator("[data-asks]").count() == 0
    assert opened.page.locator(".mgs-guess").is_hidden()
    opened, _ = guessing(small()[1], "#step=21&guess=1", level=False)
    assert field(opened).count() == 1
    assert opened.page.evaluate("document.activeElement.tagName") == "BODY"  # nothing is taken
    opened.press("ArrowRight")
    assert opened.page.evaluate("document.activeElement.dataset.asks") == "now"


STATIC = Path(html.__file__).parent / "static"
SHOWN = ((1, 4), (1, 1), (1.01, 17), (1.0099, 17))  # times the number, and its digits
FAULTS = Path(__file__).with_name("faults.js").read_text(encoding="utf-8")
CUT = """() => [document.documentElement,
  ...document.querySelectorAll(".mgs-card, .mgs-tile, .mgs-guess")]
  .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className)"""
READABLE = """() => [...document.querySelectorAll(".mgs, .mgs *")].flatMap(e => [
  ...[...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data),
  ...[...e.attributes].filter(a => /^aria-|^title$|^value$|^placeholder$/.test(a.name))
    .map(a => a.value)]).join(" ")"""


def numbers(text):
    """Return the numbers of a text, without their signs."""
    return set(re.findall(r"\d[\d.]*(?:e[-\u2212]?\d+)?", text))


def is_hidden(stepper, step, number, seen):
    """Return whether a number is not among those seen; None if it may be, as another one."""
    recording, before = stepper.recording, stepper.snapshot(step.index - 1)
    known = [*recording.data, step.upstream, *before.grads.values()]
    known += [earlier.contribution for earlier in stepper[: step.index]]
    known += [x for i, row in enumerate(recording.locals) for x in row if i != step.row.node]
    if stepper.network:  # the card of the loss has the probabilities, of the forward pass
        known += softmax([recording.data[i] for i in stepper.network.terms[0].outputs])
    text = number_text(abs(number))
    if len(text) < 4 or text in {number_text(abs(x)) for x in known if x is not None}:
        return None
    return text not in numbers(seen)


def hides(stepper, step, seen):
    found = [is_hidden(stepper, step, x, seen) for x in (step.grad_after, step.local)]
    assert False not in found, step
    return found


def test_what_is_asked_for_is_nowhere_to_be_read(guessing):
    """Neither to be seen nor to be heard: no text and no attribute has the number."""
    hidden = []
    opened, stepper = guessing(each_kind(), level=2, fragment="#step=1")
    for step in stepper:
        if step.question is None:
            continue
        go(opened, step)
        for button in ("One row a path", "Curve", "One row a step")[step.index % 3 :]:
            opened.button(button).click()
            seen = opened.page.evaluate(READABLE)
            hidden += hides(stepper, step, seen)
    opened.button("All steps").click()  # would print them
    assert opened.page.locator(".mgs-all").count() == 0
    assert "switch Guess off first" in opened.page.get_by_role("alert").inner_text()
    opened, stepper = guessing(
        small()[1], level=2, fragment="#step=1", viewport={"width": 1366, "height": 900}
    )
    forward = opened.button("Step forward")
    while forward.get_attribute("aria-disabled") == "false":  # the rules of the layer are shown too
        forward.click()
        if opened.place == "update":
            break
        shown, what = opened.place.split(" / ")[0], opened.place.split()[-1]
        step = stepper[int(shown) - 1]
        if what == "stops" or step.question is None:
            continue
        seen = opened.page.evaluate(READABLE)
        assert field(opened).count() == field(opened, "local").count() == 1
        hidden += hides(stepper, step, seen)
    assert hidden.count(True) > 20


def test_the_local_derivative_is_asked_first(guessing):
    opened, stepper = guessing(each_kind(), level=2)
    go(opened, stepper.find("s"))
    assert told(opened, f"{sigma}", "local") == f"Not right. {SIGMA}"
    assert told(opened, "12", "local").startswith("Not yet. By how much does sigmoid(s) change")
    assert told(opened, "12").startswith("Not yet. Find the local derivative first")
    assert told(opened, "0.235", "local") == "Right."
    assert opened.page.evaluate("document.activeElement.dataset.asks") == "now"
    assert "0.235" in opened.page.locator(".mgs-tile.local").inner_text()
    assert told(opened, "0.705") == "Right."
    opened.button("Step back").click()
    opened.button("Ask for the local derivative too").click()
    assert field(opened, "local").count() == 0
    opened.button("Guess").click()
    assert opened.page.locator("[data-asks]").count() == 0


def test_a_page_with_a_broken_rule_asks_nothing(opened):
    assert opened(broken="assign").button("Guess").count() == 0


def test_a_question_fits_at_every_width(guessing):
    for root, name, kind in ((each_kind(), "s", "drawn"), (small()[1], "x1[1]", "lens")):
        step = steps(root).find(name).index + 1
        for scheme in ("light", "dark"):
            opened, _ = guessing(root, f"#step={step}", level=2, color_scheme=scheme)
            assert told(opened, "0.123").startswith("Not")
            for width in (320, 400, 700, 1000, 1366):
                opened.page.set_viewport_size({"width": width, "height": 900})
                opened.page.evaluate(TWO_FRAMES)
                keep_screenshot(opened.page, f"guess-{kind}-{width}-{scheme}")
                faults = opened.page.evaluate(FAULTS if kind == "lens" else CUT)
                assert faults == [], (kind, width)


def test_a_network_stays_closed_until_a_number_is_asked_for(guessing):
    opened, _ = guessing(small()[1])
    place = opened.page.locator(".mgn-crumbs")
    while "Loss" not in place.inner_text():
        assert "Network" in heard(opened) or "Forward pass" in heard(opened)
        opened.button("Step forward").click()
    opened.page.get_by_role("button", name="Network", exact=True).click()
    assert "›" not in place.inner_text()  # closed by hand, it stays so
    assert opened.page.locator(".mgs-hint").inner_text() == (
        "Only chain steps of single values are asked."
    )
    opened.button("Step forward").click()
    assert "Neuron 1" in place.inner_text()
    assert field(opened).count() == 1
    opened.button("Play").click()  # from question to question
    opened.button("Play").wait_for()
    assert field(opened).count() == 1


def test_the_loss_of_a_sample_is_not_called_as_the_loss_of_all(guessing):
    model = MLP(2, [2, 1])
    root = sum((model([float(k), 1.0]) - k) ** 2 for k in range(3))
    walk = steps(root)
    place = next(k for k, s in enumerate(walk) if s.question and s.question.value == "loss#3")
    opened, _ = guessing(root, f"#step={place + 1}&open=loss")
    said = opened.page.locator(".mgs-say").inner_text()
    loss = "\N{SCRIPT SMALL L}"
    assert said.endswith(
        f"What is \N{PARTIAL DIFFERENTIAL}{loss}/\N{PARTIAL DIFFERENTIAL}{loss}#3 now?"
    )


TYPED = [
    "0", "-0.0", "1", "+3", "+-3", "--1", ".5", "5.", "-.5E-3", "1/0", "0/5", "3 / 4", " 2 ", "1_0",
    "\N{MINUS SIGN}2", "1,5", "1,5,0", "1e999", "nan", "inf", "0x10", "٣", "",
]  # fmt: skip


def test_the_page_judges_as_python_does(browser):
    """On each step, with the numbers that the mistakes give, and with what else may be typed."""
    cases, expected = [], []
    for stepper in map(steps, (each_kind(), small()[1])):
        table = guess_data(stepper)
        for step in stepper:
            if step.question is None:
                continue
            asked = step.question._asked
            row = {
                **vars(asked),
                "local": asked.local,
                "op": table["ops"][table["of"][step.row.node]],
            }
            wrong = [number for number, _ in _wrong_numbers(asked, local=False)]
            near = [f"{x * by:.{digits}g}" for x in (*wrong, asked.after) for by, digits in SHOWN]
            for text in TYPED + near:
                for local in (False, True):
                    cases.append([row, text, local])
                    expected.append(list(judged(asked, text, local)))
    files = (STATIC / name for name in ("base.js", "numbers.js", "guess.js"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    page = browser.new_page()
    found = page.evaluate(
        f"([G, cases]) => {{ const PARTS = []; {code}\n"
        "return cases.map(([asked, text, local]) => guessJudged(G, asked, text, local)); }",
        [guess_table(), cases],
    )
    page.close()
    assert len(found) > 5000
    rows = zip(cases, found, expected, strict=True)
    assert [(case[1:], ours, python) for case, ours, python in rows if ours != python] == []


IN_A_NOTEBOOK = """async ([code, data]) => {
  const address = URL.createObjectURL(new Blob([code], {type: "text/javascript"}));
  const view = (await import(address)).default;
  const values = window.values = {data, step: 0, theme: "light", error: "", answers: []};
  const model = {get: key => values[key], set(key, value) { values[key] = value; },
    save_changes() { values.saved = values.answers.length; }, on() {}, off() {}};
  document.body.innerHTML = "<button>before</button><div id=here></div>";
  document.querySelector("button").focus();
  view.render({model, el: document.getElementById("here")});
}"""


def test_the_widget_keeps_each_answer_in_its_trait(browser):
    page = browser.new_page()
    page.goto("about:blank")
    stepper = steps(3.0 * Value(2.0, label="l").log(), guess=True)
    page.evaluate(IN_A_NOTEBOOK, [html.script(), page_data(stepper)])
    question = stepper.find("l").question
    page.get_by_label("Step", exact=True).fill(str(question.index))
    assert page.evaluate("document.activeElement.dataset.asks ?? ''") == "now"
    for typed in ("x", "3", "1.5"):
        page.locator("[data-asks=now]").fill(typed)
        page.keyboard.press("Enter")
    assert page.evaluate("values.answers") == [question.row("3"), question.row("1.5")]
    assert page.evaluate("values.saved") == 2
    page.close()
