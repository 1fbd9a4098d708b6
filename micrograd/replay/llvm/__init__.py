"""Machine code through LLVM.

`rows` says what each operation is (a relu is a comparison and a choice), `emitter` writes a tape as
LLVM's text, in the order of `plan`, with the loops of `rerolled` and `loop_code`, or as the
`bytecode` of a large tape. `driver` runs a program on samples, `direct` lets CPython call it, and
`processor` makes the machine code, which `cache` keeps on disk.
"""

from micrograd.replay.llvm.emitter import CHUNK, Machine, Source, host, is_available, machine_code
from micrograd.replay.llvm.emitter import Program as Program

__all__ = ["CHUNK", "Machine", "Source", "host", "is_available", "machine_code"]
