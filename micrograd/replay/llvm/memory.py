"""What is known about a program, and where the memory of a call has what."""

from __future__ import annotations

from micrograd.replay.llvm.processor import load

__all__ = ["WORDS", "areas", "vector"]

WORDS = ("block", "inputs", "results", "columns", "width", "slots", "table", "constants", "records",
         "length")  # fmt: skip
"""What is known about a program: an array of whole numbers, these and then the size of each
argument. The last four are for the interpreter."""


def vector(lanes: int) -> tuple[str, int, str]:
    """Return the type of a register, its alignment, and the text of one that is -0.0 throughout.

    Results are added to -0.0, which keeps the sign of a zero, as 0.0 would not.
    """
    return f"<{lanes} x double>", 8 * lanes, f"<{', '.join(['double -0.0'] * lanes)}>"


def areas(lanes: int) -> str:
    """Return the text that reads what is said about a program, and divides its memory."""
    v, _, _ = vector(lanes)
    words = "\n".join(load(name, "i64", "%d", str(i)) for i, name in enumerate(WORDS))
    return f"""{words}
  %code = inttoptr i64 %block to ptr
  %numbers = mul i64 %inputs, %width
  %acc = getelementptr {v}, ptr %in, i64 %numbers
  %scratch = getelementptr {v}, ptr %acc, i64 %results"""
