"""A notebook that was saved with a stepper and a view of a training run, opened without its kernel.

JupyterLab and Notebook 7 are real; each shows the page in a frame once no kernel knows the widget.
"""

import json

import pytest
from browser import chromium, keep_screenshot, launched
from lab import MAKE, Lab, jupyterlab, notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WATCH = """\
from micrograd import watch
from micrograd.nn import MLP
watch(MLP(2, [3, 1]), [[0.0, 1.0], [1.0, 0.0]], [0, 1])"""
END_KERNELS = """async root => {
    const headers = { "X-XSRFToken": document.cookie.match(/_xsrf=([^;]+)/)[1] };
    for (const session of await (await fetch(root + "/api/sessions")).json())
        await fetch(root + "/api/sessions/" + session.id, { method: "DELETE", headers });
}"""


def switch_theme(page, name):
    page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
    page.locator(".lm-Menu-itemLabel", has_text="Theme").first.hover()
    page.locator(".lm-Menu-itemLabel", has_text=f"JupyterLab {name}").first.click()


@pytest.mark.parametrize("program", ["jupyterlab", "notebook"])
def test_a_saved_notebook_lives_with_a_kernel_and_without(tmp_path, monkeypatch, program):
    chromium()
    pytest.importorskip(program)
    pytest.importorskip("anywidget")
    book = notebook(MAKE, "view.step", WATCH, "view")
    monkeypatch.setattr("lab.notebook", lambda *_: book)
    with launched() as browser, jupyterlab(tmp_path, program) as address:
        context = browser.new_context(
            viewport={"width": 1200, "height": 1000}, color_scheme="null", reduced_motion="reduce"
        )
        page = context.new_page()
        page.set_default_timeout(60_000)

        def reopened(name="lesson"):
            page.goto("about:blank")
            page.goto(address.replace("lesson", name))
            page.locator(".jp-Notebook .jp-CodeCell").nth(3).wait_for(timeout=120_000)
            return Lab(page)

        lab = reopened()
        lab.run(0)
        lab.run(2)
        lab.view(0).get_by_role("button", name="Last step").click()
        lab.view(2).get_by_role("button", name="Step", exact=True).click()
        lab.cell(2).locator(".mgl[data-step='1']").wait_for()
        assert lab.printed(1).strip() == "9"
        path = tmp_path / "notebooks" / "lesson.ipynb"
        lab.view(0).get_by_role("button", name="Last step").focus()
        outputs = lab.save(path)
        assert [set(output["data"]) for output in outputs[0] + outputs[2]] == [
            {"text/html", "text/plain"}
        ] * 2
        assert path.stat().st_size < 500_000

        lab = reopened()  # the same kernel: the widgets come back, with what they know
        lab.view(0).get_by_text("10 / 10").wait_for()
        lab.cell(2).locator(".mgl[data-step='1']").wait_for()

        page.evaluate(END_KERNELS, address[: address.index("/", 8)])
        lab = reopened()  # a new kernel that knows nothing
        frame = lab.cell(0).frame_locator("iframe")
        frame.get_by_role("button", name="Last step").click()
        frame.get_by_text("the same as backward()").wait_for()
        frame.get_by_role("status").press("ArrowLeft")
        frame.get_by_text("9 / 10").wait_for()
        run = lab.cell(2).frame_locator("iframe")
        run.locator(".mgl[data-step='0']").wait_for()
        run.get_by_role("button", name="Step", exact=True).click()
        run.locator(".mgl[data-step='1']").wait_for()
        for theme in ("Dark", "Light"):
            switch_theme(page, theme)
            frame.locator(f".mgs[data-theme={theme.lower()}]").wait_for()
            run.locator(f".mgl[data-theme={theme.lower()}]").wait_for()
            keep_screenshot(page, f"saved_{program}_{theme}")
        assert page.get_by_text("model not found").count() == 0
        lab.run(0)  # and here it lives again
        lab.view(0).get_by_text("1 / 10").wait_for()
        assert lab.cell(0).locator("iframe").count() == 0

        # Someone else's notebook, not trusted: a picture and what to do.
        book["cells"] = json.loads(path.read_text(encoding="utf-8"))["cells"]
        book["cells"][0]["source"] += "  # of someone else"
        (tmp_path / "notebooks" / "theirs.ipynb").write_text(json.dumps(book), encoding="utf-8")
        lab = reopened("theirs")
        lab.cell(0).get_by_text("Run this cell for the live view.").wait_for()
        still = lab.cell(0).get_by_role("img", name="<Stepper of L = -24")
        assert still.evaluate("image => image.naturalWidth") > 300
        assert lab.cell(0).locator("iframe").count() == 0
        context.close()
