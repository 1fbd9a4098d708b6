"""The course in JupyterLite: its notebooks run in a browser that reaches no other host."""

import pytest
from browser import keep_screenshot, launched
from built_site import COURSE, assert_ran, built, opened, run_all, served, show_output, started

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page():
    folder = built()
    with launched() as browser, served(folder) as address, opened(browser, address) as found:
        found.address = address
        yield found


# The others take minutes: see lite_trial.py.
@pytest.mark.parametrize("number", ["01", "02", "03", "06", "08", "09"])
def test_a_notebook_runs_from_top_to_bottom(page, number):
    (name,) = [name for name in COURSE if name.startswith(number)]
    started(page, page.address, name)
    assert page.locator(".jp-NotebookTrustedStatus").text_content() == "Trusted"
    assert_ran(run_all(page, limit=600))
    if number == "02":
        show_output(page, ".mgs")
        stepper = page.locator(".mgs").first
        before = stepper.inner_text()
        stepper.get_by_role("button", name="Step forward").click()
        assert stepper.inner_text() != before
    keep_screenshot(page, f"lite-{number}")
