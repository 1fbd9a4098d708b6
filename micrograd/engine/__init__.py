"""The engine. Read it in sixty lines first: notebook 8, or `course.build_your_own`.

Here, `backward` has the chain rule, `value` records the graph that it walks, and `node` is what a
node of it remembers.
"""

# `as` with the same name: other modules import it from here, too.
from micrograd.engine.node import Node as Node
from micrograd.engine.value import Value, enable_grad, gradient, no_grad
from micrograd.values.reading import plain as plain

__all__ = ["Value", "enable_grad", "gradient", "no_grad"]
