"""Graphs that several tests look at."""

from micrograd import Value


def guide_graph() -> Value:
    """Return L = s × h of s = h + b and h = x × w: h is used twice, all numbers are ints."""
    x, w, b = Value(2, label="x"), Value(-3, label="w"), Value(10, label="b")
    h = x * w
    h.label = "h"
    s = h + b
    s.label = "s"
    root = s * h
    root.label = "L"
    return root
