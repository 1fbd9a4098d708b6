"""The built site, in a browser that reaches no other host: documentation, search, themes, sizes."""

import functools
import http.server
import os
import threading
import zlib
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import keep_screenshot, launched

import micrograd

pytestmark = pytest.mark.browser

# The pages of each kind that are looked at.
KINDS = (
    "index.html", "tour/network.html", "course/03_backpropagation_in_a_network.html",
    "reference/ops/tanh.html", "reference/values/Value.html", "reference/errors.html",
    "how/machine-code.html", "benchmarks.html", "project/contributing.html", "licences.html",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder():
    """The folder that holds the site under `micrograd/`: .ci/run builds it and names it."""
    named = os.environ.get("MICROGRAD_SITE")
    if not named or not (Path(named) / "micrograd" / "index.html").exists():
        pytest.skip("MICROGRAD_SITE names no built site")
    return Path(named)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(folder):
    """The address of the site, under a path, as on a server that holds others too."""
    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/micrograd/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


@contextmanager
def opened(browser, address, **options):
    """Open a page that may reach the site alone; whatever else it asks for fails the test."""
    context = browser.new_context(**options)
    elsewhere, errors = [], []

    def route(asked):
        if asked.request.url.startswith((address.rpartition("/micrograd/")[0], "data:", "blob:")):
            asked.continue_()
        else:
            elsewhere.append(asked.request.url)
            asked.abort()

    context.route("**/*", route)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert not elsewhere
    assert not errors


def listed(folder):
    """Return the names in the inventory of the site."""
    content = (folder / "micrograd" / "objects.inv").read_bytes().split(b"\n", 4)[4]
    return {line.partition(" ")[0] for line in zlib.decompress(content).decode().splitlines()}


def test_the_front_page_steps_and_leads_to_the_playground(browser, address):
    with opened(browser, address, viewport={"width": 1280, "height": 800}) as page:
        page.goto(address)
        frame = page.frame_locator("iframe.mgs-frame")
        frame.get_by_role("button", name="Play").wait_for()
        before = frame.locator("main").inner_text()
        frame.get_by_role("button", name="Step forward").click()
        assert frame.locator("main").inner_text() != before
        door = page.get_by_role("link", name="Try your own expression")
        box = door.bounding_box()
        assert box["y"] + box["height"] < 800
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


@pytest.mark.parametrize(
    ("asked", "found", "said"),
    [
        ("add an op", "Add an op", "define("),
        ("gradient of one weight", "See a network", "The gradient of one weight"),
        ("save a model", "Train", "model.save("),
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
        for name in dir(kind):
            if not name.startswith("_") and callable(getattr(kind, name)):
                assert f"{place}.{kind.__name__}.{name}" in known
