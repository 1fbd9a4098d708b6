"""A run as a page, without a browser."""

import re

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")


from packed import data_of
from watched import HELD, Own, X, model, squares, y

from micrograd import watch
from micrograd.errors import ArgumentError
from micrograd.live import live_script


def test_the_page_holds_the_run_and_asks_for_nothing(tmp_path):
    assert len(watch(model(), X, y).to_html(tmp_path / "run.html").read_text("utf-8")) < 380_000
    view = watch(model(), X, y, squares)
    path = view.to_html(tmp_path / "run.html", 30)
    text = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "https:" not in text
    assert "http:" not in re.sub(r"http://www\.w3\.org/", "", text)
    data = data_of(text)
    assert data["frames"][-1]["say"] in text  # for where no script runs
    assert [frame["n"] for frame in data["frames"]] == list(range(31))
    assert [v for _, v in data["curve"]["points"]][:30] == view.losses
    held = data_of(watch(model(), X, y, squares, validation=HELD).page_text(5))
    assert [n for n, _ in held["curve"]["held"]] == list(range(6))
    assert "held out" in held["frames"][-1]["text"]
    assert len(text) < 500_000


def test_the_page_holds_the_lens_of_the_worst_samples_of_each_class_or_of_those_chosen():
    net, labels = model(3), [i % 3 for i in range(30)]
    optimizer = Own(net.parameters(), 0.02)
    view = watch(net, X, labels, "cross_entropy", optimizer, classes=["a", "b", "c"])
    samples = data_of(view.page_text(3))["samples"]
    worst = {}
    for i in view.by_loss():
        worst.setdefault(i % 3, []).append(str(i))
    assert len(samples) == 8
    assert samples.keys() >= {str(i) for group in worst.values() for i in group[:2]}
    for i, sample in samples.items():
        name = "abc"[int(i) % 3]
        assert (
            sample["net"]["loss"]["terms"][0]["name"] == f"right class: {name} (p{int(i) % 3 + 1})"
        )
        assert any(f"The right class, {name}, got" in text for text in sample["strings"])
        inputs = [sample["nodes"][j]["name"] for j in sample["net"]["inputs"][0]]
        assert inputs == ["x⁽⁰⁾₁", "x⁽⁰⁾₂"]
        assert sample["nodes"][-1]["name"] == "ℓ"
    chosen = data_of(view.page_text(3, samples=[4, 7]))["samples"]
    assert set(chosen) == {"4", "7"}
    with pytest.raises(ArgumentError, match="from 0 to 29, got 30"):
        view.page_text(3, samples=[30])


@pytest.mark.slow
def test_a_large_network_has_the_lens_of_one_sample_and_the_numbers_of_the_last_frame():
    rows = [[(i * k) % 7 / 7 for k in range(1, 41)] for i in range(6)]
    net = model(20, 1, nin=40)
    data = data_of(watch(net, rows, [0, 1] * 3, "hinge", Own(net.parameters())).page_text(2))
    assert len(data["samples"]) == 1
    assert [frame["numbers"] is not None for frame in data["frames"]] == [False, False, True]


def test_a_frame_holds_each_parameter_and_the_gradient_of_the_last_step_as_text():
    view = watch(model(3, 2), X, y, "cross_entropy").run(4)
    values, gradients = view.frame()["numbers"]
    parameters = view.model.parameters()
    assert [float(text) for text in values] == pytest.approx([p.data for p in parameters], 1e-3)
    assert [float(text) for text in gradients] == pytest.approx([p.grad for p in parameters], 1e-3)
    assert any(p.grad for p in parameters)


def test_the_front_end_never_writes_html():
    assert "innerHTML" not in live_script()
    assert len(live_script()) < 290_000
