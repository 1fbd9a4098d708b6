// Functions of C that JavaScript has not, or computes otherwise.

// Math.pow(1, NaN) and Math.pow(-1, Infinity) are NaN; in C and Python they are 1.
function pow(x, y) {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
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

// exp(-x * x), with the square in two parts: its rounding would be magnified.
function gauss(x) {
  const high = Math.fround(x), low = x - high;
  return Math.exp(-high * high) * Math.exp(-low * (x + high));
}

// The power series: sum of (-1)^n x^(2n+1) / (n! (2n+1)), in the form without alternating signs.
function erfSeries(x) {
  let term = x, total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * gauss(x) * total;
}

// The continued fraction x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...))), from the end.
function erfcFraction(x) {
  let below = x;
  for (let n = Math.ceil(40 + 400 / (x * x)); n > 0; n--) below = x + n / 2 / below;
  return gauss(x) / (below * Math.sqrt(Math.PI));
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
  return x < 0.5 ? 1 - erfSeries(x) : x < 28 ? erfcFraction(x) : 0;
}
