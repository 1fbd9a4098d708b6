"""Training in machine code: compiled steps and the loop around them."""

from micrograd.replay.training.compiled_steps import (
    Adam,
    CompiledSteps,
    Descent,
    Rule,
    Sgd,
    is_brief,
    is_worth_compiling,
)

__all__ = ["Adam", "CompiledSteps", "Descent", "Rule", "Sgd", "is_brief", "is_worth_compiling"]
