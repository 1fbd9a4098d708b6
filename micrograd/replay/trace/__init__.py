"""Tracing: a function run once on symbols, and the tape that is written."""

from micrograd.replay.trace.derivatives import differentiate
from micrograd.replay.trace.recorder import Recorder, Symbol, detached, is_number_like, tracing
from micrograd.replay.trace.rules import rule

__all__ = ["Recorder", "Symbol", "detached", "differentiate", "is_number_like", "rule", "tracing"]
