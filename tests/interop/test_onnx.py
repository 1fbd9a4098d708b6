"""Networks as ONNX files: the same outputs in ONNX Runtime, and what cannot go is named."""

import random

import pytest

np = pytest.importorskip("numpy")

from networks import NAMES, SHAPES, assert_equal, made, samples, scores  # noqa: E402

from micrograd import Value  # noqa: E402
from micrograd.errors import ArgumentError  # noqa: E402
from micrograd.interop import to_onnx  # noqa: E402
from micrograd.nn import MLP  # noqa: E402


def run_onnx(path, rows, dtype):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["scores"], {"x": np.array(rows, dtype=dtype)})[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("nin", "nouts"), SHAPES)
def test_onnx_runtime_gives_the_same_outputs(tmp_path, name, nin, nouts):
    pytest.importorskip("onnx")
    model, path, rows = made(nin, nouts, name), tmp_path / "model.onnx", samples(nin)
    wanted = scores(model, rows)
    if name != "gelu":
        to_onnx(model, path, dtype="float64")
        assert_equal(run_onnx(path, rows, "float64"), wanted)
    to_onnx(model, path)
    found = run_onnx(path, rows, "float32")
    assert found.dtype == np.float32
    assert_equal(found, wanted, 1e-5 * max(1.0, np.abs(wanted).max()))


@pytest.mark.parametrize(
    ("name", "bias", "in_float64"),
    [
        *[(name, 0.2, True) for name in ("abs", "sign", "neg", "identity", "exp", "log", "sqrt")],
        # ONNX Runtime for Python 3.10 has no cosine of float64.
        *[("sin", 0.2, True), ("cos", 0.2, False), ("arccosh", 1.2, False)],
        *[(name, 0.2, False) for name in ("tan", "sinh", "cosh", "erf")],
        *[(name, 0.2, False) for name in ("arcsin", "arccos", "arctan", "arcsinh", "arctanh")],
    ],
)
def test_functions_that_onnx_has_are_written_as_themselves(tmp_path, name, bias, in_float64):
    pytest.importorskip("onnx")
    model, path, rows = made(2, [3, 1], name), tmp_path / "model.onnx", [[0.5, 0.25], [0.1, 0.4]]
    for neuron in model.layers[0].neurons:
        for w in neuron.w:
            w.data = abs(w.data) / 10
        neuron.b.data = bias
    wanted = scores(model, rows)
    to_onnx(model, path)
    assert_equal(run_onnx(path, rows, "float32"), wanted, 1e-6)
    if in_float64:
        to_onnx(model, path, dtype="float64")
        assert_equal(run_onnx(path, rows, "float64"), wanted)


def test_a_method_that_a_user_replaced_is_not_exported_as_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(Value, "relu", lambda self: self.maximum(0.2 * self))
    with pytest.raises(ArgumentError, match=r"Value.relu was replaced"):
        to_onnx(made(activation="relu"), tmp_path / "model.onnx")


def test_onnx_of_several_activations(tmp_path):
    pytest.importorskip("onnx")
    model = MLP(2, [3, 3, 1], activation=["gelu", "gelu", "sigmoid"], rng=random.Random(0))
    to_onnx(model, tmp_path / "model.onnx")
    found = run_onnx(tmp_path / "model.onnx", samples(2), "float32")
    assert_equal(found, scores(model, samples(2)), 1e-5)


def test_what_onnx_cannot_hold_is_refused_and_the_old_file_stays(tmp_path):
    pytest.importorskip("onnx")
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    for model, dtype, told in [
        (made(activation="gelu"), "float64", "Erf, which gelu needs, in float32 only"),
        (made(activation="arctan"), "float64", "Atan, which arctan needs, in float32 only"),
        (made(activation="cbrt"), "float32", "'cbrt', which ONNX does not have"),
        (made(), "float16", "one of 'float32', 'float64', got 'float16'"),
    ]:
        with pytest.raises(ArgumentError, match=told):
            to_onnx(model, path, dtype)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    with pytest.raises(FileNotFoundError):
        to_onnx(made(), tmp_path / "no" / "model.onnx")


def test_a_number_too_large_for_float32_is_refused(tmp_path):
    pytest.importorskip("onnx")
    model = made(1, [1])
    model.layers[0].neurons[0].w[0].data = 1e39
    with pytest.raises(
        ArgumentError, match=r"1e\+39 is too large for float32: pass dtype='float64'"
    ):
        to_onnx(model, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []
    to_onnx(model, tmp_path / "model.onnx", dtype="float64")
    assert run_onnx(tmp_path / "model.onnx", [[0.5]], "float64") == pytest.approx(5e38)
