"""The page opened from disk in a real browser: no server, no network."""

import time

import pytest
from browser import keep_screenshot
from graphs import guide_graph
from stepper_page import INSIDE, on_the_page

from micrograd import Value, steps

pytestmark = pytest.mark.browser


def test_every_step_shows_the_sentence_that_python_says(opened):
    page = opened()
    for step in steps(guide_graph()):
        assert page.said == on_the_page(step.text)
        assert page.place == f"{step.index + 1} / 10"
        page.click("Step forward")
    assert page.button("Step forward").get_attribute("aria-disabled") == "true"
    assert page.place == "update"
    page.click("Step back")
    for step in reversed(steps(guide_graph())):
        assert page.said == on_the_page(step.text)
        page.click("Step back")
    assert page.button("First step").get_attribute("aria-disabled") == "true"


def test_keys_move_through_the_steps(opened):
    page = opened()
    page.page.locator("section").first.click(position={"x": 5, "y": 5})
    page.button("Step forward").focus()
    page.press("End")
    assert page.place == "10 / 10"
    page.press("Home")
    assert page.place == "1 / 10"
    page.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert page.place == "2 / 10"
    page.press("PageDown")
    assert page.place == "4 / 10"  # the seed: L is final
    page.press("PageDown", "PageDown")
    assert page.place == "7 / 10"  # s, then h
    page.press("PageUp")
    assert page.place == "5 / 10"
    assert "That is the first" not in page.said
    page.press("?")
    assert page.page.get_by_text("previous or next final gradient").is_visible()


def test_the_slider_goes_anywhere_and_says_where_it_is(opened):
    page = opened()
    slider = page.page.get_by_role("slider", name="Step")
    slider.focus()
    page.press("End")
    assert page.place == "update"
    page.press("ArrowLeft", "ArrowLeft")
    assert page.place == "9 / 10"
    assert slider.get_attribute("aria-valuetext").startswith("Step 9 of 10. h passes gradient")
    assert page.page.get_by_role("status").get_attribute("aria-live") == "off"
    slider.fill("6")
    assert "That was the last of 2: final." in page.said


def test_play_runs_to_the_end_and_stops(opened):
    page = opened()
    page.page.get_by_label("Speed").select_option("4")
    page.button("Play").click()
    assert page.page.get_by_role("button", name="Pause").is_visible()
    assert page.page.get_by_role("status").get_attribute("aria-live") == "off"
    page.page.get_by_text("10 / 10").wait_for()
    page.button("Play").wait_for()
    assert page.page.get_by_role("status").get_attribute("aria-live") == "polite"


def test_play_with_motion_walks_a_dot_along_the_edge(opened):
    page = opened(reduced_motion="no-preference", fragment="#step=4")
    page.button("Step forward").click()
    page.page.locator(".dot[visibility=visible][cx]").wait_for(state="attached")
    page.page.locator(".dot[visibility=hidden]").wait_for(state="attached")


def test_a_click_on_a_value_goes_to_the_step_that_completes_it(opened):
    page = opened()
    page.node("h = -6").click()
    assert page.place == "7 / 10"
    assert page.page.get_by_role("heading", name="Where h.grad comes from").is_visible()
    page.node("x = 2").click()
    assert page.place == "9 / 10"


def test_arrows_pick_a_value_and_enter_goes_there(opened):
    page = opened(fragment="#step=5")
    page.button("Step forward").focus()
    page.press("ArrowDown", "ArrowDown")
    assert page.page.get_by_role("heading", name="Where w.grad comes from").is_visible()
    page.node("w = -3").focus()
    page.press("Enter")
    assert page.place == "10 / 10"
    page.press("Escape")
    assert page.page.locator(".node.sel").count() == 0


def test_the_ledger_is_a_table_that_fills_up(opened):
    page = opened(fragment="#step=6")
    rows = page.page.get_by_role("row")
    assert rows.all_inner_texts() == [
        "through\tupstream × local\tadds",
        "L\t+1 × 4\t+4",
        "s\tnot yet\t",
        "h.grad\t1 of 2 so far\t+4",
    ]
    page.press("Tab")
    page.button("Step forward").click()
    assert rows.all_inner_texts()[2:] == ["s\t−6 × 1\t−6", "h.grad\tfinal\t−2"]


def test_forward_steps_show_what_is_saved_for_the_backward_pass(opened):
    page = opened(fragment="#step=2")
    assert page.page.get_by_role("heading", name="Saved for the backward pass").is_visible()
    rows = page.page.get_by_role("row")
    assert rows.all_inner_texts() == [
        "of\tlocal derivative\tis",
        "h\t∂h/∂x\t−3",
        "h\t∂h/∂w\t2",
        "s\t∂s/∂h\t1",
        "s\t∂s/∂b\t1",
    ]
    assert page.page.locator("tr.cur").count() == 2
    page.node("h = -6").hover()
    assert rows.all_inner_texts()[1:] == ["h\t∂h/∂x\t−3", "h\t∂h/∂w\t2"]
    page.node("x = 2").hover()
    assert page.page.get_by_text("Nothing: it is not computed from others.").is_visible()


def test_cards_tell_untouched_partial_and_final_apart(opened):
    page = opened(fragment="#step=6")
    labels = [node.get_attribute("aria-label") for node in page.page.locator(".node").all()]
    assert labels == [
        "x, data 2, gradient none yet",
        "w, data −3, gradient none yet",
        "h, data −6, gradient +4, 1 of 2 contributions",
        "b, data 10, gradient none yet",
        "s, data 4, gradient −6, final",
        "L, data −24, gradient +1, final",
    ]
    assert page.page.locator(".chip.part").count() == 1
    assert page.page.locator(".chip.on").count() == 3
    page.button("Step forward").click()
    assert page.page.locator(".tag").text_content() == "+4 − 6 = −2"
    page.button("Step back").click()
    assert page.page.locator(".tag").text_content() == "+1 × 4 = +4"
    page.button("Step forward").click()
    assert page.page.locator(".tick[visibility=visible]").count() == 3


def test_going_back_restores_everything(opened):
    page = opened()

    def state():
        return page.page.locator(".mgs").evaluate(
            "e => [...e.querySelectorAll('.node, .edge, text, td, p, mi, mn')]"
            ".map(n => [n.getAttribute('class'), n.getAttribute('style'), n.textContent].join('|'))"
            ".sort().join('\\n')"
        )

    states = []
    for _ in range(9):
        states.append(state())
        page.button("Step forward").click()
    for before in reversed(states):
        page.button("Step back").click()
        assert state() == before


def test_buttons_stay_where_they_are_from_step_to_step(opened):
    page = opened()
    places = set()
    for _ in range(10):
        box = page.button("Step forward").bounding_box()
        places.add((box["x"], box["y"]))
        page.click("Step forward")
    assert len(places) == 1


@pytest.mark.parametrize("width", [320, 400, 700, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_width_and_theme_fits_without_sideways_scroll(opened, width, scheme):
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme, fragment="#step=7")
    page.page.wait_for_timeout(100)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.page.locator("section").first.get_attribute("data-theme") == scheme
    background = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 24, 31)"}[scheme]
    heights = page.page.locator(".node.to .num.g").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().height)"
    )
    assert min(heights) >= 10
    for part in (".node.to", ".node.from"):  # what the step is about can be seen
        box, pane = (page.page.locator(p).first.bounding_box() for p in (part, ".mgs-view"))
        assert box["x"] >= pane["x"] - 4
        assert box["x"] + box["width"] <= pane["x"] + pane["width"] + 4
    keep_screenshot(page.page, f"page_{width}_{scheme}")


def test_a_window_made_narrow_follows_the_step(opened):
    page = opened(fragment="#step=7")
    assert page.page.locator(".mgs-mini").is_hidden()
    page.page.set_viewport_size({"width": 400, "height": 900})
    page.page.locator(".mgs-mini").wait_for()
    page.page.set_viewport_size({"width": 1000, "height": 900})
    page.page.locator(".mgs-mini").wait_for(state="hidden")


def test_the_theme_of_the_address_wins(opened):
    page = opened(fragment="#theme=dark", color_scheme="light")
    assert page.page.locator("section").first.get_attribute("data-theme") == "dark"


def test_zoom_and_pan_move_the_view_and_zero_fits_it(opened):
    page = opened()
    svg = page.page.locator(".mgs-view > svg")
    whole = svg.get_attribute("viewBox")
    page.button("Zoom in").click()
    closer = svg.get_attribute("viewBox")
    assert float(closer.split()[2]) < float(whole.split()[2])
    box = svg.bounding_box()
    page.page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 12)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 120, box["y"] + box["height"] - 42)
    page.page.mouse.up()
    assert svg.get_attribute("viewBox") != closer
    page.button("Step forward").focus()
    page.press("0")
    assert svg.get_attribute("viewBox") == whole
    page.page.mouse.wheel(0, 200)  # a bare wheel scrolls the page
    assert svg.get_attribute("viewBox") == whole


def test_labels_with_markup_are_text(opened):
    first = Value(1.0, label="<img src=x onerror=alert(1)>")
    second = Value(2.5, label="</script><script>alert(2)</script>")
    root = (first * second + first).tanh()
    root.label = "'\"><svg onload=alert(3)>&amp;"
    page = opened(root)
    for _ in range(len(steps(root)) - 1):
        page.click("Step forward")
    assert page.page.locator("img, script:not([type])").count() == 0
    assert "<img src=x onerror=alert(1)>" in page.said
    title = page.page.get_by_role("heading", level=2).inner_text()
    assert title.startswith("'\"><svg onload=alert(3)>&amp; = ")
    keep_screenshot(page.page, "page_hostile")


def test_the_policy_forbids_the_network(opened):
    page = opened()
    policy = page.page.locator("meta[http-equiv]").get_attribute("content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    blocked = page.page.evaluate(
        "new Promise(done => { document.addEventListener('securitypolicyviolation', "
        "e => done(e.violatedDirective)); const i = new Image(); i.src = 'https://example.org/a.png';"
        " document.body.append(i); })"
    )
    page.page.wait_for_timeout(500)  # the console says so too, in Firefox later
    assert blocked == "img-src"
    page.messages.clear()
    del page.requests[1:]


def test_a_broken_rule_is_marked_and_its_right_value_named(opened):
    page = opened(broken="assign", fragment="#step=7")
    assert page.page.get_by_text("Broken on purpose: = instead of +=").is_visible()
    assert page.said.endswith("It is now −6; −2 would be correct.")
    assert page.page.locator(".num.bad").text_content() == "−6!"
    assert page.page.get_by_text("−2 would be correct.", exact=True).is_visible()
    keep_screenshot(page.page, "page_assign")


def test_a_second_pass_keeps_what_the_leaves_hold(opened):
    page = opened(broken="no_zero_grad", fragment="#step=11")
    labels = page.page.locator(".node").evaluate_all(
        "all => all.map(n => n.getAttribute('aria-label'))"
    )
    assert "x, data 2, gradient +6, left over" in labels
    assert "h, data −6, gradient none yet" in labels
    page.button("Last step").click()
    assert "−4 would be correct" in page.said


def test_every_control_has_a_name(opened):
    page = opened()
    snapshot = page.page.locator(".mgs").aria_snapshot()
    for part in (
        'region "Back-propagation, step by step"',
        'group "View"',
        'group "Computation graph, 6 values"',
        'group "Playback"',
        'button "Step forward"',
        'slider "Step"',
        'combobox "Speed"',
        "status",
        'columnheader "local derivative"',
    ):
        assert part in snapshot, snapshot
    assert page.page.locator(".node[tabindex='0']").count() == 1


def test_the_paths_of_a_gradient_are_listed_and_lit(opened):
    page = opened(fragment="#step=7")
    page.button("One row a path").click()
    page.node("x = 2").click()
    table = page.page.locator(".mgs-paths")
    assert [row.split("\t") for row in table.inner_text().splitlines() if row.strip()] == [
        ["path", "local derivatives", "product"],
        ["L ← s ← h ← x", "(−6) × 1 × (−3) =", "+18"],
        ["L ← h ← x", "4 × (−3) =", "−12"],
        ["x.grad", "sum over 2 paths", "+6"],
    ]
    faint = "all => all.filter(e => getComputedStyle(e).opacity === '0.3').length"
    rows = table.locator("tbody tr")
    rows.nth(1).hover()
    on = page.page.locator(".node[data-on]")
    assert on.evaluate_all("all => all.map(n => n.getAttribute('aria-label')[0])") == [
        "x", "h", "L",
    ]  # fmt: skip
    assert page.page.locator(".node").evaluate_all(faint) == 3
    assert page.page.locator(".halo[data-on]").count() == 2
    rows.nth(0).focus()
    assert on.count() == 4
    page.press("ArrowLeft")  # the row keeps the focus, and the path its light
    assert page.place == "8 / 10"
    assert on.count() == 4
    keep_screenshot(page.page, "page_paths")
    page.button("One row a step").click()
    page.page.mouse.move(5, 5)
    assert on.count() == 0
    assert page.page.locator(".node, .edge, .op").evaluate_all(faint) == 0
    page.press("p")
    assert page.button("One row a path").get_attribute("aria-pressed") == "true"


@pytest.mark.usefixtures("drawn_by_hand")
def test_the_keys_work_on_where_the_focused_card_leaves_the_window(opened):
    from random import Random

    from micrograd.losses import hinge
    from micrograd.nn import MLP

    model = MLP(2, [6, 6, 6, 1], rng=Random(1))
    root = hinge([model([0.1 * i, 0.5]) for i in range(3)], [1, -1, 1])
    page = opened(root)
    page.button("Step forward").focus()
    page.press("End")
    last = int(page.place.split("/")[0])
    page.page.locator(".node").last.focus()
    for k in range(1, 60):
        page.press("ArrowLeft")
        assert page.place.startswith(f"{last - k} /")
        assert page.page.evaluate(INSIDE)


def test_the_keys_work_on_in_the_table_of_paths(opened):
    page = opened()
    page.button("Step forward").focus()
    page.press("End", "p")
    row = page.page.locator(".mgs-paths tbody tr").first
    row.focus()
    for place in ("9 / 10", "8 / 10", "7 / 10"):
        page.press("ArrowLeft")
        assert page.place == place
        assert page.page.evaluate(INSIDE)
    page.press("p")
    assert page.button("One row a path").get_attribute("aria-pressed") == "false"
    page.press("p")
    assert page.button("One row a path").get_attribute("aria-pressed") == "true"
    # The mouse passes over another row: the one with the focus is lit again.
    page.press("End")
    page.node("x = 2").click()
    rows = page.page.locator(".mgs-paths tbody tr")
    rows.nth(0).focus()
    rows.nth(1).hover()
    assert page.page.locator(".node[data-on]").count() == 3
    page.page.mouse.move(5, 5)
    assert page.page.locator(".node[data-on]").count() == 4


def test_a_long_level_line_hangs_below_the_cards_between(opened):
    losses = [(Value(0.1 * i, label=f"a{i}") * float(i) + 1).tanh().relu() for i in range(1, 15)]
    root = losses[0]
    for loss in losses[1:]:
        root = root + loss
    assert len(steps(root).nodes) > 60
    page = opened(root)
    page.button("Last step").click()
    hung = 0
    for _ in range(60):
        page.press("ArrowLeft")
        halo, cards = page.page.evaluate(
            """() => {
              const points = [...document.querySelectorAll(".halo")].flatMap(line => {
                const at = t => line.getPointAtLength(line.getTotalLength() * t);
                const level = Math.abs(at(0).y - at(1).y) < 60 && at(1).x - at(0).x > 180;
                return level ? [.3, .5, .7].map(t => [at(t).x, at(t).y]) : [];
              });
              const others = [...document.querySelectorAll(".node:not(.to):not(.from)")];
              return [points, others.map(n => n.transform.baseVal[0].matrix).map(m => [m.e, m.f])];
            }"""
        )
        hung += len(halo)
        for x, y in halo:
            assert not [c for c in cards if c[0] < x < c[0] + 112 and c[1] < y < c[1] + 64]
    assert hung


@pytest.mark.usefixtures("drawn_by_hand")
def test_a_thousand_values_open_and_step_in_time(opened):
    from random import Random

    from micrograd.losses import hinge
    from micrograd.nn import MLP

    source = Random(1337)
    model = MLP(2, [16, 16, 1], rng=source)
    points = [[source.uniform(-1, 1) for _ in range(2)] for _ in range(8)]
    loss = hinge([model(point) for point in points], [1, -1] * 4)
    loss.label = "loss"
    start = time.perf_counter()
    page = opened(loss, fragment="#step=800")
    assert time.perf_counter() - start < 60
    times = page.page.evaluate(
        """() => [...Array(30)].map(() => {
          const start = performance.now();
          document.querySelector('[aria-label="Step forward"]').click();
          return performance.now() - start;
        }).sort((a, b) => a - b)"""
    )
    assert page.place == "830 / 5981"
    assert times[15] < 250  # 50 is aimed at and measured apart; a shared machine is slower
    keep_screenshot(page.page, "page_thousand")


def test_the_frame_of_a_saved_notebook_runs_without_network_and_cannot_reach_the_page(
    browser, tmp_path
):
    path = tmp_path / "notebook.html"
    frame = steps(guide_graph()).page()._repr_html_()
    path.write_text(f"<!DOCTYPE html><title>outer</title>{frame}", encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": 900, "height": 800})
    page = context.new_page()
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(path.as_uri())
    inside = page.frame_locator("iframe")
    inside.get_by_role("button", name="Last step", exact=True).click()
    assert "the same as backward()" in inside.get_by_role("status").inner_text()
    keep_screenshot(page, "frame")
    assert messages == []
    context.close()
