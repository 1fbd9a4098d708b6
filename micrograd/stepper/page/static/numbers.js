// How numbers are written, as `micrograd.style.number_text` does, and whether what is written is exact.

// n digits and the exponent, ties to even. Only what has n + 1 digits and ends in 5 can be a tie.
function rounded(a, n) {
  const short = a.toExponential();
  if (short.replace(/e.*|\./g, "").length === n + 1 && /5e/.test(short)) {
    const exact = a.toExponential(60), m = exact.replace(".", "");
    if (/^50*$/.test(m.slice(n, m.indexOf("e"))) && m[n - 1] % 2 === 0) return [m.slice(0, n), +exact.split("e")[1]];
  }
  const [m, e] = a.toExponential(n - 1).split("e");
  return [m.replace(".", ""), +e];
}
function even(x) { // the nearest whole number, ties to even
  const below = Math.floor(x), rest = x - below;
  return rest > .5 || (rest === .5 && below % 2) ? below + 1 : below;
}
const trimmed = t => t.includes(".") ? t.replace(/\.?0+$/, "") : t;
// `whole`: it is an int of Python, which is written in full below a million.
function numberText(x, n = 4, plus = false, whole = false) {
  const a = Math.abs(x), sign = x < 0 ? "-" : plus && x > 0 ? "+" : "";
  if (Number.isNaN(x)) return "nan!";
  if (a === Infinity) return `${sign}inf!`;
  if (Number.isInteger(a) && a < (whole ? 1e6 : 1e5)) return sign + a;
  const [m, power] = whole ? halfUp(a, n) : rounded(a, n);
  if (a < 1e-4 || a >= 1e5) return `${sign}${trimmed(`${m[0]}.${m.slice(1)}`)}e${power}`;
  if (power >= n - 1) return sign + even(a);
  return sign + trimmed(power < 0 ? `0.${"0".repeat(-power - 1)}${m}` : `${m.slice(0, power + 1)}.${m.slice(power + 1)}`);
}
function halfUp(a, n) { // the digits of an int, as Python writes one of any length
  const all = BigInt(a), power = String(all).length - 1, unit = 10n ** BigInt(Math.max(0, power - n + 1)), digits = String((all + unit / 2n) / unit);
  return [digits, power + Math.max(0, digits.length - n)];
}
function numberOf(text) {
  const [a, b] = String(text).replace(/[\u2248!+]/g, "").replace("\u2212", "-").replace("inf", "Infinity").split("/");
  return b ? a / b : Number(a);
}

// ---- exact numbers: {n, d, e} is n / d * 10 ** e. What is no longer exact is a float.
const ONE = 1n, exactly = (n, e = 0, d = ONE) => ({ n, d, e });
function shown(text) { // the exact number that a text shows, or null
  const found = /^[-+]?(\d+)(?:\.(\d+))?(?:e(-?\d+))?$/.exec(text);
  if (!found) return null;
  const [, a, b = "", e = 0] = found, n = BigInt(a + b);
  return exactly(text[0] === "-" ? -n : n, e - b.length);
}
function added(a, b, sign = ONE) {
  const e = Math.min(a.e, b.e), of = x => x.n * 10n ** BigInt(x.e - e);
  return a.d === b.d ? exactly(of(a) + sign * of(b), e, a.d) : exactly(of(a) * b.d + sign * of(b) * a.d, e, a.d * b.d);
}
const multiplied = (a, b) => exactly(a.n * b.n, a.e + b.e, a.d * b.d);
const divided = (a, b) => b.n < 0n ? exactly(-a.n * b.d, a.e - b.e, -b.n * a.d) : exactly(a.n * b.d, a.e - b.e, a.d * b.n);
const LONGEST_POWER = 10_000; // bits
function powered(a, b) { // null: no exact number
  const power = floating(b), size = Math.max(String(a.n).length + Math.max(0, a.e), String(a.d).length - Math.min(0, a.e)) * 3.33;
  if (!Number.isInteger(power)) return null;
  if ((size > 4 && size * Math.abs(power) > LONGEST_POWER) || (power < 0 && !a.n)) return NaN;
  const n = BigInt(Math.abs(power)), whole = exactly(a.n ** n, a.e * Math.abs(power), a.d ** n);
  return power < 0 ? divided(exactly(1n), whole) : whole;
}
function floating(a) { return typeof a === "number" ? a : a.d === ONE ? Number(`${a.n}e${a.e}`) : Number(`${a.n}e${a.e}`) / Number(a.d); }
function exactOf(x) { // of a finite float
  if (typeof x !== "number") return x;
  let d = ONE;
  while (!Number.isInteger(x)) { x *= 2; d *= 2n; }
  return exactly(BigInt(x), 0, d);
}
const signum = a => a.n > 0n ? 1 : a.n < 0n ? -1 : 0;
const compared = (a, b) => signum(added(a, b, -ONE));
// Where the digits that are shown make an equation true.
function signOfEquation(texts, result, join) {
  const operands = texts.map(shown), wanted = shown(result);
  return wanted && operands.every(x => x) && compared(join(...operands), wanted) === 0 ? "=" : "\u2248";
}
// Near 0 many texts are the same float: the digits shown are all of them where JavaScript writes no others.
const signOfNumber = (x, text = numberText(x)) => numberOf(text) === x && (!x || Math.abs(x) > 1e-300 || text.replace("+", "") === String(x)) || x !== x ? "=" : "\u2248";

// ---- a template of micrograd/sentences/templates.py, filled in: `slots` gives the text of a slot, or
// whether a condition holds
const pieces = new Map();
function filled(template, slots) {
  if (!pieces.has(template)) pieces.set(template, [...template.matchAll(/([\ue000-\ue005]?)([^\ue000-\ue005]*)/g)]);
  const shown = [true], holds = [];
  let said = "";
  for (const [, mark, text] of pieces.get(template)) {
    const on = shown.at(-1);
    if (mark === "\ue002") { holds.push(on && slots(text)); shown.push(false); continue; }
    if (mark === "\ue003") shown[shown.length - 1] = holds.at(-1);
    else if (mark === "\ue004") shown[shown.length - 1] = !holds.pop() && shown.at(-2);
    else if (mark === "\ue005") shown.pop();
    if (shown.at(-1)) said += mark === "\ue000" ? slots(text) : text;
  }
  return said.replace(/(\u2248|about) \u2248/g, "$1 ");
}
function shortened(text) { // a long expression with the first two and the last of many terms
  if (text.length <= 64) return text;
  const terms = text.split(" + "), [a, b] = terms, last = terms.at(-1);
  return terms.length > 4 && `${a} + ${b} + ${last}`.length <= 64 ? `${a} + ${b} + \u2026 + ${last}` : `${text.slice(0, 32)}\u2026${text.slice(-22)}`;
}
