"""A folded graph in a real browser, and leaves that are edited there."""

import pytest
from browser import keep_screenshot
from stepper_page import INSIDE, Opened, on_the_page

from micrograd import steps

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("drawn_by_hand")]


def folded_loss(samples=4):
    from random import Random

    from micrograd.losses import hinge
    from micrograd.nn import MLP

    source = Random(1337)
    model = MLP(2, [4, 1], rng=source)
    points = [[source.uniform(-1, 1) for _ in range(2)] for _ in range(samples)]
    loss = hinge([model(point) for point in points], [1 - 2 * (i % 2) for i in range(samples)])
    loss.label = "loss"
    return loss


WALK = """both => {
  const find = part => document.querySelector(part), wrong = [], terms = new Set();
  const next = find('[aria-label="Step forward"]');
  const pane = find(".mgs-view").getBoundingClientRect();
  while (true) {
    const place = find(".mgs-count").textContent;
    if (place === "update") return [wrong, [...terms].sort()];
    const chain = find(".mgs-tiles").children.length > 0;
    for (const part of chain && both ? [".node.to", ".node.from"] : [".node.to"])
      if (document.querySelectorAll(part).length !== 1) wrong.push([place, part]);
    const card = find(".node.to .box").getBoundingClientRect();
    const inside = card.left >= pane.left - 4 && card.right <= pane.right + 4;
    if (!inside || card.top < pane.top - 4 || card.bottom > pane.bottom + 4) wrong.push([place]);
    terms.add(find(".mgs-fold select").value);
    next.click();
  }
}"""


@pytest.mark.parametrize("width", [1000, 400])
def test_a_folded_graph_shows_what_each_step_is_about(opened, width):
    stepper = steps(folded_loss())
    page = opened(folded_loss(), viewport={"width": width, "height": 900})
    typeset = stepper.words.called.typeset
    assert page.page.locator(".node").count() < 30 < len(stepper.nodes)
    # On a phone the two cards of a step may stand too far apart: it shows the one that receives.
    assert page.page.evaluate(WALK, width == 1000) == [[], ["0", "1", "2", "3"]]
    # A term is chosen: the page goes to where its gradient is final, on the way there to its value.
    terms = page.page.get_by_label("Which of the like terms of v81 is shown")
    losses = stepper.nodes[81].parents
    terms.select_option("2 of 4")
    assert page.said == on_the_page(typeset(stepper.find(losses[1]).text))
    page.button("First step").click()
    terms.select_option("3 of 4")
    wanted = next(step for step in stepper if step.node is losses[2])
    assert page.said == on_the_page(typeset(wanted.text))
    assert terms.input_value() == "2"
    keep_screenshot(page.page, f"page_folded_{width}")


def test_a_weighted_sum_opens_when_it_is_selected(opened):
    stepper = steps(folded_loss())
    page = opened(folded_loss())
    # The last step of the first sample's forward pass: its four hidden neurons are closed.
    page.page.get_by_role("slider", name="Step").fill(str(stepper.forward_count))
    page.button("Fit the whole graph").click()
    inputs = page.page.locator(".bundle text").all_text_contents()
    assert inputs == ["5 inputs"] * 4 + ["9 inputs"]
    cards = page.page.locator(".node").count()
    page.button("Step forward").focus()
    for _ in range(60):  # the arrow keys pick what is shown, never what is folded away
        page.press("ArrowDown")
        assert page.page.locator(".node.sel").count() == 1
        if len(page.page.locator(".bundle").all()) == 4:
            break
    assert page.page.locator(".node").count() > cards  # its parameters are there
    page.press("Escape")
    page.button("Fit the whole graph").click()
    assert page.page.locator(".bundle").count() == 5


NOTEBOOK = """
const values = { data: await pageData(),
  step: 0, theme: "auto", editable: true, error: "", changes: {}, live: false };
const heard = {};
window.model = {
  get: key => values[key], set(key, value) { values[key] = value; }, save_changes() {},
  on(event, f) { (heard[event] ??= new Set()).add(f); }, off(event, f) { heard[event]?.delete(f); },
  fire(key, value) { values[key] = value; for (const f of [...heard["change:" + key]]) f(); },
};
render({ model, el: document.getElementById("mgs") });
"""


@pytest.fixture
def editable(browser, tmp_path):
    """The page with a model as a notebook gives it, whose Python side is the test."""
    from micrograd.stepper.page import page_data
    from micrograd.stepper.page.html import LAST_LINE, document, script, styles

    pages = []

    def open_page(root, **options):
        code = script().removesuffix(LAST_LINE) + NOTEBOOK
        path = tmp_path / f"notebook{len(pages)}.html"
        data = page_data(steps(root)) | {"live": {"why": "Change a number in Python."}}
        text = document("lesson", code, styles(), data, "")
        path.write_text(text, encoding="utf-8")
        pages.append(Opened(browser, path, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def fresh_data(root, edits=1):
    from micrograd.stepper.page import page_data

    found = page_data(steps(root))
    found["nodes"][0]["text"] = "0.625"
    return {**found, "edits": edits, "live": {"why": "Change a number in Python."}}


def test_a_leaf_is_edited_where_it_stands_also_if_it_is_folded_away(editable):
    page = editable(folded_loss())
    page.button("Step forward").focus()
    page.press("ArrowDown")
    chosen = page.page.locator(".node.sel title").text_content()
    page.button("Last step").focus()
    page.press("Enter")
    page.page.get_by_label("Which of the like terms").select_option("2 of 4")
    assert page.page.locator(".node.sel").count() == 0  # another term, another open neuron
    page.button("Step forward").focus()
    page.press("e")
    field = page.page.locator(".mgs-view input")
    box, card = field.bounding_box(), page.page.locator(".node.sel").bounding_box()
    assert page.page.locator(".node.sel title").text_content() == chosen
    assert card["x"] <= box["x"] <= card["x"] + card["width"]
    assert card["y"] <= box["y"] <= card["y"] + card["height"]
    assert page.page.locator(".mgs-view").evaluate("e => [e.scrollLeft, e.scrollTop]") == [0, 0]
    page.button("Step forward").click()  # a step closes it
    assert field.count() == 0


def test_an_answered_edit_keeps_the_focus_and_shows_the_number(editable):
    root = folded_loss()
    page = editable(root)
    page.button("Step forward").focus()
    page.press("ArrowDown")
    card = page.page.locator(".node.sel")
    card.focus()
    page.press("e")
    page.page.get_by_label("New value of").fill("0,625")
    page.press("Enter")
    assert page.page.evaluate("model.get('edit').text") == "0.625"
    page.page.evaluate("data => model.fire('data', data)", fresh_data(root))
    assert "0.625" in page.page.locator(".num.d").all_text_contents()
    assert page.page.evaluate(INSIDE)
    page.press("ArrowRight")
    assert page.place.startswith("2 /")
    # A button that has the focus keeps it, and the term that was chosen is still shown.
    terms = page.page.get_by_label("Which of the like terms")
    terms.select_option("4 of 4")
    page.button("Step back").focus()
    page.page.evaluate("data => model.fire('data', data)", fresh_data(root, 2))
    assert page.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Step back"
    assert terms.input_value() == "3"
