"""The lens in a real browser: networks at every size, and what a reader can find in them."""

import random
import re
from pathlib import Path

import pytest
from browser import keep_screenshot
from networks import small
from screen import measured
from stepper_page import INSIDE, TWO_FRAMES, Opened, on_the_page

from micrograd import Value, steps
from micrograd.losses import cross_entropy, l2, mse
from micrograd.nn import MLP, Embedding, Layer, Neuron

pytestmark = pytest.mark.browser

FAULTS = Path(__file__).with_name("faults.js").read_text(encoding="utf-8")


def deep(samples):
    draw = random.Random(samples)
    model = MLP(2, [16, 16, 1], activation="tanh", rng=random.Random(1))
    rows = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(samples)]
    return model, mse([model(row) for row in rows], [draw.choice([-1, 1]) for _ in rows])


def digit():
    draw = random.Random(3)
    model = MLP(64, [32, 10], activation="relu", rng=draw)
    return model, cross_entropy([model([round(draw.random(), 2) for _ in range(64)])], [3])


def atomic():
    model = MLP(3, [2, 1], activation="tanh", atomic=True, rng=random.Random(2))
    return model, mse([model([1.0, -2.0, 0.5]), model([0.5, 1.0, -1.0])], [1, -1])


def stack():
    model = MLP(4, [5, 3, 4, 2], activation="relu", rng=random.Random(4))
    return model, cross_entropy([model([1.0, -2.0, 0.5, 3.0])], [1])


def recurrent():
    """Return a layer that takes its own output twice, on two sequences."""
    layer, last = (
        Layer(3, 2, activation="tanh", rng=random.Random(5)),
        Neuron(2, activation="linear", rng=random.Random(6)),
    )

    def answer(sequence):
        state = [0.0, 0.0]
        for x in sequence:
            state = layer([x, *state])
        return last(state)

    return layer, mse([answer([0.5, -1.0, 0.2]), answer([1.0, 0.25, 0.3])], [1, -1])


NETWORKS = {
    "2-2-2": small,
    "2-16-16-1": lambda: deep(1),
    "ten samples": lambda: deep(10),
    "64-32-10": digit,
    "atomic": atomic,
    "deep": stack,
    "recurrent": recurrent,
}
SIZES = [320, 400, 560, 700, 840, 1000, 1366, 1600]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Write each page once."""
    folder, pages = tmp_path_factory.mktemp("lens"), {}

    def page(name):
        if name not in pages:
            model, loss = NETWORKS[name]()
            stepper = steps(loss)
            path = stepper.to_html(folder / f"{name.replace(' ', '-')}.html")
            pages[name] = path, stepper
            del model
        return pages[name]

    return page


@pytest.fixture
def lens(browser, written):
    pages = []

    def open_page(name, fragment="", **options):
        pages.append(Opened(browser, written(name)[0], fragment, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def click_strip(page, part):
    box = page.page.locator(".mgn-strip").bounding_box()
    page.page.mouse.click(box["x"] + part * box["width"], box["y"] + 20)


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_overlaps_is_cut_off_or_too_small(lens, name):
    page = lens(name)
    found = {}
    # The smallest network has the tightest places: every size; each of the others, every other one.
    for k, width in enumerate(SIZES if name == "2-2-2" else SIZES[len(name) % 2 :: 2]):
        page.page.set_viewport_size({"width": width, "height": 768})
        page.page.emulate_media(color_scheme="dark" if k % 2 else "light")
        page.page.evaluate(TWO_FRAMES)
        for at in ("first", "middle", "last"):
            page.press("Escape", "Escape", "Home" if at == "first" else "End")
            if at == "middle":
                click_strip(page, 0.62)
            states = {at: page.page.evaluate(FAULTS)}
            keep_screenshot(page.page, f"lens-{name}-{width}-{at}")
            page.press("Enter", "ArrowLeft" if at == "last" else "ArrowRight")
            states[f"{at}, open"] = page.page.evaluate(FAULTS)
            keep_screenshot(page.page, f"lens-{name}-{width}-{at}-open")
            found |= {(width, state): faults for state, faults in states.items() if faults}
    assert found == {}


def test_every_text_stands_out_in_both_themes(lens):
    page = lens("2-2-2")
    found = []
    for width in (400, 1366):
        page.page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.page.emulate_media(color_scheme=scheme)
            for key in ("Home", "End", "Enter", "u"):
                page.press("Escape", "Escape", key)
                page.page.evaluate(TWO_FRAMES)
                found += measured(page.page, places=False)
    assert found == []


def test_the_ring_around_the_loss_covers_no_probability(lens):
    page = lens("2-2-2", "#step=9&open=loss")
    page.press("Tab")
    page.page.locator(".mgn-card.to").focus()
    assert page.page.evaluate(FAULTS) == []


# ---- what a reader finds in it -----------------------------------------------------------------


def card(page, spoken):
    return page.page.get_by_role("button", name=f"{spoken}, ")


def rows(page):
    return page.page.locator(".mgn-detail tbody tr").all_inner_texts()


def test_the_first_screen_says_what_the_network_is_and_what_is_about_to_happen(lens):
    page = lens("2-2-2")
    assert page.page.get_by_role("heading", level=2).inner_text() == (
        "Network of 2 layers: 2 inputs, 2 and 2 neurons"
    )
    assert page.place == "1 / 10 stops"
    assert "forward through the network to the loss, then the gradient goes back" in (
        page.page.locator(".mgn-step").inner_text()
    )
    page.click("Step forward")
    assert "forward through the network" not in page.page.locator(".mgn-step").inner_text()


def test_a_newcomer_finds_what_a_gradient_is_made_of_and_which_step_made_it(lens):
    page = lens("2-2-2")
    weight = card(page, "w, layer 2, to neuron 1 from 2")
    weight.click()
    assert [row.split("\t")[1:] for row in rows(page)] == [["not yet", "", "15"]]
    page.page.get_by_role("button", name="Go to step 15").click()
    assert [row.split("\t")[1:] for row in rows(page)] == [["−0.4359 × 0.2405", "−0.1048", "15"]]
    assert page.place == "15 / 35 steps"
    assert "upstream −0.4359 times local derivative 0.2405" in page.said
    assert page.page.locator(".mgn-tag").inner_text().replace("\xa0", " ") == (
        "−0.4359 × 0.2405 ≈ −0.1048"
    )
    assert "model.layers[1].neurons[0].w[1]" in page.page.locator(".mgn-detail").inner_text()


def test_the_four_numbers_of_a_later_contribution_stand_in_one_row(lens):
    page = lens("2-2-2", "#step=21&open=2.2")
    for width in (400, 1000, 1366):
        page.page.set_viewport_size({"width": width, "height": 768})
        page.page.evaluate(TWO_FRAMES)
        tops = page.page.locator(".mgs-tile").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect().top)"
        )
        assert len(tops) == 4
        assert len(set(tops)) == 1


def test_a_number_is_no_name_in_what_a_gradient_is_made_of(lens):
    page = lens("2-2-2", "#step=13&open=loss")
    page.page.locator(".mgn-card.const").click()
    shown = page.page.locator(".mgn-detail").inner_text()
    assert shown.startswith("Where grad of 0 comes from")
    assert "If the number 0 grows by 0.01" in shown


def test_a_newcomer_finds_what_a_layer_passes_back(lens):
    page = lens("2-2-2")
    segment = page.page.locator(".seg[title='Backward pass, layer 2']").bounding_box()
    page.page.mouse.click(segment["x"] + segment["width"] - 8, segment["y"] + 20)
    rule = page.page.locator(".mgn-rule").filter(has_text="Passed back to layer 1")
    numbers = rule.locator(".mgn-mat").all_inner_texts()
    assert [text.split() for text in numbers] == [
        ["−0.479", "+0.567"],
        ["0.6", "−0.5", "−0.9", "0.4"],
        ["−0.436", "+0.436"],
    ]


def rules(page):
    """Return the equations of the layer's pane, each with its sign, and the note below them."""
    shown = page.page.locator(".mgn-detail .mgn-rule").all_inner_texts()
    return ["".join(text.split()) for text in shown], (
        page.page.locator(".mgn-detail .mgs-note").last.inner_text()
    )


def with_penalty():
    model = MLP(2, [2, 1], activation="tanh", rng=random.Random(7))
    return mse([model([0.1, 0.2])], [1]) + l2(model.parameters(), 0.1)


def with_skip():
    rng = random.Random(7)
    first, second = MLP(2, [2], activation="tanh", rng=rng), MLP(2, [2, 1], rng=rng)
    h = first([0.1, 0.2])
    return (second.layers[1]([a + b for a, b in zip(h, second.layers[0](h), strict=True)]) - 1) ** 2


@pytest.mark.parametrize(("loss", "at", "rule"), [(with_penalty, 0, 2), (with_skip, 2, 3)])
def test_a_rule_is_an_equation_where_a_gradient_has_a_second_source(
    browser, tmp_path, loss, at, rule
):
    page = Opened(browser, steps(loss()).to_html(tmp_path / "page.html"))
    page.press("End", *["ArrowLeft"] * at)
    equations, note = rules(page)
    assert [k for k, text in enumerate(equations) if text.endswith("+…")] == [rule]
    assert "such as a penalty, a skip connection or another use of a weight" in note
    page.close()


@pytest.mark.parametrize(
    ("of", "rule"),
    [
        (lambda loss, outputs: loss, "=p−y"),
        (lambda loss, outputs: 3 * loss, "=3·(p−y)"),
        (lambda loss, outputs: loss + outputs[0] ** 2, "=p−y+…"),
    ],
)
def test_the_rule_of_the_outputs_is_an_equation(browser, tmp_path, of, rule):
    model = MLP(2, [2, 3], activation="tanh", rng=random.Random(7))
    outputs = model([0.1, 0.2])
    loss = of(cross_entropy([outputs], [1]), outputs)
    page = Opened(browser, steps(loss).to_html(tmp_path / "page.html"))
    page.press("End", *["ArrowLeft"] * 5)
    assert page.said.startswith("Backward pass, loss.")
    name = page.page.locator(".mgn-detail .mgn-rule.cur .f").inner_text()
    assert "".join(name.split()) == f"∂ℓ/∂s(2){rule}"
    page.close()


def test_values_that_are_left_out_are_counted(lens):
    page = lens("deep")
    page.press("1", *["ArrowRight"] * 3)  # 4 of the neurons, each with s and x
    note = page.page.locator(".mgn-detail .mgs-note").last
    assert note.inner_text() == "And 1 value before."
    page.press("ArrowRight")
    assert note.inner_text() == "And 3 values before."


def test_a_rule_is_an_equation_where_other_samples_have_added_to_a_gradient(lens):
    page = lens("ten samples")
    page.press("End")
    equations, note = rules(page)
    assert [text.endswith("+…") for text in equations] == [False, False, True, False]
    assert "∂ℓ/∂b(1)=∂ℓ/∂s(1)+…" in equations[1]
    assert note.endswith("+ …: what is added by the other samples so far.")


def test_a_stop_outside_of_the_network_shows_what_is_passed_on_there(browser, tmp_path):
    table, model = Embedding(4, 2), MLP(2, [2, 4], activation="tanh", rng=random.Random(7))
    loss = cross_entropy([model(table(Value(2)))], [0])
    page = Opened(browser, steps(loss).to_html(tmp_path / "page.html"))
    page.press("End")
    assert page.said.startswith("Backward pass, before the network.")
    words = page.page.locator(".mgn-step .mgs-tile > span:nth-of-type(1)").all_inner_texts()
    assert words == ["upstream", "local", "now"]
    numbers = page.page.locator(".mgn-step .mgs-tile b").all_inner_texts()
    assert numbers == [numbers[0], "1", numbers[0]]  # of what was taken
    page.press("Home", "2")
    assert page.page.locator(".mgn-rule.cur").count() == 0
    page.close()


CARDS = """() => [...document.querySelectorAll(".mgn-card")].map(card => [
  card.querySelector(".mgn-nm")?.getAttribute("aria-label") ?? "", card.title,
  [...card.querySelectorAll(".name")].some(e => e.scrollWidth > e.clientWidth + 1),
  [...card.querySelectorAll(".num")].some(e => e.textContent === "\u2026")])"""


@pytest.mark.parametrize("width", [400, 1000, 1366])
def test_a_long_name_of_a_network_gives_way_to_indices_and_numbers(browser, tmp_path, width):
    rng = random.Random(7)
    first, second = (MLP(n, [2, 1], activation="tanh", rng=rng) for n in (2, 1))
    walk = steps(
        (second([first([0.1, 0.2])]) - 3) ** 2,
        labels={"generator": first, "discriminator": second},
    )
    page = Opened(browser, walk.to_html(tmp_path / "page.html"))
    page.page.set_viewport_size({"width": width, "height": 768})
    page.page.evaluate(TWO_FRAMES)
    page.press("End")
    for keys in ([], ["Enter"]):
        page.press(*keys)
        found = page.page.evaluate(CARDS)
        assert any("generator.w" in title for _, title, *_ in found)
        assert [
            title
            for spoken, title, *wrong in found
            if any(wrong) or (not spoken and re.match("(gener|discrimin)ator", title))
        ] == []
        assert page.page.evaluate(FAULTS) == []
    page.press("Escape")
    labels = page.page.locator(".mgn-strip .seg:not([title='more layers']) span").all_inner_texts()
    assert all(re.search(r"L\d|layer|loss|ℓ|Update", text) for text in labels), " | ".join(labels)
    page.close()


def test_keys_go_through_the_network_and_into_a_neuron(lens):
    page = lens("2-2-2")
    page.press("ArrowRight", "ArrowRight")
    assert page.place == "3 / 10 stops"
    page.press("Shift+ArrowRight")
    assert page.place == "5 / 10 stops"  # the loss
    page.press("Shift+ArrowLeft", "ArrowLeft")
    assert page.place == "2 / 10 stops"  # from the start of layer 2 to the end of layer 1
    page.press("Enter")
    assert page.page.locator("[aria-current]").inner_text() == "Neuron 2"
    assert page.place == "3 / 35 steps"
    assert page.page.evaluate(INSIDE)
    page.press("ArrowDown", "ArrowDown")
    assert page.page.locator(".mgn-card.sel").count() == 1
    page.press("Escape")  # from the number to the neuron
    assert page.page.locator(".mgn-card.sel").count() == 0
    page.press("ArrowRight", "ArrowRight")  # past its end the next neuron opens in its place
    crumbs = page.page.locator(".mgn-crumbs").inner_text()
    assert " ".join(crumbs.split()) == "Network › Layer 2 › Neuron 2"
    page.press("Escape")
    assert page.place == "3 / 10 stops"
    assert page.page.evaluate("document.activeElement.ariaLabel") == "Open neuron 2 of layer 2"
    page.press("End", "Home")
    slider = page.page.get_by_role("slider", name="Step")
    assert slider.get_attribute("aria-valuetext") == "Forward pass, layer 1, 1 of 10"
    page.press("2")
    assert "in matrices" in page.page.locator(".mgn-detail h3").inner_text()
    page.press("1")
    assert "Saved for the backward pass" in page.page.locator(".mgn-detail h3").inner_text()


SENTENCE = """() => {
  const copy = document.querySelector(".mgn-step .mgs-say").cloneNode(true);
  for (const name of copy.querySelectorAll(".mgn-nm")) name.replaceWith("#");
  return copy.textContent;
}"""


def test_every_single_step_says_what_python_says(lens, written):
    page, stepper = lens("2-2-2", "#step=1"), written("2-2-2")[1]
    page.press("Enter")
    typeset = stepper.words.called.typeset
    for step in list(stepper)[:: len(stepper) // 6]:
        page.press("Home", *["ArrowRight"] * step.index)
        shown = page.page.evaluate(SENTENCE)
        name = re.compile("[wbsx]⁽[^⁾]*⁾[₀-₉]+(,[₀-₉]+)?")
        assert shown == name.sub("#", on_the_page(typeset(step.text)))


def test_the_shown_sample_can_be_chosen(lens):
    page = lens("ten samples")
    chooser = page.page.get_by_label("Sample", exact=True)
    first = card(page, "input 1").inner_text()
    page.press("]", "]")
    assert chooser.locator("option:checked").inner_text() == "Sample 3 of 10"
    assert card(page, "input 1").inner_text() != first
    chooser.select_option("Sample 1 of 10")
    assert card(page, "input 1").inner_text() == first
    page.press("Home", *["Shift+ArrowRight"] * 4)  # layers 1 to 3, the loss of this sample
    assert page.said.startswith("Forward pass, other samples.")


def test_labels_are_text(browser, tmp_path):
    model, loss = small()
    model.layers[0].neurons[0].w[0].label = '<img src=x onerror="alert(1)">'
    page = Opened(browser, steps(loss).to_html(tmp_path / "page.html"))
    assert page.page.locator("img").count() == 0
    assert page.page.get_by_title("<img").count() > 0
    page.close()


def test_layers_of_several_networks_have_their_own_names(lens):
    page = lens("recurrent", viewport={"width": 1366, "height": 900})
    page.press("End", "Enter")
    assert page.page.locator(".mgn-crumbs").inner_text() == "Network\n›\nNet1 layer 1\n›\nNeuron 1"
    page.press("Escape", "Home", "PageDown")
    head = page.page.get_by_role("heading", name="in matrices")
    assert head.inner_text() == "Net1 layer 2 in matrices"
    assert "= w(1) inputs + b(1)" in re.sub(  # the weights of layer 1, used again
        r"\s+", " ", page.page.locator(".mgn-rule").first.inner_text()
    )
