// The Mersenne twister, as the generators of Python's `random` and of NumPy's `RandomState` use it.

function twister(state) { // gives the next 32 bits
  let at = 624;
  return () => {
    if (at === 624) {
      for (let k = 0; k < 624; k++) {
        const y = (state[k] & 0x80000000) | (state[(k + 1) % 624] & 0x7fffffff);
        state[k] = state[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = state[at++];
    y ^= y >>> 11; y ^= (y << 7) & 0x9d2c5680; y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}
function spread(seed) { // the state that one number of 32 bits gives
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let k = 1; k < 624; k++) state[k] = Math.imul(1812433253, state[k - 1] ^ (state[k - 1] >>> 30)) + k;
  return state;
}
const fraction = bits => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;

// `random.Random(seed)` for a whole number.
function randomOf(seed) {
  const key = [], state = spread(19650218);
  for (let rest = BigInt(Math.abs(seed)); rest || !key.length; rest >>= 32n) key.push(Number(rest & 0xffffffffn));
  const mixed = (i, factor) => state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), factor);
  let i = 1, j = 0;
  const next = () => { if (++i === 624) { state[0] = state[623]; i = 1; } };
  for (let k = Math.max(624, key.length); k; k--) { state[i] = mixed(i, 1664525) + key[j] + j; next(); j = (j + 1) % key.length; }
  for (let k = 623; k; k--) { state[i] = mixed(i, 1566083941) - i; next(); }
  state[0] = 0x80000000;
  const bits = twister(state), random = () => fraction(bits);
  let spare = null;
  return {
    random,
    uniform: (low, high) => low + (high - low) * random(),
    gauss(mean, deviation) {
      let z = spare;
      spare = null;
      if (z === null) {
        const turn = random() * 2 * Math.PI, length = Math.sqrt(-2 * Math.log(1 - random()));
        z = Math.cos(turn) * length; spare = Math.sin(turn) * length;
      }
      return mean + z * deviation;
    },
    shuffle(list) {
      for (let i = list.length - 1; i > 0; i--) {
        const shift = Math.clz32(i + 1); // as many bits as i + 1 has
        let j = bits() >>> shift;
        while (j > i) j = bits() >>> shift;
        [list[i], list[j]] = [list[j], list[i]];
      }
      return list;
    },
  };
}
