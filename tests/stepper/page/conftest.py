"""A browser, and pages that it opens from disk: no server, no network."""

import pytest
from browser import launched
from graphs import guide_graph
from stepper_page import Opened

from micrograd import steps


@pytest.fixture(scope="module")
def browser():
    with launched() as found:
        yield found


@pytest.fixture
def opened(browser, tmp_path):
    pages = []

    def open_page(root=None, broken=None, fragment="", **options):
        path = steps(guide_graph() if root is None else root, broken).to_html(
            tmp_path / f"page{len(pages)}.html"
        )
        pages.append(Opened(browser, path, fragment, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture
def drawn_by_hand(monkeypatch):
    """Draw each graph as one in which no network is recognised."""
    monkeypatch.setattr("micrograd.stepper.page.data.net_data", lambda stepper: None)
