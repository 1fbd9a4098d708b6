"""The processor, and how LLVM's text becomes machine code for it; snippets of that text."""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
import threading
from typing import Any, cast

from micrograd.replay.llvm import cache

__all__ = [
    "TWO_OPERANDS", "USUAL", "Host", "again", "attributes", "has_loops", "host", "is_available",
    "load", "machine_code", "muladd", "picked", "splat"
]  # fmt: skip

# LLVM's level of optimisation. O2 takes twice the time of O1, most of it for a second scheduling,
# and its code is no faster.
USUAL = 1
_FUNCTIONS = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf",
    "erfc", "exp", "expm1", "hypot", "log", "log10", "log1p", "log2", "pow", "sin", "sinh", "tan",
    "tanh",
]  # fmt: skip
TWO_OPERANDS = {"atan2", "hypot", "pow"}


def is_available() -> bool:
    """Return whether llvmlite can be imported."""
    try:
        import llvmlite.binding  # noqa: F401
    except ImportError:
        return False
    return True


class Host:
    """The processor that code is made for.

    Attributes
    ----------
    lanes : int
        Numbers in a vector register: 8 with AVX-512, 4 with AVX2, else 2.
    fuses : bool
        Whether it computes a * b + c in one operation.
    vector : dict of str to str
        C function -> the symbol of its vector version for `lanes` numbers.
    """

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        if int(getattr(llvm, "llvm_version_info", (0,))[0]) < 20:
            llvm.initialize()  # newer versions initialise themselves, and warn of this call
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        self.name = llvm.get_host_cpu_name()
        self.features = features.flatten()
        self.lanes, letter = 2, "b"
        if features.get("avx512f") and features.get("avx512dq"):
            self.lanes, letter = 8, "e"
        elif features.get("avx2") and features.get("fma"):
            self.lanes, letter = 4, "d"
        arm = platform.machine() in ("aarch64", "arm64")
        self.fuses = self.lanes > 2 or arm
        self.vector: dict[str, str] = {}
        if sys.platform == "linux":
            try:
                llvm.load_library_permanently("libmvec.so.1")
            except RuntimeError:
                pass  # an older C library, or another one: the scalar functions are used
            else:
                for name in _FUNCTIONS:
                    marks = "vv" if name in TWO_OPERANDS else "v"
                    symbol = f"_ZGV{letter}N{self.lanes}{marks}_{name}"
                    if llvm.address_of_symbol(symbol):
                        self.vector[name] = symbol
        self._scalar_functions(llvm)

    def _scalar_functions(self, llvm: Any) -> None:
        missing = [name for name in _FUNCTIONS if not llvm.address_of_symbol(name)]
        if missing:
            library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
            for name in missing:
                address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
                llvm.add_symbol(name, address)

    def machine(self, level: int) -> Any:
        """Return LLVM's target machine for this processor."""
        import llvmlite.binding as llvm

        target = llvm.Target.from_default_triple()
        return target.create_target_machine(
            cpu=self.name, features=self.features, opt=level, jit=True
        )


_lock = threading.Lock()


@functools.lru_cache(maxsize=1)
def host() -> Host:
    """Return the processor of this machine."""
    return Host()


def has_loops(contract: bool) -> bool:
    """Return whether like steps become loops, which round a product and its sum once."""
    return contract and host().fuses


def attributes() -> str:
    """Return the definitions of the attributes: #0 for our own functions, #1 for the library's."""
    bits = 64 * host().lanes
    return (
        f'attributes #0 = {{ nounwind noinline "prefer-vector-width"="{bits}" '
        f'"min-legal-vector-width"="{bits}" "no-trapping-math"="true" }}\n'
        "attributes #1 = { nounwind willreturn memory(none) }\n"
    )


def load(name: str, kind: str, base: str, at: str, align: int = 8) -> str:
    """Return the text that loads `%name` from an array at `base`."""
    return (
        f"  %{name}p = getelementptr {kind}, ptr {base}, i64 {at}\n"
        f"  %{name} = load {kind}, ptr %{name}p, align {align}"
    )


def again(counter: str, limit: str, body: str, end: str, step: str = "1") -> str:
    """Return the text that counts a loop's pass, and goes to its body again or to its end."""
    return (
        f"  %{counter}1 = add i64 %{counter}, {step}\n"
        f"  %{counter}more = icmp slt i64 %{counter}1, {limit}\n"
        f"  br i1 %{counter}more, label %{body}, label %{end}"
    )


def splat(kind: str, name: str, lanes: int) -> str:
    """Return the text that makes `%namev`, a vector of `%name`."""
    v = f"<{lanes} x {kind}>"
    return (
        f"  %{name}1 = insertelement {v} poison, {kind} %{name}, i64 0\n"
        f"  %{name}v = shufflevector {v} %{name}1, {v} poison, <{lanes} x i32> zeroinitializer"
    )


def picked(vector: str, lanes: int, first: int, count: int) -> str:
    """Return the text that picks `count` numbers of a vector, from the `first` on."""
    v = f"<{lanes} x double>"
    places = ", ".join(f"i32 {place}" for place in range(first, first + count))
    return f"shufflevector {v} {vector}, {v} poison, <{count} x i32> <{places}>"


def muladd(kind: str, a: str, b: str, c: str) -> tuple[str, str]:
    """Return the text of a * b + c, rounded once where the processor can, and its declaration.

    It is emitted explicitly: LLVM does not fuse a product that occurs twice nearby by itself.
    """
    symbol = f"llvm.fmuladd.v{kind[1:].partition(' ')[0]}f64"
    text = f"call {kind} @{symbol}({kind} {a}, {kind} {b}, {kind} {c})"
    return text, f"declare {kind} @{symbol}({kind}, {kind}, {kind})"


def machine_code(ir: str, level: int = USUAL, keep: bool = True) -> tuple[Any, int]:
    """Return LLVM's engine that holds the code of a module, and the bytes of it.

    Parameters
    ----------
    ir : str
    level : int
    keep : bool
        Whether the code may be kept on disk: not if addresses of this process stand in the text.
    """
    import llvmlite
    import llvmlite.binding as llvm

    def compile_it() -> bytes:
        module = llvm.parse_assembly(ir)
        module.triple, module.data_layout = machine.triple, str(machine.target_data)
        # An engine would also report the size, but by calling Python while it compiles: an
        # interrupt would be raised there, and be lost.
        return cast("bytes", machine.emit_object(module))

    with _lock:
        here, machine = host(), host().machine(level)
        about = [llvmlite.__version__, machine.triple, here.name, here.features, str(level), ir]
        code = cache.compiled("\n".join(about), compile_it) if keep else compile_it()
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
    return engine, len(code)
