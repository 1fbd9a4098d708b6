"""Updates on the page: the parameters of `optim`, what is said, and what is undone."""

import pytest
from browser import keep_screenshot, launched

from micrograd import Value, steps
from micrograd.losses import cross_entropy
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam, AdamW, linear
from micrograd.stepper.page import page_data
from micrograd.stepper.page.html import LAST_LINE, script, styles
from micrograd.train import fit

pytestmark = pytest.mark.browser
INPUT, RIGHT = [0.5, -1.0], 0
# Mounts a page as a notebook does, and keeps the host that its parts are given.
MOUNT = """data => {
  globalThis.leave?.();
  const model = pageModel({ data, step: 0, theme: "light", editable: true, error: "" });
  globalThis.leave = render({ model, el: document.querySelector("main") });
}"""
PARAMETERS = "places => places.map(i => host.live.value(i))"
SAYS = "() => host.D.steps.at(-1).say"


def network():
    """Return a network with fixed numbers and its loss of one sample."""
    model = MLP(2, [2, 2], activation="sigmoid")
    for k, p in enumerate(model.parameters()):
        p.data = round((k * 0.37) % 1.9 - 0.9, 2)
    return model


def loss_of(model):
    return cross_entropy([model(INPUT)], [RIGHT])


class Page:
    """A page with the script of the stepper, which shows one stepper after the other."""

    def __init__(self, browser):
        self.page = browser.new_page(viewport={"width": 1366, "height": 768})
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.set_content("<main></main>")
        self.page.add_style_tag(content=styles())
        code = script().removesuffix(LAST_LINE)
        kept = "PARTS.push(host => { globalThis.host = host; });"
        self.page.add_script_tag(content=f"{code}\n{kept}")

    def show(self, stepper):
        self.page.evaluate(MOUNT, page_data(stepper))
        self.page.keyboard.press("Tab")
        self.page.evaluate("() => document.querySelector('.mgs button').focus()")
        self.page.keyboard.press("u")

    def button(self, name):
        return self.page.locator(".mgs-update").get_by_role("button", name=name, exact=True)

    def choose(self, optimizer, lr=None):
        self.page.get_by_label("Optimizer").select_option(label=optimizer)
        if lr is not None:
            field = self.page.get_by_label("Learning rate", exact=True)
            field.fill(str(lr))
            field.press("Enter")

    def press(self, name, count):
        """Press a button; wait until so many updates are made in all."""
        self.button(name).click()
        self.page.wait_for_function("n => host.kept.update.count === n", arg=count)
        self.page.wait_for_function(
            "() => document.querySelector('.mgs-update button').ariaDisabled === 'false'"
        )

    def parameters(self, stepper, values):
        return self.page.evaluate(PARAMETERS, [stepper.place(value) for value in values])

    @property
    def said(self):
        return self.page.evaluate(SAYS)

    def rows(self):
        return [
            [cell.inner_text().replace("\n", "") for cell in row.locator("th, td:visible").all()]
            for row in self.page.locator(".mgs-scroll tbody tr").all()
        ]


@pytest.fixture(scope="module")
def shown():
    with launched() as browser:
        page = Page(browser)
        yield page
        assert page.errors == []


def far(found, wanted):
    """Return the largest difference between two lists of numbers."""
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True))


def trained(make, count, zero=True):
    """Return the parameters after so many steps of an optimizer, and those that `fit` gives."""
    model, twin = network(), network()
    optimizer = make(model.parameters())
    for _ in range(count):
        if zero:
            optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
    if zero:
        fit(twin, [INPUT], [RIGHT], "cross_entropy", make(twin.parameters()), steps=count)
        assert (
            far([p.data for p in twin.parameters()], [p.data for p in model.parameters()]) < 1e-12
        )
    return [p.data for p in model.parameters()]


CHOICES = {
    "SGD": lambda ps: SGD(ps, 0.5),
    "SGD, momentum 0.9": lambda ps: SGD(ps, 0.5, momentum=0.9),
    "Adam": lambda ps: Adam(ps, 0.5),
}


def test_two_hundred_updates_give_the_parameters_of_fit(shown):
    for name, make in CHOICES.items():
        model = network()
        stepper = steps(loss_of(model))
        shown.show(stepper)
        shown.choose(name, 0.5)
        shown.press("100 updates", 100)
        shown.press("100 updates", 200)
        found = shown.parameters(stepper, model.parameters())
        assert far(found, trained(make, 200)) < 1e-12, name


def test_without_zero_grad_the_gradients_add_up(shown):
    for name, make in CHOICES.items():
        model = network()
        stepper = steps(loss_of(model))
        shown.show(stepper)
        shown.choose(name, 0.5)
        shown.page.get_by_label("zero_grad first").uncheck()
        shown.press("Update", 1)
        shown.press("10 updates", 11)
        found = shown.parameters(stepper, model.parameters())
        assert far(found, trained(make, 11, zero=False)) < 1e-12, name
        assert all(row[2].endswith("!") for row in shown.rows())
        assert "zero_grad was left out" in shown.page.locator(".mgs-update .mgs-note").inner_text()


@pytest.mark.parametrize(
    "make",
    [
        lambda ps: AdamW(ps, 0.1, betas=(0.5, 0.75), weight_decay=0.1, decayed=ps[:3]),
        lambda ps: Adam(ps, linear(0.2, 0.2, 2), weight_decay=0.2),
        lambda ps: SGD(ps, 0.3, momentum=0.8, nesterov=True, weight_decay=0.1),
        lambda ps: SGD(ps, 0.3, weight_decay=0.1, l1=0.05, decayed=ps[1:]),
        lambda ps: AdamW(ps, 0.1, l1=0.3),
    ],
)
def test_an_optimizer_that_is_given_goes_on_from_its_state(shown, make):
    model = network()
    frozen, *held = model.parameters()
    optimizer = make(held)

    def step():
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()

    step()
    stepper = steps(loss_of(model), optimizer=optimizer)
    shown.show(stepper)
    coming = {stepper.nodes[change.node]: change for change in stepper.changes}
    shown.press("Update", 1)
    first = shown.parameters(stepper, held)
    assert far(first, [coming[p].after for p in held]) < 1e-12
    shown.press("10 updates", 11)
    found = shown.parameters(stepper, [frozen, *held])
    for _ in range(11):
        step()
    assert far(found, [p.data for p in model.parameters()]) < 1e-12


def test_what_is_said_undone_and_walked_again(shown):
    model = network()
    stepper = steps(loss_of(model))
    shown.show(stepper)
    page, (root, parameters) = shown.page, (stepper.root.data, model.parameters())
    assert shown.said.startswith("The gradient is used now: each parameter moves a little against")
    assert [row[0] for row in shown.rows()][:2] == ["w(1)1,1", "w(1)1,2"]
    change = steps(loss_of(model), optimizer=SGD(parameters, 0.1)).changes[0]
    numbers = [float(text.replace("\N{MINUS SIGN}", "-")) for text in shown.rows()[0][1:]]
    wanted = [change.before, change.grad, change.moved, change.after]
    assert far(numbers, wanted) < 1e-4
    assert shown.button("Undo").get_attribute("aria-disabled") == "true"
    shown.press("Update", 1)
    wanted = steps(loss_of(model), optimizer=SGD(parameters, 0.1)).updated
    assert shown.said.replace("\N{SCRIPT SMALL L}", "loss") == wanted
    after = shown.parameters(stepper, parameters)
    shown.press("10 updates", 11)
    assert shown.said.startswith("10 updates: \N{SCRIPT SMALL L} went from ")
    assert page.locator(".mgs-spark").count() == 1
    keep_screenshot(page, "update_1366")
    shown.button("Undo").click()
    assert shown.parameters(stepper, parameters) == after
    shown.button("Undo").click()
    assert shown.parameters(stepper, parameters) == [p.data for p in parameters]
    assert page.evaluate("() => host.live.value(host.root)") == root
    shown.press("Update", 1)
    shown.button("Walk again").click()
    assert page.evaluate("() => host.k()") < 3
    assert shown.parameters(stepper, parameters) == after
    page.keyboard.press("End")
    page.keyboard.press("End")
    assert page.evaluate("() => host.k()") == len(stepper)
    assert page.locator(".mgn-strip").get_attribute("aria-valuetext") == "Update"
    page.get_by_role("button", name="Back to the original").click()
    assert page.locator(".mgs-say").inner_text().startswith("The gradient is used now")
    page.keyboard.press("Home")
    page.get_by_role("tab", name="Curve").click()
    page.keyboard.press("u")
    assert shown.button("Update").is_visible()


def test_a_rate_that_is_too_high_is_seen_and_stops_where_no_number_is_left(shown):
    x, w, b = Value(2.0, label="x"), Value(-1.0, label="w"), Value(0.5, label="b")
    out = w * x + b
    out.label = "out"
    loss = (out - 1) ** 2
    loss.label = "loss"
    stepper = steps(loss)
    shown.show(stepper)
    shown.press("100 updates", 100)
    learnt = [(v.data, place) for v, place in ((w, "w"), (b, "b"))]
    assert shown.page.evaluate("() => host.live.value(host.root)") < 1e-20  # the neuron has learnt
    shown.button("Undo").click()
    field = shown.page.get_by_label("Learning rate", exact=True)
    field.fill("-1")
    field.press("Enter")
    shown.page.get_by_role("alert").wait_for()
    shown.page.keyboard.press("Escape")
    shown.page.get_by_role("button", name="Step back").click()
    assert not shown.page.get_by_role("alert").is_visible()
    shown.page.keyboard.press("u")
    field.fill("0")
    field.press("Enter")
    alert = shown.page.get_by_role("alert")
    assert alert.inner_text() == "The learning rate must be above 0."
    assert field.input_value() == "0.1"
    shown.choose("SGD", 0.9)
    assert not alert.is_visible()
    shown.press("10 updates", 10)
    assert shown.said.endswith(" loss grows: the steps are too long.")
    count, losses = 10, 0
    while not losses:
        shown.button("100 updates").click()
        shown.page.wait_for_function(
            "n => host.kept.update.count === n + 100 || host.kept.update.stopped", arg=count
        )
        count += 100
        losses = shown.page.evaluate("() => host.kept.update.stopped.length")
    assert "The next update is not made, for loss would have no number: " in shown.said
    assert shown.said.endswith("The steps are too long.")
    assert 0 < float(shown.page.locator(".mgs-spark circle").get_attribute("cy")) < 46
    kept = shown.parameters(stepper, [w, b])
    assert all(abs(number) < 1e200 for number in kept)
    assert [v.data for v in (w, b)] == [number for number, _ in learnt]  # Python's stay


def test_where_no_leaf_is_a_parameter_all_of_them_move(shown):
    a, c = Value(2.0, label="a"), Value(-3.0, label="c")
    stepper = steps(a * c)
    shown.show(stepper)
    note = shown.page.locator(".mgs-update .mgs-note")
    assert note.inner_text().endswith("No leaf is marked as a parameter: all of them move.")
    shown.press("Update", 1)
    assert shown.parameters(stepper, [a, c]) == [2.0 + 0.1 * 3.0, -3.0 - 0.1 * 2.0]


def test_a_page_that_cannot_compute_has_no_update():
    made = Value(6.0, (Value(2.0, label="a"),), (3.0,))  # by hand: no rule
    assert page_data(steps(made))["update"] is None
