"""The widget in Notebook 7 and marimo, and the marks by which hosts tell their theme."""

import subprocess
import sys
import time
import urllib.request

import pytest
from browser import keep_screenshot
from lab import free_port, jupyterlab, opened_lesson

from micrograd import Value, steps, style

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MARIMO = """\
import marimo

app = marimo.App()


@app.cell
def _():
    from micrograd import Value, draw_dot, steps

    x, w, b = Value(2, label="x"), Value(-3, label="w"), Value(10, label="b")
    h = x * w
    h.label = "h"
    s = h + b
    s.label = "s"
    L = s * h
    L.label = "L"
    stepper = steps(L)
    view = stepper.widget()
    view
    return draw_dot, stepper, view


@app.cell
def _(stepper):
    stepper
    return


@app.cell
def _(draw_dot, stepper):
    draw_dot(stepper.root)
    return


@app.cell
def _():
    from micrograd import watch
    from micrograd.nn import MLP

    watched = watch(MLP(2, [3, 1]), [[0.0, 1.0], [1.0, 0.0]], [0, 1])
    watched
    return
"""


def leaf(view, page, text):
    return view.locator(".node").filter(has=page.locator("title", has_text=text))


def test_the_widget_lives_in_notebook_7(browser, tmp_path):
    pytest.importorskip("notebook")
    with jupyterlab(tmp_path, "notebook") as address:
        context, page, lab = opened_lesson(browser, address)
        cells = page.locator(".jp-Notebook .jp-Cell").count()
        lab.run(0)
        view = lab.view(0)
        view.get_by_role("button", name="Last step").click()
        view.get_by_text("10 / 10").wait_for()
        view.get_by_role("button", name="Step back").focus()
        for key in ("b", "a", "d", "d", "x", "m", "b", "ArrowLeft"):
            page.keyboard.press(key)
        assert page.locator(".jp-Notebook .jp-Cell").count() == cells
        view.get_by_text("9 / 10").wait_for()
        assert lab.save(tmp_path / "notebooks" / "lesson.ipynb")[0]
        leaf(view, page, "x = 2").dblclick()
        view.get_by_label("New value of x").fill("5")
        view.get_by_label("New value of x").press("Enter")
        leaf(view, page, "L = 75").wait_for()
        assert "step 8 x 2 error ''" in lab.printed(2)
        keep_screenshot(page, "notebook_7")
        # Notebook 7.6 itself looks for settings of an extension that it lacks.
        own = [error for error in lab.errors if "reading 'schema'" not in error]
        assert own == []
        context.close()


def test_the_widget_lives_in_marimo(browser, tmp_path):
    pytest.importorskip("marimo")
    (tmp_path / "lesson.py").write_text(MARIMO, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.marimo.display]\ntheme = "system"\n', encoding="utf-8"
    )
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "marimo", "run", "lesson.py", "--headless", "--no-token",
         "--port", str(port)],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert server.poll() is None
            try:
                urllib.request.urlopen(address, timeout=2).close()
                break
            except OSError:
                time.sleep(0.25)
        context = browser.new_context(
            viewport={"width": 1000, "height": 1000}, color_scheme="light"
        )
        page = context.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        view = page.locator(".mgs").first
        view.get_by_role("button", name="Last step").click(timeout=60_000)
        view.get_by_text("10 / 10").wait_for()
        assert "the same as backward()" in view.get_by_role("status").inner_text()
        assert view.evaluate("e => e.getRootNode() !== document")  # a page of its own
        view.get_by_role("button", name="Last step").press("ArrowLeft")
        view.get_by_text("9 / 10").wait_for()
        leaf(view, page, "x = 2").dblclick()
        view.get_by_label("New value of x").fill("5")
        view.get_by_label("New value of x").press("Enter")
        leaf(view, page, "L = 75").wait_for()
        assert page.locator(".mgs:not(.mgl)").count() == 2  # the stepper itself is the widget, too
        run = page.locator(".mgl")
        run.get_by_role("button", name="Step", exact=True).click()
        page.locator(".mgl[data-step='1']").wait_for()
        run.locator(".mgl-dot").first.click(force=True)
        run.locator(".mgl-steps .mgn-card").first.wait_for()
        picture = page.locator("svg > g > polygon").first
        for theme in ("dark", "light"):  # while all is open
            page.emulate_media(color_scheme=theme)
            page.locator(f".mgs:not(.mgl)[data-theme={theme}]").nth(1).wait_for()
            page.locator(f".mgl[data-theme={theme}] .mgn[data-theme={theme}]").wait_for()
            ground = picture.evaluate("e => getComputedStyle(e).fill")
            assert ground == f"rgb{tuple(bytes.fromhex(style.theme(theme).bg[1:]))}"
            keep_screenshot(page, f"marimo_{theme}")
        assert errors == []
        context.close()
    finally:
        server.terminate()
        server.wait(30)


HOSTS = [
    ("body", "data-vscode-theme-kind", "vscode-dark", "dark"),
    ("body", "data-vscode-theme-kind", "vscode-light", "light"),
    ("body", "data-vscode-theme-kind", "vscode-high-contrast", "dark"),
    ("body", "data-vscode-theme-kind", "vscode-high-contrast-light", "light"),
    ("body", "data-jp-theme-light", "false", "dark"),
    ("body", "data-jp-theme-light", "true", "light"),
    ("documentElement", "theme", "dark", "dark"),  # Colab
    ("documentElement", "data-theme", "dark", "dark"),  # Sphinx
    ("documentElement", "class", "dark", "dark"),
    ("body", "class", "light", "light"),
]


@pytest.mark.parametrize(("where", "mark", "value", "wanted"), HOSTS)
def test_the_theme_is_the_host_s_not_the_system_s(browser, tmp_path, where, mark, value, wanted):
    x = Value(2.0, label="x")
    path = steps(x * x).to_html(tmp_path / "page.html")
    system = "light" if wanted == "dark" else "dark"
    context = browser.new_context(offline=True, color_scheme=system)
    page = context.new_page()
    page.goto(path.as_uri())
    app = page.locator(".mgs")
    assert app.get_attribute("data-theme") == system
    page.evaluate(f"document.{where}.setAttribute({mark!r}, {value!r})")
    page.locator(f".mgs[data-theme={wanted}]").wait_for()
    context.close()
