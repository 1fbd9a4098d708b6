"""The built site, in a browser that reaches no other host: documentation, search, themes, sizes."""

import re
import zlib

import pytest
from browser import keep_screenshot, launched
from built_site import STARTS, built, opened, served

import micrograd
from micrograd.cli.expression import parse
from micrograd.stepper.page.notebook import picture

pytestmark = pytest.mark.browser

# The pages of each kind that are looked at.
KINDS = (
    "index.html", "tour/network.html", "course/03_backpropagation_in_a_network.html",
    "reference/ops/tanh.html", "reference/values/Value.html", "reference/errors.html",
    "reference/losses/losses.Loss.html",  # before the longest of all names
    "how/machine-code.html", "benchmarks.html", "project/contributing.html", "licences.html",
)  # fmt: skip
# Texts that a box cuts off or the window, and numbers apart from their unit.
TORN = """() => {
  const torn = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange(), clips = e => getComputedStyle(e).overflowX !== "visible";
  for (let text; (text = texts.nextNode());) {
    if (!text.data.trim() || text.parentElement.closest("svg, mjx-container, .sr-only, .visually-hidden")) continue;
    range.selectNodeContents(text);
    const boxes = [...range.getClientRects()], right = Math.max(...boxes.map(box => box.right));
    let box = text.parentElement;
    while (box !== document.documentElement && !clips(box)) box = box.parentElement;
    const { left, right: end, width } = box.getBoundingClientRect();
    const scrolls = /auto|scroll/.test(getComputedStyle(box).overflowX);
    if (boxes.length && width > 1 && !scrolls && (right > end + 1 || boxes.some(box => box.left < left - 1))) torn.push(text.data);
    for (const found of text.data.matchAll(/\\d [nµm]?s\\b|\\d [kM]B/g)) {
      range.setStart(text, found.index); range.setEnd(text, found.index + found[0].length);
      if (new Set([...range.getClientRects()].filter(box => box.width).map(box => box.top)).size > 1) torn.push(found[0]);
    }
  }
  return torn;
}"""  # noqa: E501


@pytest.fixture(scope="module")
def folder():
    """The folder that holds the site under `micrograd/`: .ci/run builds it and names it."""
    return built()


@pytest.fixture(scope="module")
def address(folder):
    """The address of the site, under a path, as on a server that holds others too."""
    with served(folder) as found:
        yield found


@pytest.fixture(scope="module")
def browser(folder):  # without a site, that is why nothing here runs
    with launched() as found:
        yield found


def listed(folder):
    """Return the names in the inventory of the site."""
    content = (folder / "micrograd" / "objects.inv").read_bytes().split(b"\n", 4)[4]
    return {line.partition(" ")[0] for line in zlib.decompress(content).decode().splitlines()}


def test_the_front_page_steps_and_leads_to_the_playground(browser, address):
    with opened(browser, address, viewport={"width": 1366, "height": 768}) as page:
        page.goto(address)
        frame = page.frame_locator("iframe.mgs-frame")
        play = frame.get_by_role("button", name="Play").bounding_box()
        assert play["y"] + play["height"] <= 768
        before = frame.locator("main").inner_text()
        frame.get_by_role("button", name="Step forward").click()
        assert frame.locator("main").inner_text() != before
        door = page.get_by_role("link", name="Try your own expression")
        box = door.bounding_box()
        assert box["y"] + box["height"] < 768
        assert page.locator("iframe.mgs-frame").bounding_box()["y"] < 400
        keep_screenshot(page, "site-front")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone_or_has_the_other_theme(browser, address, theme):
    with opened(browser, address, color_scheme=theme) as page:
        for width in (1280, 400):
            page.set_viewport_size({"width": width, "height": 800})
            for name in KINDS:
                page.goto(address + name)
                page.wait_for_load_state("networkidle")
                keep_screenshot(page, f"site-{name.replace('/', '-')}-{width}-{theme}")
                found = page.evaluate(
                    "() => [document.documentElement.scrollWidth, "
                    "document.documentElement.dataset.theme, "
                    "[...document.querySelectorAll('article img')].filter(i => i.offsetWidth "
                    "&& !i.naturalWidth).map(i => i.src)]"
                )
                assert found == [width, theme, []], name
                assert page.evaluate(TORN) == [], name


@pytest.mark.parametrize("width", [1280, 400])
def test_a_page_in_a_frame_is_seen_whole(browser, address, width):
    with opened(browser, address, viewport={"width": width, "height": 800}) as page:
        for name in ("tour/network.html", "tour/train.html"):
            page.goto(address + name)
            page.locator("iframe.mgs-frame").scroll_into_view_if_needed()
            frame = page.locator("iframe.mgs-frame").element_handle().content_frame()
            frame.locator(".mgs, .mgl").first.wait_for()
            scrolls = "document.documentElement.scrollHeight > innerHeight"
            for _ in range(100):  # until the frame has heard of it
                if not frame.evaluate(scrolls):
                    break
                page.wait_for_timeout(100)
            assert not frame.evaluate(scrolls), name
            wide = page.locator("iframe.mgs-frame").bounding_box()["width"]
            page.evaluate("dispatchEvent(new Event('beforeprint'))")  # it fits on paper
            assert page.locator("iframe.mgs-frame").bounding_box()["width"] <= 700
            page.evaluate("dispatchEvent(new Event('afterprint'))")
            assert page.locator("iframe.mgs-frame").bounding_box()["width"] == wide


@pytest.mark.parametrize(
    ("asked", "found", "said"),
    [
        ("How do I add an op", "Add an op", "define("),
        ("How do I see the gradient of one weight", "See a network", "The gradient of one weight"),
        ("How do I save a model", "Train", "model.save("),
        ("tanh", "micrograd.tanh", "1 - out * out"),
    ],
)
def test_the_search_finds_the_answer(browser, address, asked, found, said):
    with opened(browser, address) as page:
        page.goto(f"{address}search.html?q={asked.replace(' ', '+')}")
        page.locator("#search-results a", has_text=found).first.click()
        page.get_by_text(said).first.wait_for()


def test_every_public_name_is_in_the_inventory(folder):
    names = {name for name in dir(micrograd) if not name.startswith("_")} - {"sys", "Any"}
    modules = {name for name in names if type(getattr(micrograd, name)).__name__ == "module"}
    known = {name.rpartition(".")[2] for name in listed(folder)}
    assert names - modules - {"TYPE_CHECKING", "import_module"} <= known
    for module in modules & set(micrograd.__all__):
        assert set(getattr(getattr(micrograd, module), "__all__", ())) <= known, module


def test_every_method_of_a_value_and_a_stepper_is_in_the_inventory(folder):
    known = listed(folder)
    for kind in (micrograd.Value, micrograd.stepper.Stepper):
        place = "micrograd" if kind is micrograd.Value else "micrograd.stepper"
        ours = [base for base in kind.__mro__ if base.__module__.startswith("micrograd")]
        for name in {name for base in ours for name in vars(base)}:
            if not name.startswith("_") and callable(getattr(kind, name)):
                assert f"{place}.{kind.__name__}.{name}" in known


def test_every_operation_has_its_derivative_and_a_plot(folder):
    pages = {
        page.stem.removeprefix("ops."): page.read_text(encoding="utf-8")
        for page in (folder / "micrograd" / "reference" / "ops").glob("*.html")
    }
    for name in micrograd.ops.TABLE:
        assert "<strong>Derivative" in pages[name], name
        assert f"/{name}-light.svg" in pages[name], name


def test_every_page_of_the_tour_has_a_picture(folder):
    for page in (folder / "micrograd" / "tour").glob("[!i]*.html"):
        article = page.read_text(encoding="utf-8").partition("<article")[2]
        assert re.search("<svg|<img|<iframe", article.partition("</article")[0]), page.name


# ---- the playground ----------------------------------------------------------------------------


def ran(page, **fields):
    """Fill in fields of the playground, run, and wait for what comes of it."""
    for name, text in fields.items():
        page.locator(f"#{name}").fill(text)
    page.get_by_role("button", name="Run").click()
    page.locator("#status", has_text=re.compile("^(Done|Ready|$)")).wait_for(
        state="attached", timeout=STARTS
    )


def drawn(svg):
    """Return what a picture shows: its elements and words, and its numbers to one digit."""
    inner = re.sub(r"<(title|desc|style).*?</\1>|g[0-9a-f]{8}", "", svg, flags=re.DOTALL)
    return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]) + 0:.0f}", inner)


def test_the_playground_steps_pulls_draws_and_says_what_is_wrong(browser, address, tmp_path):
    with opened(browser, address, accept_downloads=True) as page:
        page.goto(f"{address}playground/")
        page.locator("#mgs .mgs").wait_for(timeout=STARTS)
        keep_screenshot(page, "playground")
        ran(page, expression="(a + b) * b", numbers="a=2 b=3")
        page.locator("#mgs", has_text="(a + b) × b").wait_for()
        page.get_by_role("button", name="Last step").click()
        assert "Backward 5 of 5" in page.locator("#mgs").inner_text()
        page.evaluate("location.hash = 'step=8&set=a:5'")  # as if a had been pulled
        page.locator("#mgs .mgs", has_text="24").wait_for()

        with page.expect_download() as waiting:
            page.get_by_role("button", name="SVG", exact=True).click()
        waiting.value.save_as(tmp_path / "graph.svg")
        here, _ = parse("(a + b) * b", {"a": 2, "b": 3})
        known = picture(micrograd.steps(here)).decode()
        assert drawn((tmp_path / "graph.svg").read_text(encoding="utf-8")) == drawn(known)

        ran(page, expression="a + log(b)", numbers="a=2 b=-3")
        told = page.locator("#problem").inner_text()
        assert "log(b=-3) is undefined" in told
        assert told.splitlines()[-2:] == ["  a + log(b)", "      ^"]
        ran(page, expression="a + log(b)", numbers="a=2 b=1")
        assert page.locator("#problem").is_hidden()


def test_the_address_of_the_playground_holds_a_program_and_a_step(browser, address):
    program = "from micrograd import Value\n\nx = Value(2.0)\ny = x * x\ny"
    with opened(browser, address) as page:
        page.goto(f"{address}playground/")
        page.get_by_role("button", name="Python").click()
        ran(page, python=program)
        page.locator("#mgs", has_text="y = x × x").wait_for(timeout=STARTS)
        page.get_by_role("button", name="Step forward").click()
        page.wait_for_url("**/*#step=2")
        link = page.url
    with opened(browser, address, viewport={"width": 400, "height": 800}) as page:
        page.goto(link)
        page.get_by_text("This program came with the link").wait_for()
        assert page.locator("#mgs .mgs").count() == 0
        page.get_by_role("button", name="Run").click()
        page.locator("#mgs", has_text="y = x × x").wait_for(timeout=STARTS)
        assert page.locator("#python").input_value() == program
        assert "2 / 4" in page.locator("#mgs").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        ran(page, python="from micrograd import Value\nx = Value(-1.0)\nx.log()")
        assert page.locator("#problem").inner_text().startswith("line 3: x.log()\nDomainError: ")

        page.locator("#python").fill("while True:\n    pass")
        page.get_by_role("button", name="Run").click()
        page.get_by_role("button", name="Stop").click()
        assert page.locator("#problem").inner_text() == "Stopped."
        ran(page, python=program)
        assert page.locator("#problem").is_hidden()
