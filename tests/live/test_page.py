"""A run as a page, without a browser."""

import json
import re

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")


from watched import HELD, X, model, y

from micrograd import watch
from micrograd.live import live_script


def test_the_page_holds_the_run_and_asks_for_nothing(tmp_path):
    view = watch(model(), X, y)
    path = view.to_html(tmp_path / "run.html", 30)
    text = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "https:" not in text
    assert "http:" not in re.sub(r"http://www\.w3\.org/", "", text)
    data = json.loads(re.search(r'id="mgs-data">(.*?)</script>', text, re.DOTALL)[1])
    assert [frame["n"] for frame in data["frames"]] == list(range(31))
    assert [v for _, v in data["curve"]["points"]][:30] == view.losses
    assert len(data["samples"]) >= 1
    held = json.loads(
        re.search(
            r'id="mgs-data">(.*?)</script>',
            watch(model(), X, y, validation=HELD).page_text(5),
            re.DOTALL,
        )[1]
    )
    assert [n for n, _ in held["curve"]["held"]] == list(range(6))
    assert "held out" in held["frames"][-1]["text"]
    assert len(text) < 1_000_000


def test_the_front_end_never_writes_html():
    assert "innerHTML" not in live_script()
    assert len(live_script()) < 160_000
