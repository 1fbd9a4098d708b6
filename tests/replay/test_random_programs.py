"""Python has the engine's bits for any program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replaying import bits, eager

from micrograd import ops
from micrograd.replay import compile  # noqa: A004

pytest.importorskip("llvmlite")

RULES = {"add": 2, "sub": 2, "mul": 2, "tanh": 1, "relu": 1, "maximum": 2, "sigmoid": 1, "neg": 1}


@given(st.data())
def test_python_and_machine_code_on_any_program(data):
    count = data.draw(st.integers(1, 3))
    inputs = data.draw(
        st.lists(st.floats(-1.5, 1.5, allow_subnormal=False), min_size=count, max_size=count)
    )
    steps = []
    for made in range(data.draw(st.integers(1, 8))):
        rule = data.draw(st.sampled_from(sorted(RULES)))
        where = st.integers(0, count + made - 1)
        steps.append((rule, [data.draw(where) for _ in range(RULES[rule])]))

    def fn(*leaves):
        nodes = list(leaves)
        for rule, operands in steps:
            nodes.append(ops.TABLE[rule](*[nodes[i] for i in operands]))
        return nodes[-1]

    value, grads = eager(fn, inputs)
    python = compile(fn, "python")
    assert bits(python(*inputs)) == bits(value)
    assert bits(python.jacobian(*inputs)) == bits(grads)
