"""Early stopping."""

from micrograd.train import EarlyStop, fit
from tests.support.training import SIGNS, XOR, cloud, network, numbers


def scripted(losses):
    """Return a loss function that gives these numbers, whatever the scores are."""
    left = iter(losses)
    return lambda scores, targets: sum(scores) * 0 + next(left)


def test_early_stop_waits_for_its_patience():
    losses = [5.0, 4.0, 4.0, 3.9, 4.1, 4.2, 4.3, 1.0]
    history = fit(network(), XOR, SIGNS, scripted(losses), steps=8, early_stop=3)
    assert (history.loss, history.stopped_early) == (losses[:7], True)
    assert repr(history).endswith("stopped early)")
    history = fit(network(), XOR, SIGNS, scripted(losses), steps=8, early_stop=4)
    assert (len(history), history.stopped_early) == (8, False)
    stop = EarlyStop(patience=2, min_delta=0.5)
    assert len(fit(network(), XOR, SIGNS, scripted(losses), steps=8, early_stop=stop)) == 4


def test_early_stop_watches_the_validation_and_gives_the_best_parameters_back():
    model, kept = network(), []
    X, y = cloud(8, seed=1)
    wrong = [1 - label for label in y]  # to learn is to get worse here

    def keep(step, loss, accuracy):
        kept.append(numbers(model))

    stop = EarlyStop(patience=4, restore_best=True)
    history = fit(
        model, X, y, "bce", steps=60, validation=(X, wrong), early_stop=stop, progress=keep
    )
    best = min(range(len(history)), key=history.validation_loss.__getitem__)
    assert history.stopped_early
    assert len(history) == best + 5
    assert numbers(model) == ([numbers(network())] + kept)[best]
