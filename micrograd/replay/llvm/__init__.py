"""Machine code through LLVM: a tape's text, its loops, and the processor."""

from micrograd.replay.llvm.emitter import CHUNK, Machine, host, is_available, machine_code, program
from micrograd.replay.llvm.emitter import Program as Program

__all__ = ["CHUNK", "Machine", "host", "is_available", "machine_code", "program"]
