"""The trainer of the page against the eager engine."""

import pytest

pytest.importorskip("numpy")

from trainer import in_node
from watched import HELD, X, model, y

from micrograd import watch
from micrograd.optim import SGD
from micrograd.train import fit

_RAN = """
    const run = trainerOf(given.task, given.settings).step(given.steps);
    return { losses: run.losses, held: run.held, parameters: [...run.parameters],
             grads: [...run.grads], stopped: run.stopped, done: run.done };
"""


def both(make, steps, data=(X, y), loss="hinge", settings=None, **options):
    """Return what the page and the engine found, with optimizers that `make` gives."""
    watched, fitted = model(8, 8, 1), model(8, 8, 1)
    view = watch(watched, *data, loss, make(watched.parameters()), **options)
    given = {"task": view.task, "steps": steps, "settings": settings or {}}
    history = fit(
        fitted, *data, loss, make(fitted.parameters()), steps=steps, compile=False, progress=False,
        **options,
    )  # fmt: skip
    parameters = fitted.parameters()
    return in_node(_RAN, given), {
        "losses": history.loss, "held": history.validation_loss,
        "parameters": [p.data for p in parameters], "grads": [p.grad for p in parameters],
        "stopped": "", "done": steps,
    }  # fmt: skip


@pytest.mark.parametrize("options", [
    {}, {"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}, {"weight_decay": 0.01},
    {"batch_size": 7, "seed": 2**40 + 1}, {"batch_size": 1, "seed": 3}, {"loss": "mse"},
])  # fmt: skip
def test_relu_and_sgd_give_the_bits_of_the_engine(options):
    names = {"momentum", "nesterov", "weight_decay"}
    own = {key: options[key] for key in names & set(options)}
    rest = {key: options[key] for key in set(options) - names}
    page, engine = both(lambda p: SGD(p, 0.05, **own), 120, validation=HELD, **{"seed": 0, **rest})
    assert page == engine


def test_a_reset_and_a_step_at_a_time_give_the_same_curve():
    net = model(8, 8, 1)
    view = watch(net, X, y, "hinge", SGD(net.parameters()), batch_size=7)
    found = in_node(
        "const run = trainerOf(given).step(30), first = run.losses;"
        "run.reset(); for (let k = 0; k < 30; k++) { run.step(); run.frame({ maps: true }); }"
        "return [first, run.losses];",
        view.task,
    )
    assert found[0] == found[1] == view.run(30).losses
