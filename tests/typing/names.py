"""What a type checker knows of `import micrograd as mg`: `mypy` reads this file, nothing runs it.

Each line that is ignored is a mistake: mypy complains of the comment where it no longer finds one,
so a name of type Any, which fits everywhere, would be seen.
"""

import micrograd as mg


def modules_and_functions_are_known() -> None:
    model: mg.MLP = mg.nn.MLP(2, [3, 1])
    descent: mg.optim.SGD = mg.optim.SGD(model.parameters(), lr=0.1)
    history: mg.train.History = mg.train.fit(model, [[0.0, 1.0]], [1], optimizer=descent)
    again: mg.train.History = mg.fit(model, [[0.0, 1.0]], [1])
    classifier: mg.estimator.MicrogradClassifier = mg.MicrogradClassifier()
    del history, again, classifier


def mistakes_are_found() -> None:
    numbers: list[int] = []
    numbers += [mg.nn.MLP]  # type: ignore[list-item]
    numbers += [mg.MLP]  # type: ignore[list-item]
    numbers += [mg.fit]  # type: ignore[list-item]
    numbers += [mg.compile]  # type: ignore[list-item]
    numbers += [mg.draw_dot, mg.draw_network]  # type: ignore[list-item]
    numbers += [mg.draw.draw_dot, mg.interop.to_torch]  # type: ignore[list-item]
    numbers += [mg.steps, mg.explain, mg.diagnose, mg.watch]  # type: ignore[list-item]
    numbers += [mg.sum, mg.abs, mg.MicrogradRegressor]  # type: ignore[list-item]
    numbers += [mg.plott]  # type: ignore[attr-defined]
