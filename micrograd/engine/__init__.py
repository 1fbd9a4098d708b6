"""The engine: Values that remember how they were computed, and the chain rule over them.

`course.build_your_own` has an engine in sixty lines: read that first. Here, `value` records a
graph, `backward` walks it backwards, and `node` is what a node remembers.
"""

from micrograd.engine.node import Node as Node
from micrograd.engine.value import Value, enable_grad, gradient, no_grad
from micrograd.values.reading import plain as plain

__all__ = ["Value", "enable_grad", "gradient", "no_grad"]
