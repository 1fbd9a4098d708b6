// Functions of C that JavaScript has not, or computes otherwise.

// Math.pow(1, NaN) and Math.pow(-1, Infinity) are NaN; in C and Python they are 1.
function pow(x, y) {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

// The cube root, rounded once: with t, the root to 17 bits, t * t * t is exact, and so is what x has
// beyond it. `ops/rows.py` does the same.
function cbrt(x) {
  const root = Math.cbrt(x), wide = root * (2 ** 36 + 1), t = wide - (wide - root), rest = root - t;
  if (x === 0 || !(Math.abs(x) < Infinity)) return x;
  if (Math.abs(x) < 1e-280) return cbrt(x * 2 ** 300) * 2 ** -100; // where t * t * t has fewer digits
  return t + (x - t * t * t) / (3 * t * (t + rest) + rest * rest);
}

// Scaled by a power of two, so that nothing overflows and no digit is lost.
function hypot(x, y) {
  const a = Math.max(Math.abs(x), Math.abs(y)), b = Math.min(Math.abs(x), Math.abs(y));
  if (Math.abs(x) === Infinity || Math.abs(y) === Infinity) return Infinity;
  if (!(a > 0) || b !== b) return a !== a || b !== b ? NaN : a;
  const scale = 2 ** Math.min(1023, Math.max(-1021, Math.floor(Math.log2(a))));
  const p = a / scale, q = b / scale;
  return scale * Math.sqrt(p * p + q * q);
}

// exp(-x * x), to about half an ulp: with the square in two parts, and as 2 ** k * exp(r + tail) with a
// small r, of which the first two terms of the series are summed without an error.
function gauss(x) {
  const high = Math.fround(x), k = Math.round((-x * x) / Math.LN2);
  const r = -high * high - k * 0.6931471803691238, tail = (high - x) * (x + high) - k * 1.9082149292705877e-10; // log 2 in two parts
  let rest = 0;
  for (let n = 18; n > 1; n--) rest = ((r + tail) / n) * (1 + rest);
  const one = 1 + r, power = one + (r - (one - 1) + tail + (r + tail) * rest);
  return k < -1000 ? power * 2 ** (k + 100) * 2 ** -100 : power * 2 ** k;
}

// The power series x - x^3 / (1! 3) + x^5 / (2! 5) - ..., from the end; the first term is added last.
function erfSeries(x) {
  const first = 1.1283791670955126 * x; // 2 / sqrt(pi)
  let rest = 0;
  for (let n = 30; n > 0; n--) rest = ((-x * x) / n) * (1 / (2 * n + 1) + rest);
  return first + first * rest;
}

// The continued fraction x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...))), from the end.
function erfcFraction(x) {
  let below = x;
  for (let n = Math.ceil(40 + 400 / (x * x)); n > 0; n--) below = x + n / 2 / below;
  return (gauss(x) / below) * 0.5641895835477563; // 1 / sqrt(pi)
}

function erf(x) {
  if (x === 0 || x !== x) return x;
  if (Math.abs(x) < 1) return erfSeries(x);
  if (Math.abs(x) > 6) return Math.sign(x);
  return x < 0 ? erfcFraction(-x) - 1 : 1 - erfcFraction(x);
}

function erfc(x) {
  if (x !== x) return x;
  if (x < -6) return 2;
  if (x < 0) return x > -1 ? 1 - erfSeries(x) : 2 - erfcFraction(-x);
  return x < 0.8 ? 1 - erfSeries(x) : x < 28 ? erfcFraction(x) : 0;
}
