// The data sets of `micrograd.datasets`, with the split of `load`: seven are generated, the samples of
// the real ones are sent.

// NumPy's `RandomState(seed)`, which scikit-learn draws with.
function randomState(seed) {
  const bits = twister(spread(seed)), random = () => fraction(bits);
  let spare = null;
  return {
    normal(mean, deviation) {
      let z = spare, x, y, r;
      spare = null;
      if (z === null) {
        do { x = 2 * random() - 1; y = 2 * random() - 1; r = x * x + y * y; } while (r >= 1 || r === 0);
        const f = Math.sqrt(-2 * Math.log(r) / r);
        spare = f * x; z = f * y;
      }
      return mean + deviation * z;
    },
    shuffled(list) {
      const found = [...list];
      for (let i = found.length - 1; i > 0; i--) {
        const mask = 2 ** (32 - Math.clz32(i)) - 1;
        let j = (bits() & mask) >>> 0;
        while (j > i) j = (bits() & mask) >>> 0;
        [found[i], found[j]] = [found[j], found[i]];
      }
      return found;
    },
  };
}

const isMade = data => data !== "own" && data !== "none";
const countTo = n => Array.from({ length: n }, (_, i) => i);
// Two curves, shuffled, with noise: `outer(t)` and `inner(t)` for t in steps through a turn.
function twoCurves(n, noise, seed, [outer, inner], step, last) {
  const draw = randomState(seed), sizes = [Math.floor(n / 2), n - Math.floor(n / 2)];
  const points = sizes.flatMap((size, k) => countTo(size).map(i => [[outer, inner][k](i === size - 1 ? last ?? i * step(size) : i * step(size)), k]));
  return draw.shuffled(points).map(([[x, y], k]) => [[x + draw.normal(0, noise), y + draw.normal(0, noise)], k]);
}
// Samples all over a square, with the height of a surface there.
function surface(n, noise, seed, height) {
  const draw = randomOf(seed);
  return countTo(n).map(() => { const x = draw.uniform(-2, 2), y = draw.uniform(-2, 2); return [[x, y], height(x, y) + draw.gauss(0, noise)]; });
}
const BLOBS = [[-1.2, -.7], [1.2, -.7], [0, 1.3]];
const SETS = {
  none: { noise: 0, classes: ["0", "1"], make: () => [] }, // for points that are painted
  moons: { noise: .1, classes: ["0", "1"], make: (n, noise, seed) => twoCurves(n, noise, seed, [t => [Math.cos(t), Math.sin(t)], t => [1 - Math.cos(t), 1 - Math.sin(t) - .5]], size => Math.PI / (size - 1), Math.PI) },
  circles: { noise: .1, classes: ["0", "1"], make: (n, noise, seed) => twoCurves(n, noise, seed, [t => [Math.cos(t), Math.sin(t)], t => [Math.cos(t) * .5, Math.sin(t) * .5]], size => 2 * Math.PI / size) },
  xor: {
    noise: .35, classes: ["0", "1"],
    make(n, noise, seed) {
      const draw = randomOf(seed);
      return countTo(n).map(i => { const right = i & 1, up = i >> 1 & 1; return [[2 * right - 1 + draw.gauss(0, noise), 2 * up - 1 + draw.gauss(0, noise)], right ^ up]; });
    },
  },
  spirals: {
    noise: .08, classes: ["0", "1"],
    make(n, noise, seed) {
      const draw = randomOf(seed);
      return countTo(n).map(i => {
        const arm = i & 1, along = (i >> 1) / Math.max(1, Math.floor((n - 1) / 2)), radius = .2 + 1.8 * along, angle = 2 * Math.PI * along + Math.PI * arm;
        const x = radius * Math.cos(angle), y = radius * Math.sin(angle);
        return [[x + draw.gauss(0, noise), y + draw.gauss(0, noise)], arm];
      });
    },
  },
  blobs: {
    noise: .5, classes: ["0", "1", "2"],
    make(n, noise, seed) {
      const draw = randomState(seed);
      return draw.shuffled(BLOBS.flatMap(([x, y], k) => countTo(Math.floor(n / 3) + (k < n % 3)).map(() => [[draw.normal(x, noise), draw.normal(y, noise)], k])));
    },
  },
  plane: { noise: .05, classes: [], make: (n, noise, seed) => surface(n, noise, seed, (x, y) => (x + y) / 4) },
  gaussians: { noise: .05, classes: [], make: (n, noise, seed) => surface(n, noise, seed, (x, y) => Math.exp(-((x - 1) ** 2 + (y - 1) ** 2)) - Math.exp(-((x + 1) ** 2 + (y + 1) ** 2))) },
};

// As scikit-learn's split, which is stratified where there are classes: which samples are learnt, and
// which are held out.
function split(groups, held, seed) {
  const draw = randomState(seed);
  if (typeof groups === "number") { const order = draw.shuffled(countTo(groups)); return [order.slice(held), order.slice(0, held)]; } // so many samples
  const classes = Math.max(...groups) + 1, of = countTo(classes).map(k => countTo(groups.length).filter(i => groups[i] === k));
  const counts = of.map(list => list.length), learnt = shares(counts, groups.length - held, draw), rest = shares(counts.map((c, k) => c - learnt[k]), held, draw);
  const parts = [[], []];
  of.forEach((list, k) => {
    const shuffled = draw.shuffled(countTo(list.length)).map(i => list[i]);
    parts[0].push(...shuffled.slice(0, learnt[k])); parts[1].push(...shuffled.slice(learnt[k], learnt[k] + rest[k]));
  });
  return parts.map(part => draw.shuffled(part));
}
function shares(counts, drawn, draw) { // how many of each class, as near to its share as can be
  const total = counts.reduce((a, b) => a + b), exact = counts.map(c => c / total * drawn), found = exact.map(Math.floor);
  let missing = drawn - found.reduce((a, b) => a + b);
  for (const value of [...new Set(exact.map((x, k) => x - found[k]))].sort((a, b) => b - a)) {
    if (missing <= 0) break;
    const tied = countTo(counts.length).filter(k => exact[k] - Math.floor(exact[k]) === value && found[k] === Math.floor(exact[k]));
    const chosen = draw.shuffled(countTo(tied.length)).slice(0, Math.min(tied.length, missing));
    for (const i of chosen) found[tied[i]]++;
    missing -= chosen.length;
  }
  return found;
}

// ---- a set of a task, by name: one that is generated, or a real one
const setOf = (task, name) => SETS[name] ?? task.real[name];
const isReal = (task, name) => Object.hasOwn(task.real, name);
// What else a set has at first, and how many samples `load` can give.
const firstOf = (task, name) => isReal(task, name) ? { n: task.real[name].n, held_out: .25 } : { n: 200, noise: SETS[name].noise, held_out: .5 };
function sizesOf(task, name, share) { // each part needs a sample of every class
  const { classes, y } = setOf(task, name), least = Math.ceil(2 * Math.max(1, classes.length) / Math.min(share, 1 - share));
  return y ? [least, y.length] : [Math.max(10, least), 1000];
}
// Whether such a share of so many samples can be held out.
function isShare(task, { data, n }, share) {
  if (data === "none" || !(share > 0 && share < 1)) return share === (data === "own" ? 0 : firstOf(task, data).held_out);
  if (data !== "own") { const [least, most] = sizesOf(task, data, share); return least <= Math.min(n, most); }
  const { rows, training, groups, labels } = task.own, counts = (labels ?? [0]).map((_, k) => labels ? groups.filter(g => g === k).length : rows.length), held = Math.ceil(rows.length * share);
  return training === rows.length && Math.min(held, rows.length - held) >= counts.length && Math.min(...counts) > 1;
}

const meanOf = values => values.reduce((a, b) => a + b) / values.length;
function realSamples({ X, y, features }, n, seed) { // so many of all, in the order of `load`
  const width = features.length, numbers = typeof X === "string" ? Array.from(X, c => c.charCodeAt(0) - 97) : X, groups = Array.from(y, Number);
  const chosen = n < groups.length ? split(groups, groups.length - n, seed)[0] : countTo(groups.length);
  return chosen.map(i => [numbers.slice(i * width, i * width + width), groups[i]]);
}
function standardised(rows, training) { // by the samples that are learnt
  const ways = rows[0].map((_, k) => { const seen = rows.slice(0, training).map(row => row[k]), mean = meanOf(seen); return [mean, Math.sqrt(meanOf(seen.map(x => (x - mean) ** 2))) || 1]; });
  return rows.map(row => row.map((x, k) => (x - ways[k][0]) / ways[k][1]));
}

// Coordinates of four decimals: the last places of log, cos, sin and of sums differ between machines.
const toFour = x => even(x * 1e4) / 1e4;
function ownSet({ own }, { held_out: share, dataSeed }) {
  if (!share) return own;
  const parts = split(own.labels ? own.groups : own.rows.length, Math.ceil(own.rows.length * share), dataSeed), [rows, groups, targets] = [own.rows, own.groups, own.targets].map(list => list && parts.flat().map(i => list[i]));
  return { ...own, rows, groups, ...(targets ? { targets } : {}), training: parts[0].length, plane: { ...own.plane, means: own.plane.means.map((_, k) => meanOf(rows.slice(0, parts[0].length).map(row => row[k]))) } };
}
function madeSet(task, { data, n, noise, dataSeed, held_out: share }) {
  const set = setOf(task, data), { classes, features: names = ["x1", "x2"], columns = [0, 1] } = set, real = isReal(task, data);
  const samples = real ? realSamples(set, n, dataSeed) : set.make(n, noise, dataSeed), answers = samples.map(([, answer]) => answer), parts = samples.length ? split(classes.length ? answers : n, Math.ceil(n * share), dataSeed) : [[], []];
  const chosen = parts.flat().map(i => samples[i]), drawn = chosen.map(([point]) => point), rows = (real ? standardised(drawn, parts[0].length) : drawn).map(row => row.map(toFour));
  const low = [], high = [], means = names.map((_, k) => rows.length ? meanOf(rows.slice(0, parts[0].length).map(row => row[k])) : 0);
  for (const k of columns) {
    const values = rows.length ? rows.map(row => row[k]) : [-1.8, 1.8], [a, b] = [Math.min(...values), Math.max(...values)], margin = !rows.length ? .2 : b > a ? .08 * (b - a) : 1;
    low.push(a - margin); high.push(b + margin);
  }
  const made = { rows, groups: chosen.map(([, group]) => group), training: parts[0].length, names, called: names, classes, labels: classes.map((_, k) => k), plane: { columns, low, high, means } };
  if (classes.length) return made;
  const targets = made.groups.map(toFour), { middle } = levelOf({ targets, training: made.training });
  return { ...made, groups: targets.map(t => Number(t > middle)), targets, labels: null };
}
