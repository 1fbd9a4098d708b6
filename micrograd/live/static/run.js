// A run in the page: its data, its steps and what is shown of it.

const MAP_SIDE = 60, FINE_SIDE = 120, LINE_POINTS = 101;
const signOfLoss = loss => Number.isFinite(loss) ? numberText(loss, 3) : "not finite";

// The inputs that a run can take, by name: how each is written in Python, and its graph.
const inputsOf = (task, data) => new Map((task.inputs[data] ?? task.inputs.made).map(([name, ...one]) => [name, one]));

// The samples from their columns: each has its numbers, or a table and a letter for each sample.
function rowsOf(columns) {
  const all = columns.map(([numbers, letters]) => letters == null ? numbers : Array.from(letters, c => { const k = c.charCodeAt(0) - 40; return numbers[k - (k > 52)]; }));
  return all[0].map((_, i) => all.map(column => column[i]));
}
// The samples: those that Python sent, or generated ones; and the points that were painted.
function dataOf(task, settings) {
  const made = settings.data === "own" ? ownSet(task, settings) : madeSet(task, settings), means = made.plane.means;
  const rows = made.rows.map(row => [...row]), groups = [...made.groups], targets = made.targets ? [...made.targets] : groups.map(g => made.labels[g]);
  let { training } = made;
  const rowAt = (x, y) => { const row = [...means], [a, b] = made.plane.columns; row[a] = x; if (b !== undefined) row[b] = y; return row; };
  for (const [x, y, group, held] of settings.painted) {
    const at = held ? rows.length : training++;
    rows.splice(at, 0, rowAt(x, y)); groups.splice(at, 0, group); targets.splice(at, 0, made.targets ? y : made.labels[group]);
  }
  return { ...made, rows, groups, targets, training, rowAt };
}

function trainerOf(task, given = {}) {
  if (!task || task.why) return null;
  let settings, set, inputs, net, loss, optimizer, start, p, grads, done, losses, means, held, stopped, batches, batch, X, terms, measuring, maps, level, grids, ownMaps;

  // ---- a new run
  function begin() {
    const { layers, seed } = settings, random = randomOf(seed);
    set = dataOf(task, settings);
    const known = inputsOf(task, settings.data);
    inputs = settings.features.map(name => { // a feature itself is not computed
      const [code, given] = known.get(name), graph = graphOf(given, task.rows), [, place] = /^x\[(\d+)\]$/.exec(code) ?? [];
      return place ? row => row[place] : row => graph.forward(row, 0);
    });
    loss = task.losses[settings.loss];
    const classes = set.labels?.length ?? 0, programs = loss.terms[classes] ?? loss.terms[0], outputs = loss.several ? classes : 1;
    const sizes = [inputs.length, ...layers, outputs], kinds = activationsOf(task, settings).map(kind => task.activations[kind] === null ? null : task.rows[task.activations[kind]]);
    [net, measuring, maps] = [0, 1, 2].map(() => layersOf(sizes, kinds));
    terms = programs.map(program => graphOf(program, task.rows));
    X = inputRows(set.rows); grids = new Map(); ownMaps = null; level = levelOf(set);
    const fresh = isOwnStart(task, settings) ? task.start : sizes.slice(1).flatMap((n, l) => Array.from({ length: n }, () => [...Array.from({ length: sizes[l] }, () => random.uniform(-1, 1)), 0]).flat());
    start = Float64Array.from(fresh); p = start; grads = new Float64Array(p.length);
    optimizer = optimizerOf(task.optimizers[settings.optimizer], p.length, isOwnStart(task, settings) ? task.decayed : null);
    done = 0; losses = []; means = []; held = []; stopped = ""; batch = null;
    batches = batchesOf(set.training, settings.batch, seed);
  }
  const inputRows = rows => { const n = inputs.length, all = new Float64Array(rows.length * n); rows.forEach((row, i) => inputs.forEach((f, j) => { all[i * n + j] = f(row); })); return all; };
  const width = () => net.layers.at(-1).n;
  const termAt = i => terms.length === 1 ? terms[0] : terms[set.groups[i]];

  // The mean loss of some samples, given their outputs; `each` is told the graph of each.
  function meanLoss(scores, samples, each = () => null) {
    const n = width(), given = new Float64Array(n + 1);
    let total = 0;
    for (let k = 0; k < samples.length; k++) {
      given.set(scores.subarray(k * n, k * n + n)); given[n] = set.targets[samples[k]];
      const graph = termAt(samples[k]), term = graph.forward(given, 0);
      total = k ? total + term : term;
      each(graph, k);
    }
    return samples.length > 1 ? total / samples.length : total;
  }
  function rowsOf(samples) {
    const n = inputs.length, rows = new Float64Array(samples.length * n);
    samples.forEach((i, k) => rows.set(X.subarray(i * n, i * n + n), k * n));
    return rows;
  }
  function measure(from, to) { // loss, and how many are correct; null where that means nothing
    const n = width(), samples = Array.from({ length: to - from }, (_, k) => from + k), scores = measuring.forward(p, X.subarray(from * inputs.length, to * inputs.length), samples.length);
    let correct = loss.classifies ? 0 : null;
    if (loss.classifies) for (let k = 0; k < samples.length; k++) {
      correct += (n > 1 ? best(scores, k * n, n) : Number(scores[k] > 0)) === set.groups[samples[k]];
    }
    return [meanLoss(scores, samples), correct];
  }
  const training = () => measure(0, set.training), heldOut = () => measure(set.training, set.rows.length), hasHeld = () => set.rows.length > set.training;

  // ---- one step: all of it, or nothing
  function advance() {
    if (!set.training) { stopped = "There is nothing to learn from yet: paint points."; return false; }
    batch ??= batches();
    const n = width(), count = batch.length, scores = net.forward(p, rowsOf(batch), count);
    const ups = new Float64Array(count * n), reached = new Uint8Array(count * n), into = new Float64Array(n + 1), flags = new Uint8Array(n + 1), share = count > 1 ? 1 / count : 1;
    const now = meanLoss(scores, batch, (graph, k) => {
      flags.fill(0);
      graph.backward(share, into, flags, 0);
      ups.set(into.subarray(0, n), k * n); reached.set(flags.subarray(0, n), k * n);
    });
    if (!Number.isFinite(now)) return stop(`the loss is ${pythonText(now)}`, false);
    const found = new Float64Array(p.length);
    net.backward(p, found, ups, reached, count, k => termAt(batch[k]).outputs);
    const wrong = found.findIndex(g => !Number.isFinite(g));
    if (wrong >= 0) return stop(`the gradient of parameter ${wrong} is ${pythonText(found[wrong])}`, false);
    const lossHeld = hasHeld() ? heldOut()[0] : null;
    if (lossHeld !== null && !Number.isFinite(lossHeld)) return stop(`the loss of the validation data is ${pythonText(lossHeld)}`, true);
    const [next, broken, numbers] = optimizer.step(p, found, rateAt(settings, done), settings);
    if (!next) return stop(`the update makes parameter ${broken} ${pythonText(numbers[broken])}`, true);
    losses.push(now);
    if (settings.batch) { const epoch = Math.ceil(set.training / settings.batch), seen = losses.slice(-epoch); means.push(seen.reduce((a, b) => a + b) / seen.length); }
    if (lossHeld !== null) held.push(lossHeld);
    p = next; grads = found; batch = null; done++;
    return true;
  }
  function stop(what, measured) {
    stopped = `training stopped at step ${done}: ${what}. The model is as it was before that step; ${done || measured ? "often a lower learning rate helps, or X and y scaled to about -1 to 1" : "scale X and y to about -1 to 1, or start with smaller weights"}`;
    return false;
  }

  // ---- what is shown
  function gridOf(side) { // the points of a map, row by row from below
    const { columns: [a, b], low, high, means } = set.plane, rows = []; // one feature: no b
    for (let r = 0; r < side; r++) for (let c = 0; c < side; c++) {
      const row = [...means];
      row[a] = low[0] + (c + .5) / side * (high[0] - low[0]);
      if (b !== undefined) row[b] = low[1] + (r + .5) / side * (high[1] - low[1]);
      rows.push(row);
    }
    return inputRows(rows);
  }
  const grid = side => { if (!grids.has(side)) grids.set(side, gridOf(side)); return grids.get(side); };
  function mapOf(scores, count, n) {
    const map = new Uint8Array(count), { middle, scale } = loss.classifies ? { middle: 0, scale: .25 } : level;
    for (let k = 0; k < count; k++) {
      if (n === 1) { map[k] = even(255 / (1 + Math.exp(-Math.max(-50, Math.min(50, ((scores[k] || 0) - middle) / scale))))); continue; }
      let best = 0, total = 0;
      const at = i => Math.max(-1e30, Math.min(1e30, scores[k * n + i] || 0));
      for (let i = 1; i < n; i++) if (at(i) > at(best)) best = i;
      for (let i = 0; i < n; i++) total += Math.exp(at(i) - at(best));
      map[k] = 25 * (best % 10) + even(24 * Math.max(0, (1 / total - 1 / n) / (1 - 1 / n)));
    }
    return map;
  }
  function shadeOf(numbers, count, n, i, ranges) { // 127.5 is 0
    let low = Infinity, high = -Infinity;
    for (let k = 0; k < count; k++) { const v = numbers[k * n + i] || 0; if (v < low) low = v; if (v > high) high = v; }
    ranges.push([low, high]);
    const peak = Math.max(-low, high) || 1, map = new Uint8Array(count);
    for (let k = 0; k < count; k++) map[k] = even(127.5 + 127.5 * ((numbers[k * n + i] || 0) / peak));
    return map;
  }
  function lineOf() {
    const { low, high } = set.plane, rows = Array.from({ length: LINE_POINTS }, (_, k) => [low[0] + k / (LINE_POINTS - 1) * (high[0] - low[0])]);
    const n = width(), scores = maps.forward(p, inputRows(rows), LINE_POINTS), place = y => (y - low[1]) / (high[1] - low[1]);
    return Float64Array.from(rows, (_, k) => place(n > 1 ? set.labels[best(scores, k * n, n)] : scores[k]));
  }
  function frame({ fine = false, maps: all = false } = {}) {
    const [now, correct] = training(), lossText = set.training ? signOfLoss(now) : "not known", held = set.rows.length - set.training, right = (count, of) => count === null ? null : [count, of],
      texts = [`step ${done}`, `loss ${lossText}`];
    let rightHeld = null, said = `Step ${done}: loss ${lossText}`, other = null;
    if (correct !== null && set.training) { texts.push(`${correct} of ${set.training} correct`); said += `, ${texts.at(-1)}`; }
    if (held) {
      const [l, c] = heldOut(), count = c === null ? "" : `${c} of ${held} correct`;
      other = finiteOr(l); rightHeld = right(c, held);
      texts.push(`held out ${count || `loss ${signOfLoss(l)}`}`);
      said += `; held out: loss ${signOfLoss(l)}${count && `, ${count}`}`;
    }
    const shown = { n: done, loss: finiteOr(now), held: other, right: right(correct, set.training), rightHeld, text: texts.join(" · "), say: `${said}. ${stopped}`.trimEnd(), stopped };
    const isLine = set.names.length === 1, side = fine ? FINE_SIDE : MAP_SIDE, n = width();
    if (isLine) shown.line = lineOf();
    else if (fine || !all) shown.map = mapOf(maps.forward(p, grid(side), side * side), side * side, n);
    if (all) {
      const count = MAP_SIDE ** 2, points = grid(MAP_SIDE), scores = maps.forward(p, points, count), ranges = [];
      shown.map ??= isLine ? undefined : mapOf(scores, count, n);
      shown.neurons = maps.layers.flatMap(layer => Array.from({ length: layer.n }, (_, i) => shadeOf(layer.x, count, layer.n, i, ranges)));
      shown.inputs = ownMaps ??= inputs.map((_, i) => shadeOf(points, count, inputs.length, i, []));
      shown.ranges = ranges;
    }
    return shown;
  }
  const curveOf = (list, last) => thinnedPoints([...list.map((v, i) => [i, v]), ...(last === null ? [] : [[done, last]])]);

  const run = {
    get settings() { return structuredClone(settings); },
    // Another learning rate goes on with the run; everything else begins it anew.
    change(part) {
      part = { ...firstChanged(task, settings.data, part.data), ...part };
      const goesOn = done > 0 && Object.keys(part).join() === "lr";
      if (goesOn) part = { later: [...settings.later.filter(([step]) => step < done), [done, { lr: part.lr }]] };
      else part = { lr: rateAt(settings, done), later: [], ...part };
      settings = cleanSettings(task, { ...settings, ...structuredClone(part) });
      if (goesOn) stopped = ""; else begin();
      return run;
    },
    get rate() { return rateAt(settings, done); }, // of the next step
    reset: () => run.change({}),
    step(n = 1) { stopped = ""; for (let k = 0; k < n && advance(); k++); return run; },
    task, frame, get data() { return set; },
    // Up to this frame: with batches the mean of the last epoch, and the batches.
    curve: frame => ({ points: means.length ? thinnedPoints(means.map((v, i) => [i + 1, v])) : curveOf(losses, frame.loss), batches: means.length ? curveOf(losses, null) : [], held: curveOf(held, frame.held) }),
    get done() { return done; }, get losses() { return losses; }, get held() { return held; }, get stopped() { return stopped; },
    get parameters() { return p; }, get grads() { return grads; },
    get layers() { return [inputs.length, ...net.layers.map(layer => layer.n)]; },
    get outputs() { return width(); }, get classes() { return set.classes; },
    get inputs() { return settings.features.map(name => settings.data === "own" ? task.own.called[task.own.names.indexOf(name)] ?? name : name); },
    get answers() { return width() > 1 ? set.classes : [set.classes.length ? "score" : "prediction"]; },
    get about() {
      const { called: names, plane: { columns } } = set, rest = names.length - 2;
      const others = rest > 0 ? `; ${rest === 1 ? "the other feature" : `the other ${rest} features`} held at the mean` : "";
      const across = names.length === 1 ? `${names[0]} across, the target up` : `${names[columns[0]]} across, ${names[columns[1]]} up${others}`;
      return `${across}.${set.classes.length ? "" : ` Blue above ${numberText(level.middle, 3)}, orange below.`}`; // of classes the view has a key
    },
    get heading() { return set.classes.length ? "Decision boundary" : "Prediction"; },
    get plane() { const { columns, low, high } = set.plane; return { low, high, names: columns.map(i => set.called[i]) }; },
    get points() {
      const { columns, low, high } = set.plane, place = (v, k) => (v - low[k]) / (high[k] - low[k]);
      return set.rows.map((row, i) => [place(row[columns[0]], 0), set.names.length === 1 ? place(set.targets[i], 1) : place(row[columns[1]], 1), set.groups[i], i >= set.training, set.targets.length && set.names.length > 1 && !set.labels ? Math.abs(set.targets[i] - level.middle) / (2 * level.scale) : null]); // the last: of a regression, how far from the middle
    },
    // For `Watch.adopt`: `since` is how many losses the kernel has of this run; 0 tells it all of the run.
    state(since = 0) {
      const { steps, mean, square } = optimizer.state, { rowAt, ...samples } = set, isOwn = settings.data === "own" && !settings.painted.length && !settings.held_out;
      return {
        settings, step: done, since, losses: losses.slice(since), held: held.slice(since), parameters: [...p], grads: [...grads], moments: { steps, mean: Array.from(mean, sent), square: Array.from(square, sent) }, stopped,
        ...(since ? {} : { start: [...start], samples: isOwn ? null : samples }),
      };
    },
    // The back-propagation of a sample at this step: that of another one, with these changes; or why not.
    sample(i) {
      const own = task.settings, known = ["features", "layers", "activation", "loss"].every(key => sameLists(settings[key], own[key])) && sameLists(set.names, task.own.names);
      const template = task.templates?.[set.labels ? set.groups[i] : 0], n = inputs.length;
      if (!known) return "The graph of a sample is that of Python's network: choose its layers, activation, inputs and loss again, or open a notebook.";
      if (!template) return "The graph of one sample is too large for this page: a notebook shows it for small networks.";
      const changes = [...template.parameters.map((leaf, k) => [leaf, p[k]]), ...template.inputs.map((leaf, k) => [leaf, X[i * n + k]])];
      if (template.target !== undefined) changes.push([template.target, set.targets[i]]);
      return { data: template.data, changes };
    },
  };
  settings = cleanSettings(task, { ...trainerOf.defaults(task, given.data), ...structuredClone(given) });
  begin();
  return run;
}

function best(scores, from, n) {
  let found = 0;
  for (let i = 1; i < n; i++) if (scores[from + i] > scores[from + found]) found = i;
  return found;
}
const finiteOr = (x, other = null) => Number.isFinite(x) ? x : other;
const sent = x => finiteOr(x, pythonText(x)); // JSON has no infinity
const pythonText = x => Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
function thinnedPoints(points, most = 500) { // the lowest and the highest of each stretch, as `style.thinned`
  if (points.length <= most) return points;
  const size = Math.ceil((points.length - 2) / Math.floor((most - 2) / 2)), kept = [points[0]];
  for (let start = 1; start < points.length - 1; start += size) {
    const part = points.slice(start, Math.min(start + size, points.length - 1));
    let low = part[0], high = part[0];
    for (const point of part) { if (point[1] < low[1]) low = point; if (point[1] > high[1]) high = point; }
    kept.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
  }
  return [...kept, points.at(-1)];
}
function levelOf({ targets, training }) { // where a prediction is neither high nor low
  const seen = targets.slice(0, training), low = seen.reduce((a, b) => Math.min(a, b), Infinity), high = seen.reduce((a, b) => Math.max(a, b), -Infinity);
  return { middle: (low + high) / 2, scale: Math.max((high - low) / 4, 1e-9) };
}
function batchesOf(samples, size, seed) { // as `loop.Batches`
  const all = Array.from({ length: samples }, (_, i) => i), random = randomOf(seed);
  if (!size) return () => all;
  let order = [], taken = 0;
  return () => {
    if (taken >= order.length) { order = random.shuffle([...all]); taken = 0; }
    const batch = order.slice(taken, taken + size);
    taken += batch.length;
    return batch;
  };
}

// ---- the settings
const SHARES = [0, .1, .2, .25, .3, .4, .5, .6, .7, .8, .9]; // to be held out
const rateAt = ({ lr, later }, step) => later.reduce((rate, [from, part]) => step >= from ? part.lr : rate, lr);
function activationsOf(task, { activation, layers }) { // of each layer, the last one included
  const each = activation.split(", ");
  return each.length > 1 ? each : [...layers.map(() => activation), "linear"];
}
const ratesOf = ({ lr, later }) => [lr, ...later.map(([, part]) => part.lr)];
const sameLists = (a, b) => JSON.stringify(a) === JSON.stringify(b);
// Whether a run begins with the parameters that Python's network had.
function isOwnStart(task, settings) {
  const own = task.settings, outputs = s => task.losses[s.loss].several;
  return settings.data === "own" && settings.seed === own.seed && outputs(settings) === outputs(own) && sameLists([settings.features, settings.layers], [own.features, own.layers]);
}
function cleanSettings(task, s) { // what can be, of what was asked for
  const own = task.settings, within = (x, low, high, other, whole = true) => typeof x === "number" && x >= low && x <= high && (!whole || Number.isInteger(x)) ? x : other;
  const clean = { ...s };
  clean.data = trainerOf.choices(task).data.includes(s.data) ? s.data : "own";
  const set = clean.data === "own" ? task.own : setOf(task, clean.data), classes = set.labels?.length ?? set.classes.length;
  const first = clean.data === "own" ? own.held_out : firstOf(task, clean.data).held_out;
  clean.held_out = isShare(task, { ...clean, n: Infinity }, s.held_out) ? s.held_out : first;
  const [least, most] = clean.data === "own" ? [0, Infinity] : sizesOf(task, clean.data, clean.held_out);
  clean.n = within(s.n, least, most, within(own.n, least, most, set.n)); if (set.y && clean.n > most - classes) clean.n = most; // a rest of fewer cannot be split off
  clean.noise = within(s.noise, 0, 10, own.noise, false); clean.dataSeed = within(s.dataSeed, 0, 2 ** 32 - 1, own.dataSeed);
  clean.lr = within(s.lr, 0, 1e6, own.lr, false); clean.l1 = within(s.l1, 0, 1e6, own.l1, false); clean.l2 = within(s.l2, 0, 1e6, own.l2, false); clean.seed = within(s.seed, 0, Number.MAX_SAFE_INTEGER, own.seed);
  const isChange = ([step, part]) => within(step, 1, Number.MAX_SAFE_INTEGER, 0) && within(part?.lr, 0, 1e6, -1, false) >= 0;
  clean.later = (Array.isArray(s.later) ? s.later : []).filter(entry => Array.isArray(entry) && isChange(entry)).sort(([a], [b]) => a - b);
  const choices = trainerOf.choices(task, clean), one = (key, other) => { clean[key] = choices[key].includes(s[key]) ? s[key] : choices[key].includes(other) ? other : choices[key][0]; };
  for (const key of ["loss", "optimizer"]) one(key, own[key]);
  clean.layers = Array.isArray(s.layers) && s.layers.length <= 8 && s.layers.every(n => within(n, 1, 256, 0)) ? s.layers : own.layers;
  one("activation", own.activation);
  if (clean.activation.includes(", ") && clean.activation.split(", ").length !== clean.layers.length + 1) clean.activation = "relu";
  clean.features = (Array.isArray(s.features) ? s.features : []).filter((name, i, all) => choices.features.includes(name) && all.indexOf(name) === i);
  if (!clean.features.length) clean.features = clean.data === "own" ? own.features : choices.features.slice(0, set.features?.length ?? 2);
  clean.painted = (Array.isArray(s.painted) ? s.painted : []).filter(point => Array.isArray(point) && point.slice(0, 2).every(Number.isFinite) && within(point[2], 0, Math.max(classes, 2) - 1, -1) >= 0);
  if (!classes && (set.names?.length ?? 2) > 1) clean.painted = []; // a target has no place on the plane
  clean.batch = within(s.batch, 0, Infinity, 0);
  return clean;
}
// What changes with the set: the noise, what is held out, how many samples where either is real, and
// the loss where a classification follows a regression.
function firstChanged(task, before, data) {
  if (data === before || !(data === "own" || data && setOf(task, data))) return {};
  const classes = name => name === "own" ? task.own.classes.length : setOf(task, name).classes.length, own = task.settings;
  const loss = classes(before) || !classes(data) ? {} : { loss: classes(data) > 2 ? "cross_entropy" : task.losses[own.loss].classifies ? own.loss : "hinge" };
  if (data === "own") return { held_out: own.held_out, ...loss };
  const { n, ...rest } = { ...firstOf(task, data), ...loss };
  return [before, data].some(name => isReal(task, name)) ? { n, ...rest } : rest;
}
// The settings of the call, or those with which another set begins.
trainerOf.defaults = (task, data = task.settings.data) => {
  const own = structuredClone(task.settings);
  return data === "own" || !setOf(task, data) ? own : cleanSettings(task, { ...own, ...firstOf(task, data), data });
};
trainerOf.choices = (task, settings = task.settings) => {
  const made = settings.data !== "own", set = made ? setOf(task, settings.data) : task.own, classes = made ? set.classes.length : set.labels?.length ?? 0;
  return {
    data: ["own", ...Object.keys(SETS), ...Object.keys(task.real)], features: [...inputsOf(task, settings.data).keys()],
    activation: [...new Set([task.settings.activation, ...Object.keys(task.activations)])],
    loss: classes ? Object.keys(task.losses).filter(name => classes === 2 || task.losses[name].several) : ["mse"],
    optimizer: Object.keys(task.optimizers),
    held_out: SHARES.filter(share => isShare(task, settings, share)),
  };
};
