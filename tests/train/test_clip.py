"""Clipping of the gradient in `fit`, in Python and in machine code."""

import math
import random

import pytest

from micrograd.errors import ArgumentError
from micrograd.nn import MLP
from micrograd.optim import SGD, Clip
from micrograd.train import fit


@pytest.mark.parametrize("compiled", [False, True])
def test_fit_takes_a_number_as_the_norm(compiled):
    if compiled:
        pytest.importorskip("llvmlite")
    ends = []
    for clip in (0.1, Clip(norm=0.1), None):
        model = MLP(2, [3, 1], rng=random.Random(0))
        optimizer = SGD(model.parameters(), 0.5)
        X, y = [[1.0, 2.0], [0.5, -1.0]], [0, 1]
        fit(model, X, y, "bce", optimizer, 3, progress=False, clip=clip, compile=compiled)
        ends.append([p.data for p in model.parameters()])
        norm = math.hypot(*[p.grad for p in model.parameters()])
        assert (norm == pytest.approx(0.1)) == (clip is not None)
    assert ends[0] == ends[1] != ends[2]
    with pytest.raises(ArgumentError, match="clip"):
        fit(model, X, y, "bce", clip=-1)
