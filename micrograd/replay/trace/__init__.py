"""Tracing: a function run once on symbols, and the tape that is written."""

from micrograd.replay.trace.recorder import (
    Recorder,
    Symbol,
    detached,
    differentiate,
    is_number_like,
    rule,
    tracing,
)

__all__ = ["Recorder", "Symbol", "detached", "differentiate", "is_number_like", "rule", "tracing"]
