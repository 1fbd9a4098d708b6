"""Networks in other libraries: the same outputs there and here, and what cannot go is named."""

import math
import random
import re
import sys
import textwrap
from fractions import Fraction

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("sklearn")

from micrograd import Value, define  # noqa: E402
from micrograd.errors import ArgumentError, ArgumentTypeError, InputCountError  # noqa: E402
from micrograd.interop import from_sklearn, from_torch, to_onnx, to_sklearn, to_torch  # noqa: E402
from micrograd.nn import MLP, Neuron  # noqa: E402

NAMES = ["relu", "tanh", "sigmoid", "linear", "leaky_relu", "elu", "gelu", "silu", "softplus"]
SHAPES = [(2, [1]), (3, [5, 4, 2]), (1, [1, 1])]


def made(nin=3, nouts=(5, 4, 2), activation="tanh", seed=0):
    model = MLP(nin, nouts, activation=activation, rng=random.Random(seed))
    draw = random.Random(seed + 1)
    for p in model.parameters():
        p.data = draw.gauss(0, 2)
    return model


def samples(nin, count=40, seed=5):
    draw = random.Random(seed)
    rows = [[draw.gauss(0, 3) for _ in range(nin)] for _ in range(count)]
    return [*rows, [0.0] * nin, [50.0] * nin, [-50.0] * nin]


def scores(model, rows):
    """Return the outputs as an array, shape (samples, outputs)."""
    found = [model(row) for row in rows]
    return np.array([[v.data for v in (o if isinstance(o, list) else [o])] for o in found])


def assert_equal(found, wanted, tolerance=1e-12):
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


# ---- one activation a layer --------------------------------------------------------------------


def test_a_network_may_have_one_activation_a_layer():
    model = MLP(2, [3, 2, 1], activation=["tanh", "relu", "sigmoid"], rng=random.Random(1))
    (s1, x1), (s2, x2), (s3, x3) = model.trace([0.5, -1.0])
    assert x1[0].data == math.tanh(s1[0].data)
    assert x2[0].data == max(s2[0].data, 0)
    assert x3[0].data == pytest.approx(1 / (1 + math.exp(-s3[0].data)), rel=1e-15)


def test_such_a_network_is_saved_and_read(tmp_path):
    model = MLP(2, [3, 1], activation=("tanh", "sigmoid"))
    model.save(tmp_path / "model.json")
    again = MLP.from_file(tmp_path / "model.json")
    assert again([1, 2]).data == model([1, 2]).data
    assert str(again) == str(model)


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        (["tanh"], ArgumentError, "2 layers, got 1"),
        (["tanh", "relu", "relu"], ArgumentError, "2 layers, got 3"),
        (["tanh", "nope"], ArgumentError, "unknown activation 'nope'"),
        (7, ArgumentTypeError, "activation"),
        (["tanh", 7], ArgumentTypeError, "activation"),
    ],
)
def test_activations_that_do_not_fit_are_refused(given, kind, told):
    with pytest.raises(kind, match=told):
        MLP(2, [3, 1], activation=given)


# ---- PyTorch -----------------------------------------------------------------------------------


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parity
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("nin", "nouts"), SHAPES)
def test_torch_gives_the_same_outputs(torch, name, nin, nouts):
    model = made(nin, nouts, name)
    rows = samples(nin)
    module = to_torch(model)
    assert isinstance(module, torch.nn.Sequential)
    with torch.no_grad():
        assert_equal(module(torch.tensor(rows, dtype=torch.float64)).numpy(), scores(model, rows))
    again = from_torch(module)
    assert again.state_dict() == model.state_dict()
    assert_equal(scores(again, rows), scores(model, rows), 0)


@pytest.mark.parity
def test_the_example_of_to_torch_runs(torch):
    text = textwrap.dedent(to_torch.__doc__.split("::\n", 1)[1])
    assert "assert" in text
    exec(text, {})


@pytest.mark.parity
def test_torch_gradients_are_the_same_too(torch):
    model = made(2, [6, 1], "silu")
    module = to_torch(model)
    x = [0.3, -1.2]
    model(x).backward()
    module(torch.tensor([x], dtype=torch.float64)).sum().backward()
    linear = module[0]
    for i, neuron in enumerate(model.layers[0].neurons):
        found = [w.grad for w in neuron.w] + [neuron.b.grad]
        wanted = [*linear.weight.grad[i].tolist(), linear.bias.grad[i].item()]
        assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parity
def test_a_module_made_in_torch_comes_in(torch):
    nn = torch.nn
    torch.manual_seed(3)
    module = nn.Sequential(
        nn.Linear(3, 4, bias=False),
        nn.Sequential(nn.Tanh(), nn.Identity(), nn.Linear(4, 5)),
        nn.Linear(5, 5),
        nn.ReLU(inplace=True),
        nn.Linear(5, 2),
        nn.Sigmoid(),
    )  # float32
    assert len(set(to_torch(made(nouts=(2, 2, 1))))) == 5, "each module has one place"
    model = from_torch(module)
    assert model.activation == ["tanh", "linear", "relu", "sigmoid"]
    rows = samples(3)
    with torch.no_grad():
        wanted = module.double()(torch.tensor(rows, dtype=torch.float64)).numpy()
    assert_equal(scores(model, rows), wanted)


@pytest.mark.parity
def test_one_module_in_two_places_comes_in_twice(torch):
    nn = torch.nn
    fire = nn.Tanh()
    module = nn.Sequential(nn.Linear(2, 3), fire, nn.Linear(3, 3), fire, nn.Linear(3, 1)).double()
    model = from_torch(module)
    with torch.no_grad():
        wanted = module(torch.tensor(samples(2), dtype=torch.float64)).numpy()
    assert_equal(scores(model, samples(2)), wanted)


@pytest.mark.parity
def test_going_out_and_in_draws_no_random_number(torch):
    model = made()
    random.seed(1)
    torch.manual_seed(1)
    wanted = random.random(), torch.rand(1).item()
    random.seed(1)
    torch.manual_seed(1)
    from_torch(to_torch(model))
    assert (random.random(), torch.rand(1).item()) == wanted


@pytest.mark.parity
def test_the_copies_share_nothing(torch):
    model = made()
    module, before = to_torch(model), model.state_dict()
    with torch.no_grad():
        module[0].weight.zero_()
    assert model.state_dict() == before


@pytest.mark.parity
def test_modules_without_counterpart_are_named(torch):
    nn = torch.nn

    class Louder(nn.ReLU):
        def forward(self, x):
            return 2 * super().forward(x)

    for parts, kind, told in [
        ([nn.Linear(2, 2), nn.Dropout(0.5)], ArgumentError, r"module 1 is Dropout\(p=0.5"),
        ([nn.Linear(2, 2), nn.LeakyReLU(0.2)], ArgumentError, r"LeakyReLU\(negative_slope=0.2\)"),
        ([nn.Linear(2, 2), nn.ELU(2.0)], ArgumentError, r"ELU\(alpha=2.0\)"),
        ([nn.Linear(2, 2), nn.GELU("tanh")], ArgumentError, "GELU"),
        ([nn.Linear(2, 2), nn.Softplus(beta=2)], ArgumentError, "Softplus"),
        ([nn.Linear(2, 2), nn.Softmax(1)], ArgumentError, "Softmax"),
        ([nn.Linear(2, 2), Louder()], ArgumentError, "Louder"),
        ([nn.Linear(2, 2), nn.Sequential(nn.Conv1d(1, 1, 1))], ArgumentError, "module 1.0 is Conv"),
        ([nn.ReLU(), nn.Linear(2, 2)], ArgumentError, "does not follow a Linear"),
        ([nn.Linear(2, 2), nn.ReLU(), nn.Tanh()], ArgumentError, "module 2, Tanh"),
        ([nn.Linear(2, 3), nn.Linear(2, 1)], InputCountError, "follows a layer of 3"),
        ([nn.Linear(2, 2, dtype=torch.complex64)], ArgumentError, "complex64"),
        ([nn.Linear(2, 2, device="meta")], ArgumentError, "no numbers"),
        ([], ArgumentError, "without a Linear"),
    ]:
        with pytest.raises(kind, match=told):
            from_torch(nn.Sequential(*parts))
    with pytest.raises(ArgumentTypeError, match=r"expected a torch\.nn\.Sequential"):
        from_torch(nn.Linear(2, 1))


# ---- ONNX --------------------------------------------------------------------------------------


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
        (made(activation="gelu"), "float64", "Erf of gelu in float32 only"),
        (made(activation="arctan"), "float64", "Atan of arctan in float32 only"),
        (made(activation="cbrt"), "float32", "'cbrt', which ONNX does not have"),
        (made(), "float16", "'float32' or 'float64', got 'float16'"),
    ]:
        with pytest.raises(ArgumentError, match=told):
            to_onnx(model, path, dtype)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    with pytest.raises(FileNotFoundError):
        to_onnx(made(), tmp_path / "no" / "model.onnx")


# ---- scikit-learn ------------------------------------------------------------------------------


def probabilities(raw):
    """Return the probabilities of the classes for scores, by their definition."""
    if raw.shape[1] == 1:
        raw = np.hstack([np.zeros_like(raw), raw])
    shares = np.exp(raw - raw.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "linear"])
@pytest.mark.parametrize(("nin", "nouts"), [*SHAPES, (2, [4, 3])])
def test_sklearn_gives_the_same_probabilities(name, nin, nouts):
    model, rows = made(nin, nouts, name), samples(nin)
    classifier = to_sklearn(model)
    wanted = probabilities(scores(model, rows))
    np.testing.assert_allclose(classifier.predict_proba(rows), wanted, rtol=1e-9, atol=1e-12)
    assert (classifier.predict(rows) == wanted.argmax(axis=1)).all()
    if nouts[-1] != 2:
        assert from_sklearn(classifier).state_dict() == model.state_dict()


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_a_trained_mlpclassifier_comes_in(activation):
    from sklearn.datasets import load_iris
    from sklearn.neural_network import MLPClassifier

    X, y = load_iris(return_X_y=True)
    for chosen in (y < 3, y < 2):
        trained = MLPClassifier((6, 5), activation=activation, max_iter=30, random_state=0, tol=1)
        trained.fit(X[chosen], y[chosen])
        model = from_sklearn(trained)
        found = probabilities(scores(model, X[chosen]))
        np.testing.assert_allclose(found, trained.predict_proba(X[chosen]), rtol=1e-9, atol=1e-12)


def test_a_trained_mlpregressor_comes_in():
    from sklearn.datasets import load_diabetes
    from sklearn.neural_network import MLPRegressor

    X, y = load_diabetes(return_X_y=True)
    trained = MLPRegressor(hidden_layer_sizes=(6,), max_iter=20, tol=1, random_state=0).fit(
        X[:60], y[:60]
    )
    found = scores(from_sklearn(trained), X[:60])[:, 0]
    np.testing.assert_allclose(found, trained.predict(X[:60]), rtol=1e-12)


def test_labels_are_kept_and_training_can_go_on():
    classifier = to_sklearn(made(2, [4, 3]), classes=["a", "b", "c"])
    assert classifier.classes_.tolist() == ["a", "b", "c"]
    assert classifier.get_params()["random_state"] is None
    classifier.partial_fit(samples(2)[:3], ["a", "b", "c"])
    assert set(classifier.predict(samples(2))) <= {"a", "b", "c"}


@pytest.mark.parametrize(
    ("model", "classes", "told"),
    [
        (made(2, [3, 1]), ["a"], "1 output tells 2 classes apart, got ['a']"),
        (made(2, [3, 3]), ["a", "b"], "3 outputs tells 3 classes apart"),
        (made(2, [3, 1]), ["b", "a"], "sorted order, ['a', 'b']"),
        (made(2, [3, 1]), ["a", "a"], "2 classes apart"),
        (made(2, [3, 1]), [None, 1], "all texts or all numbers, got [None, 1]"),
        (made(2, [3, 1], "gelu"), None, "'gelu', which scikit-learn's MLPClassifier"),
        (made(2, [3, 3, 1], ["tanh", "relu", "linear"]), None, "one activation in all"),
        (made(2, [3, 1], ["tanh", "sigmoid"]), None, "none in the last"),
    ],
)
def test_what_an_mlpclassifier_cannot_hold_is_refused(model, classes, told):
    with pytest.raises(ArgumentError, match=re.escape(told)):
        to_sklearn(model, classes)


def test_only_fitted_networks_come_in():
    from sklearn.exceptions import NotFittedError
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    with pytest.raises(NotFittedError):
        from_sklearn(MLPClassifier())
    with pytest.raises(ArgumentTypeError, match="LogisticRegression"):
        from_sklearn(LogisticRegression())


# ---- all of them -------------------------------------------------------------------------------


def test_networks_that_are_no_mlp_of_layers_are_refused(tmp_path):
    with pytest.raises(ArgumentTypeError, match="expected an MLP, got"):
        to_sklearn(Neuron(2))
    mixed = made(2, [3, 1])
    mixed.layers[0].neurons[1].activation = "relu"
    with pytest.raises(ArgumentError, match="layer 0 has neurons of several activations, tanh, re"):
        to_sklearn(mixed)
    with pytest.raises(ArgumentError, match="without layers"):
        to_sklearn(MLP(2, []))


def test_a_network_that_computes_otherwise_does_not_go_out():
    class Louder(MLP):
        def __call__(self, x):
            return 2 * super().__call__(x)

    with pytest.raises(ArgumentTypeError, match="Louder has a __call__ of its own"):
        to_sklearn(Louder(2, [1]))

    class Half(Neuron):
        def __call__(self, x):
            return super().__call__(x) / 2

    model = made(2, [3, 1])
    model.layers[0].neurons[1].__class__ = Half
    with pytest.raises(ArgumentTypeError, match="Half has a __call__ of its own"):
        to_sklearn(model)


def test_neurons_of_unequal_width_are_refused():
    model = made(2, [3, 1])
    del model.layers[0].neurons[2].w[1]
    with pytest.raises(InputCountError, match="layer 0 has neurons of 1, 2 weights; expected 2"):
        to_sklearn(model)


def test_a_number_too_large_for_float32_is_refused(tmp_path):
    pytest.importorskip("onnx")
    model = made(1, [1])
    model.layers[0].neurons[0].w[0].data = 1e39
    with pytest.raises(ArgumentError, match=r"1e\+39 is too large for float32: dtype='float64'"):
        to_onnx(model, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []
    to_onnx(model, tmp_path / "model.onnx", dtype="float64")
    assert run_onnx(tmp_path / "model.onnx", [[0.5]], "float64") == pytest.approx(5e38)


def broken(place, number):
    model = made(2, [3, 1])
    neuron = model.layers[0].neurons[2]
    (neuron.b if place == "b" else neuron.w[1]).data = number
    return model


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["b", "w[1]"])
def test_a_parameter_that_is_not_finite_is_named_and_does_not_go_out(tmp_path, place, number):
    told = re.escape(f"layer 0, neuron 2: {place} is {number}")
    with pytest.raises(ArgumentError, match=told):
        to_sklearn(broken(place, number))
    pytest.importorskip("onnx")
    for dtype in ("float32", "float64"):
        with pytest.raises(ArgumentError, match=told):
            to_onnx(broken(place, number), tmp_path / "model.onnx", dtype)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parity
def test_a_parameter_that_is_not_finite_does_not_go_to_torch(torch):
    with pytest.raises(ArgumentError, match="layer 0, neuron 2: b is nan"):
        to_torch(broken("b", math.nan))


def test_weights_that_are_fractions_go_out():
    model = made(1, [1])
    model.layers[0].neurons[0].w[0].data = Fraction(1, 4)
    assert to_sklearn(model).coefs_[0].tolist() == [[0.25]]


@pytest.mark.parametrize(
    ("missing", "call", "told"),
    [
        ("torch", lambda: to_torch(made()), r"micrograd\[parity\]"),
        ("torch", lambda: from_torch(None), r"micrograd\[parity\]"),
        ("onnx", lambda: to_onnx(made(), "never.onnx"), r"micrograd\[onnx\]"),
        ("sklearn", lambda: to_sklearn(made()), r"micrograd\[train\]"),
        ("sklearn", lambda: from_sklearn(None), r"micrograd\[train\]"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(monkeypatch, missing, call, told):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=told):
        call()


def test_an_activation_of_your_own_stays_here():
    from micrograd.ops import TABLE

    define(
        name="swoosh", arity=1, forward=lambda x: x / (1 + abs(x)),
        partials=lambda out, x: (1 / ((1 + abs(x)) * (1 + abs(x))),),
    )  # fmt: skip
    try:
        with pytest.raises(ArgumentError, match="'swoosh', which scikit-learn"):
            to_sklearn(made(activation="swoosh"))
    finally:
        del TABLE["swoosh"]
