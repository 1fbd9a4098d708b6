"""Networks in scikit-learn: the same outputs there and here, and what cannot go is named."""

import re

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("sklearn")

from networks import SHAPES, made, samples, scores  # noqa: E402

from micrograd.errors import ArgumentError, ArgumentTypeError  # noqa: E402
from micrograd.interop import from_sklearn, to_sklearn  # noqa: E402


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
        (lambda: made(2, [3, 1]), ["a"], "1 output has 2 classes, got ['a']"),
        (lambda: made(2, [3, 3]), ["a", "b"], "3 outputs has 3 classes"),
        (lambda: made(2, [3, 1]), ["b", "a"], "sorted order, ['a', 'b']"),
        (lambda: made(2, [3, 1]), ["a", "a"], "has 2 classes"),
        (lambda: made(2, [3, 1]), [None, 1], "all strings or all numbers, got [None, 1]"),
        (lambda: made(2, [3, 1], "gelu"), None, "'gelu', which scikit-learn's MLPClassifier"),
        (lambda: made(2, [3, 3, 1], ["tanh", "relu", "linear"]), None, "same activation in all"),
        (lambda: made(2, [3, 1], ["tanh", "sigmoid"]), None, "none in the last"),
    ],
)
def test_what_an_mlpclassifier_cannot_hold_is_refused(model, classes, told):
    with pytest.raises(ArgumentError, match=re.escape(told)):
        to_sklearn(model(), classes)


def test_only_fitted_networks_come_in():
    from sklearn.exceptions import NotFittedError
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    with pytest.raises(NotFittedError):
        from_sklearn(MLPClassifier())
    with pytest.raises(ArgumentTypeError, match="LogisticRegression"):
        from_sklearn(LogisticRegression())
