"""The machine code of a matrix of parameters times values of one sample, a lane for each row.

Each row is a weighted sum that is added up in order, so its lanes cannot share it. Rows can: the
numbers of as many rows as a register has lanes are turned into columns in registers, and each
column times one value is added to the sums of all these rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from micrograd.replay.llvm.processor import host, splat

__all__ = ["LEAST", "MOST", "matrix_ir"]

LEAST, MOST = 8, 64
"""How many rows a matrix has at least and at most."""
_AT_ONCE = 16  # rows whose sums are independent, so that none waits for the one before

# By the number of lanes. Half as many numbers of two rows each make a register; then numbers of the
# first and of the second half of the registers meet, until each is a column.
_TOGETHER = {2: ((0, 1),), 4: ((0, 2), (1, 3)), 8: ((0, 2), (1, 3), (4, 6), (5, 7))}
_TURNS: dict[int, list[tuple[Sequence[int], Sequence[int]]]] = {
    2: [],
    4: [((0, 4, 2, 6), (1, 5, 3, 7))],
    8: [
        ((0, 1, 4, 5, 8, 9, 12, 13), (2, 3, 6, 7, 10, 11, 14, 15)),
        ((0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15)),
    ],
}


class _Rows:
    """Writes what is computed for some rows at once, from row `%NAMEr` on.

    Parameters
    ----------
    name : str
        Names in the text begin with it.
    count : int
        How many rows.
    fused : callable
        Returns the text of a * b + c, given the type and these.
    """

    def __init__(self, name: str, count: int, fused: Callable[[str, str, str, str], str]) -> None:
        self.name, self.count, self.fused, self.lanes = name, count, fused, host().lanes
        self.half, self.type = self.lanes // 2, f"<{self.lanes} x double>"
        self.groups = range(0, count, self.lanes)
        self.lines: list[str] = []

    def new(self, name: str, text: str) -> str:
        self.lines.append(f"  %{self.name}{name} = {text}")
        return f"%{self.name}{name}"

    def rows(self, mark: str, base: str, stride: str) -> list[str]:
        """Write the addresses of the rows' numbers; return their names."""
        return [
            self.new(
                f"{mark}{row}",
                f"getelementptr double, ptr {base}, i64 "
                + self.new(f"{mark}o{row}", f"mul i64 {stride}, {row}"),
            )
            for row in range(self.count)
        ]

    def gathered(self, mark: str, addresses: list[str], kind: str = "double") -> list[str]:
        """Write the loads of a number, or several, of each row; return their names."""
        return [
            self.new(f"{mark}{row}", f"load {kind}, ptr {address}, align 8")
            for row, address in enumerate(addresses)
        ]

    def joined(self, mark: str, numbers: list[str]) -> list[str]:
        """Write the registers of a number of each row; return their names."""
        registers = []
        for first in self.groups:
            register = "poison"
            for lane in range(self.lanes):
                text = f"insertelement {self.type} {register}, double {numbers[first + lane]}"
                register = self.new(f"{mark}{first + lane}", f"{text}, i64 {lane}")
            registers.append(register)
        return registers

    def columns(self, first: int, pieces: list[str]) -> list[str]:
        """Write the columns of the numbers of a register's rows; return their names."""
        kind, count = f"<{self.half} x double>", 0

        def shuffled(of: str, a: str, b: str, mask: Sequence[int]) -> str:
            nonlocal count
            count += 1
            places = ", ".join(f"i32 {place}" for place in mask)
            text = f"shufflevector {of} {a}, {of} {b}, <{len(mask)} x i32> <{places}>"
            return self.new(f"s{first}_{count}", text)

        found = [
            shuffled(kind, pieces[a], pieces[b], range(self.lanes))
            for a, b in _TOGETHER[self.lanes]
        ]
        for masks in _TURNS[self.lanes]:
            pairs = zip(found, found[self.half // 2 :], strict=False)
            found = [shuffled(self.type, a, b, mask) for a, b in pairs for mask in masks]
        return found

    def times(self, columns: list[str], mark: str, at: str, totals: list[str]) -> list[str]:
        """Write what adds a column times value `at` to the totals; return the names of these."""
        address = self.new(f"{mark}xp", f"getelementptr double, ptr %v, i64 {at}")
        self.new(f"{mark}x", f"load double, ptr {address}, align 8")
        self.lines.append(splat("double", f"{self.name}{mark}x", self.lanes))
        return [
            self.new(f"{mark}t{i}", self.fused(self.type, column, f"%{self.name}{mark}xv", total))
            for i, (column, total) in enumerate(zip(columns, totals, strict=True))
        ]

    def write(self) -> str:
        """Return the text, which begins at the label NAME and ends behind the label NAMEend."""
        name, kind = self.name, self.type
        at = self.new("at", f"mul i64 %{name}r, %stride")
        base = self.new("base", f"getelementptr double, ptr %p, i64 {at}")
        at = self.new("fat", f"mul i64 %{name}r, %fstride")
        first = self.new("first", f"getelementptr double, ptr %f, i64 {at}")
        numbers = self.gathered("f", self.rows("fp", first, "%fstride"))
        starts = self.joined("start", numbers)
        totals = [f"%{name}total{i}" for i in range(len(starts))]
        sums = [f"%{name}sum{i}" for i in range(len(starts))]
        lines, self.lines = self.lines, []

        here = self.new("bk", f"getelementptr double, ptr {base}, i64 %{name}k")
        pieces = self.gathered("h", self.rows("p", here, "%stride"), f"<{self.half} x double>")
        columns = [self.columns(i, pieces[i : i + self.lanes]) for i in self.groups]
        new = totals
        for i, column in enumerate(map(list, zip(*columns, strict=True))):
            place = self.new(f"k{i}", f"add i64 %{name}k, {i}")
            new = self.times(column, f"c{i}", place, new)
        several, self.lines = self.lines, []

        here = self.new("bj", f"getelementptr double, ptr {base}, i64 %{name}j")
        column = self.joined("e", self.gathered("n", self.rows("q", here, "%stride")))
        last = self.times(column, "d", f"%{name}j", sums)
        single, self.lines = self.lines, []
        for i, total in enumerate(sums):
            place = self.new(f"to{i}", f"add i64 %{name}r, {i * self.lanes}")
            to = self.new(f"tp{i}", f"getelementptr double, ptr %out, i64 {place}")
            self.lines.append(f"  store {kind} {total}, ptr {to}, align 8")

        def phis(found: list[str], before: list[str], label: str, after: list[str], body: str):  # type: ignore[no-untyped-def]
            return [
                f"  {one} = phi {kind} [ {a}, %{name}{label} ], [ {b}, %{name}{body} ]"
                for one, a, b in zip(found, before, after, strict=True)
            ]

        return "\n".join([
            *lines, f"  br label %{name}ks", f"{name}ks:",
            f"  %{name}k = phi i64 [ 0, %{name} ], [ %{name}kn, %{name}several ]",
            *phis(totals, starts, "", new, "several"),
            f"  %{name}more = icmp slt i64 %{name}k, %whole",
            f"  br i1 %{name}more, label %{name}several, label %{name}js", f"{name}several:",
            *several,
            f"  %{name}kn = add i64 %{name}k, {self.half}", f"  br label %{name}ks", f"{name}js:",
            f"  %{name}j = phi i64 [ %whole, %{name}ks ], [ %{name}jn, %{name}single ]",
            *phis(sums, totals, "ks", last, "single"),
            f"  %{name}left = icmp slt i64 %{name}j, %n",
            f"  br i1 %{name}left, label %{name}single, label %{name}end", f"{name}single:",
            *single,
            f"  %{name}jn = add i64 %{name}j, 1", f"  br label %{name}js", f"{name}end:",
            *self.lines,
        ])  # fmt: skip


def matrix_ir(symbol: str, fused: Callable[[str, str, str, str], str]) -> str:
    """Return the function that writes, of each row, a number + the sum of the row times values.

    Its arguments are the first row and how far rows are apart, the values and how many they are,
    the numbers and how far these are apart, where the sums go, and how many rows there are, at
    least `LEAST`. The last rows may be computed twice.

    Parameters
    ----------
    symbol : str
    fused : callable
        Returns the text of a * b + c, given the type and these.
    """
    lanes = host().lanes
    return f"""
define void @{symbol}(ptr %p, i64 %stride, ptr %v, i64 %n, ptr %f, i64 %fstride, ptr %out,
    i64 %rows) #0 {{
entry:
  %whole = and i64 %n, -{lanes // 2}
  %last = sub i64 %rows, {lanes}
  br label %next
next:
  %r = phi i64 [ 0, %entry ], [ %r1, %manyend ], [ %r2, %fewend ]
  %left = sub i64 %rows, %r
  %any = icmp sgt i64 %left, 0
  br i1 %any, label %some, label %done
some:
  %enough = icmp sge i64 %left, {_AT_ONCE}
  br i1 %enough, label %many, label %few
many:
  %manyr = add i64 %r, 0
{_Rows("many", _AT_ONCE, fused).write()}
  %r1 = add i64 %r, {_AT_ONCE}
  br label %next
few:
  %over = icmp slt i64 %last, %r
  %fewr = select i1 %over, i64 %last, i64 %r
{_Rows("few", lanes, fused).write()}
  %r2 = add i64 %r, {lanes}
  br label %next
done:
  ret void
}}
"""
