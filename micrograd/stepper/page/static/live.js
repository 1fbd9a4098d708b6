// A page that computes: the numbers of the graph, its gradients and steps, and every text of them.

// What the rows of the op table are written with, besides the functions of Math.
const PRIMITIVES = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, negative: a => -a, fabs: Math.abs,
  ">": (a, b) => a > b ? 1 : 0, ">=": (a, b) => a >= b ? 1 : 0, "<": (a, b) => a < b ? 1 : 0, "==": (a, b) => a === b ? 1 : 0, "!=": (a, b) => a !== b ? 1 : 0,
  "?": (truth, a, b) => truth ? a : b, pow, cbrt, hypot, erf, erfc,
};
// A row as Python lists it, to be run: `r` holds the operands first, then each result. `whole` says
// of the result and of each derivative whether ints give an int.
function rowOf([arity, lines, forward, result, slopes, whole], kinds = PRIMITIVES, number = Number) {
  const code = lines.map(([kind, a = 0, b = 0, c = 0]) => kind === "number" ? { f: () => number(a), a: 0, b: 0, c: 0 } : { f: kinds[kind] ?? Math[kind], a, b, c });
  const run = (r, from, to) => { for (let i = from; i < to; i++) { const { f, a, b, c } = code[i]; r[arity + i] = f(r[a], r[b], r[c]); } };
  return {
    arity, whole, slopes, registers: arity + lines.length,
    forward(r) { run(r, 0, forward); return r[result]; },
    locals(r) { run(r, forward, code.length); return slopes.map(at => r[at]); }, // after `forward`
  };
}

// The same on the exact numbers of numbers.js, where a function of C makes a float of them.
const isExact = x => typeof x === "object", both = (exact, kind) => (a, b) => isExact(a) && isExact(b) ? exact(a, b) : PRIMITIVES[kind](floating(a), floating(b));
const TRUE = exactly(1n), FALSE = exactly(0n), ordered = (kind, holds) => both((a, b) => holds(compared(a, b)) ? TRUE : FALSE, kind);
const EXACT = {
  "+": both(added, "+"), "-": both((a, b) => added(a, b, -ONE), "-"), "*": both(multiplied, "*"), "/": both((a, b) => b.n ? divided(a, b) : NaN, "/"),
  ">": ordered(">", c => c > 0), ">=": ordered(">=", c => c >= 0), "<": ordered("<", c => c < 0), "==": ordered("==", c => c === 0), "!=": ordered("!=", c => c !== 0),
  negative: a => isExact(a) ? exactly(-a.n, a.e, a.d) : -a, fabs: a => !isExact(a) ? Math.abs(a) : a.n < 0n ? exactly(-a.n, a.e, a.d) : a,
  "?": (truth, a, b) => (isExact(truth) ? truth.n : truth) ? a : b,
  pow: both((a, b) => powered(a, b) ?? pow(floating(a), floating(b)), "pow"),
};
for (const name of Object.getOwnPropertyNames(Math)) if (typeof Math[name] === "function") EXACT[name] ??= (...x) => (PRIMITIVES[name] ?? Math[name])(...x.map(floating));
for (const name of ["hypot", "erf", "erfc"]) EXACT[name] = (...x) => PRIMITIVES[name](...x.map(floating));
const exactConstant = text => Number.isInteger(Number(text)) ? exactly(BigInt(Number(text))) : Number(text);

function softmax(scores) {
  const peak = Math.max(...scores), powers = scores.map(s => Math.exp(s - peak)), total = powers.reduce((a, b) => a + b);
  return powers.map(power => power / total);
}

function scaleOf(numbers) { // as `style.largest`
  const sizes = Float64Array.from(numbers, Math.abs).filter(Number.isFinite).sort();
  return !sizes.length ? 0 : sizes.length > 100 ? sizes[Math.ceil(.98 * sizes.length) - 1] || sizes.at(-1) : sizes.at(-1);
}
function sizeOf(x, scale) { // from -1 to 1, never 0 unless the number is; 2 for infinity
  if (!x || !Number.isFinite(x)) return x ? 2 : 0;
  const size = Math.abs(x) >= scale ? 1 : Math.max(.01, Number(Math.sqrt(Math.abs(x) / scale).toFixed(2)));
  return x > 0 ? size : -size;
}

// The graph of a page, to be computed anew; null where it cannot be, and D.live.why says why.
function liveOf(D) {
  const { nodes, live: L } = D, steps = D.steps.filter(s => s.k !== "update");
  if (D.numbers && L?.why) throw new Error(L.why);
  if (!L || L.why) return null;
  const rows = L.ops.map(row => rowOf(row)), registers = rows.map(row => new Array(row.registers).fill(0));
  const operands = nodes.map(() => []), args = new Int32Array(steps.length), root = nodes.length - 1;
  steps.forEach((s, j) => { // the operands of a value come one after the other
    if (s.k !== "chain") return;
    const last = steps[j - 1];
    args[j] = last.k === "chain" && last.n === s.n ? (args[j - 1] + 1) % rows[L.of[s.n]].arity : 0;
    operands[s.n][args[j]] = s.p;
  });
  const leaf = nodes.map((_, i) => L.of[i] < 0), fixed = new Set(L.fixed), leaves = new Set(nodes.map((_, i) => i).filter(i => leaf[i] && !fixed.has(i)));
  const first = nodes.map(n => numberOf(n.full)), fractions = nodes.map((n, i) => leaf[i] && n.full.includes("/") ? n.text : null), isInt = nodes.map((n, i) => leaf[i] && /^-?\d+$/.test(n.full));
  const changes = new Map(), numberAt = i => changes.get(i) ?? first[i];
  const undefinedAt = what => { throw new RangeError(`Not defined here: ${what}.`); };
  const textAt = (i, state) => (!changes.has(i) && fractions[i]) || numberText(state.data[i], 4, false, state.whole[i]);
  const expression = (i, state) => {
    const [form, negative] = L.forms[L.of[i]];
    return shortened(form.replace(/\ue000(\d+)\ue001/g, (_, k) => { const t = textAt(operands[i][k], state); return negative[k] && t.startsWith("-") ? `(${t})` : t; }));
  };

  // ---- the numbers
  function evaluated(i, data) {
    const row = rows[L.of[i]], r = registers[L.of[i]], from = operands[i];
    for (let k = 0; k < from.length; k++) r[k] = data[from[k]];
    return row.forward(r);
  }
  function evaluate(state) {
    const { data, locals, whole, slopes } = state;
    nodes.forEach((_, i) => {
      if (leaf[i]) { data[i] = numberAt(i); whole[i] = isInt[i] && Number.isInteger(data[i]); return; }
      const row = rows[L.of[i]], ints = operands[i].every(p => whole[p]);
      data[i] = evaluated(i, data);
      if (!Number.isFinite(data[i])) undefinedAt(expression(i, state));
      const found = row.locals(registers[L.of[i]]);
      locals[i] = found.every(Number.isFinite) ? found : found.map(() => null); // an error only if a gradient arrives here
      whole[i] = ints && row.whole[0] && Number.isInteger(data[i]);
      slopes[i] = found.map((x, k) => row.slopes[k] < row.arity ? whole[operands[i][row.slopes[k]]] : ints && row.whole[k + 1] && Number.isInteger(x));
    });
  }
  // What value `n` passes to an operand, given its own gradient: null where no gradient has reached it
  // or where it did not choose the operand.
  function passed(state, n, arg, up, reached) {
    const local = state.locals[n][arg];
    if (!reached[n] || (local === 0 && L.gates[L.of[n]])) return null;
    if (local === null) undefinedAt(`${expression(n, state)} has no derivative`);
    return local * up;
  }
  function walk(state) {
    const grads = new Float64Array(nodes.length), ints = new Uint8Array(nodes.length).fill(1), reached = new Uint8Array(nodes.length);
    const { up, con, before, after, kinds } = state;
    steps.forEach((s, j) => {
      if (s.k === "forward") return;
      if (s.k === "seed") {
        if (s.turn > 1) nodes.forEach((_, i) => { if (!leaf[i]) { grads[i] = 0; ints[i] = 1; } });
        reached.fill(0); reached[root] = 1;
        kinds[j] = ints[root] * 9; // 1: upstream, 2: contribution, 4: before, 8: after are ints
        before[j] = grads[root]; after[j] = grads[root] += 1;
        return;
      }
      const { n, p } = s, arg = args[j], add = passed(state, n, arg, grads[n], reached), int = add === null || (ints[n] && state.slopes[n][arg]);
      up[j] = grads[n]; before[j] = grads[p];
      kinds[j] = (ints[n] ? 1 : 0) + (int ? 2 : 0) + (ints[p] ? 4 : 0);
      con[j] = add ?? 0;
      if (add !== null) { grads[p] += add; reached[p] = 1; ints[p] = ints[p] && int; }
      if (D.assigns) { grads[p] = con[j]; ints[p] = int; }
      after[j] = grads[p];
      if (ints[p]) kinds[j] += 8;
    });
    grads.forEach((x, i) => { if (!Number.isFinite(x)) undefinedAt(`the gradient of ${nodes[i].name} is ${x}`); });
    Object.assign(state, { grads, ints });
  }
  // The correct pass, for one that breaks a rule on purpose: the gradients, and after each contribution.
  function correct(state) {
    const grads = new Float64Array(nodes.length), reached = new Uint8Array(nodes.length), then = nodes.map(() => []);
    grads[root] = reached[root] = 1;
    for (let i = root; i >= 0; i--) operands[i].forEach((p, arg) => {
      const add = passed(state, i, arg, grads[i], reached);
      if (add !== null) { grads[p] += add; reached[p] = 1; }
      then[i][arg] = grads[p];
    });
    Object.assign(state, { right: grads, then });
  }
  function computed() {
    const each = () => new Float64Array(steps.length);
    const state = { data: new Float64Array(nodes.length), locals: nodes.map(() => []), whole: [], slopes: nodes.map(() => []), up: each(), con: each(), before: each(), after: each(), kinds: new Uint8Array(steps.length) };
    evaluate(state); walk(state);
    if (D.rule) correct(state);
    state.scale = scaleOf(steps.flatMap((s, j) => s.k === "forward" ? [] : s.k === "seed" ? [state.after[j]] : [state.con[j], state.after[j]]));
    return state;
  }

  // ---- the texts
  let now = null;
  // `=` where the digits shown of the operands give those shown of the result. A function that is
  // computed in floats is exact where it changes with each operand; else its float was rounded.
  function relation(i, state) {
    const digits = operands[i].map(p => shown(textAt(p, state))), wanted = shown(textAt(i, state)), row = rows[L.of[i]], run = values => row.forward(values.slice());
    if (!wanted || !digits.every(x => x)) return "\u2248";
    const floats = digits.map(floating), found = L.exact[L.of[i]] ? exactRow(L.of[i]).forward([...digits]) : run(floats);
    if (found === null || typeof found === "number" && !Number.isFinite(found) || compared(exactOf(found), wanted) !== 0) return "\u2248";
    if (typeof found !== "number") return "=";
    const near = floats.map((x, k) => run(floats.with(k, x + (Math.abs(x) || 1) / 2 ** 20)));
    return near.every(y => Number.isFinite(y) && y !== found) ? "=" : "\u2248";
  }
  const exactRows = [], exactRow = at => exactRows[at] ??= rowOf(L.ops[at], EXACT, exactConstant);
  const texts = {
    before: (s, j) => s.k === "forward" ? null : numberText(now.before[j], 4, true, now.kinds[j] & 4),
    up: (s, j) => s.k === "forward" ? expression(s.n, now) : s.k === "chain" ? numberText(now.up[j], 4, true, now.kinds[j] & 1) : null,
    loc: (s, j) => s.k === "chain" ? localText(s.n, args[j]) : s.k === "forward" ? relation(s.n, now) : null,
    equals: (s, j) => s.k !== "chain" ? null : now.locals[s.n][args[j]] === null ? "\u2192" : signOfEquation([s.before, s.up, s.loc], s.after, (b, up, x) => D.assigns ? multiplied(up, x) : added(b, multiplied(up, x))),
    con: (s, j) => s.k === "chain" ? numberText(now.con[j], 4, true, now.kinds[j] & 2) : null,
    after: (s, j) => s.k === "forward" ? nodes[s.n].text : numberText(now.after[j], 4, true, now.kinds[j] & 8),
    say: (s, j) => filled(D.strings[L.steps[j][0]], slotsOf(s)),
    rule: (s, j) => filled(string(L.steps[j][1]), slotsOf(s)),
    sum: (s, j) => filled(string(L.steps[j][2]), slotsOf(s)),
    correct: (s, j) => {
      if (!D.rule || s.k === "forward") return "";
      const target = s.k === "seed" ? s.n : s.p, wanted = D.assigns && s.k === "chain" ? now.then[s.n][args[j]] : s.i === s.of ? now.right[target] : now.after[j];
      return wanted === now.after[j] ? "" : numberText(wanted, 4, true);
    },
  };
  // What stands in the slots of the templates: as in micrograd/sentences/slots.py.
  const plus = x => numberText(x, 4, true), local = s => now.locals[s.n][args[s.j]];
  const string = i => i < 0 ? "" : D.strings[i], made = []; // how each value is computed, in names
  const operand = (s, k) => operands[s.n][k === "" ? args[s.j] : k], sentenceStart = t => t.startsWith("the ") ? `T${t.slice(1)}` : t;
  steps.forEach(s => { if (s.k === "forward") made[s.n] = s.before; });
  const slots = {
    child: s => nodes[s.n].name, parent: (s, k) => nodes[operand(s, k)].name, made: s => made[s.n], subject: s => string(L.subjects[s.p]),
    sum: s => string(L.sums[s.p]), Sum: s => sentenceStart(string(L.sums[s.p])), own: s => string(L.sums[s.n]),
    symbol: (s, k) => `\u2202${string(L.tight[s.n])}/\u2202${string(L.tight[operand(s, k)])}`, formula: s => string(L.formulas[s.n][args[s.j]]),
    up: s => s.up, local: s => s.loc, con: s => s.con, size: s => s.con.replace(/[-+]/, ""), before: s => s.before, after: s => s.after,
    data: (s, i) => nodes[i === "" ? s.n : i].text, at: s => nodes[s.p].text, operand: (s, k) => nodes[operand(s, k)].text,
    slope: (s, k) => nodes[s.n].loc[k], numbers: s => expression(s.n, now), grad: (s, i) => numberText(now.grads[i], 4, true, now.ints[i]),
    right: s => plus(now.right[s.p]), complete: s => plus(now.right[s.n]), running: s => plus(now.then[s.n][args[s.j]]),
    p: (s, about) => { const [i, k] = about.split(" "); return numberText(probabilities(D.net.loss.terms.find(t => t.node === +i))[k]); },
    relation: (s, i) => relation(i === "" ? s.n : +i, now), exact: (s, k) => { const at = k === "" ? args[s.j] : k, x = now.locals[s.n][at]; return x === null ? "\u2248" : signOfNumber(x, nodes[s.n].loc[at]); },
    equals: s => signOfNumber(now.after[s.j], s.after), joined: s => signOfEquation([s.before, s.con], s.after, added),
    plain: s => expression(s.n, now) === nodes[s.n].text, undefined: s => local(s) === null, unpassed: s => local(s) === null,
    product: s => signOfEquation([s.up, s.loc], s.con, multiplied) === "=",
    idle: s => now.up[s.j] === 0, flat: s => local(s) === 0, kink: s => L.kinks[L.of[s.n]].includes(now.data[s.p]), one: s => now.up[s.j] === 1,
    nothing: s => now.con[s.j] === 0, less: s => s.con.startsWith("-"), rounded: s => signOfNumber(now.con[s.j], s.con) !== "=",
    first: s => now.before[s.j] === 0, about: s => signOfNumber(now.after[s.j], s.after) !== "=", same: s => now.before[s.j] === now.after[s.j],
    wrong: s => now.after[s.j] !== now.right[s.p], early: s => now.up[s.j] !== now.right[s.n], lost: s => now.then[s.n][args[s.j]] !== now.after[s.j],
  };
  // `of`: the first of the steps that `row 2 up` counts.
  const slotsOf = (s, of = 0) => name => {
    const [kind, first, ...rest] = name.split(" "), other = rest.join(" ");
    if (kind === "row") return slotsOf(steps[of + +first], of)(other);
    return kind === "is" ? slotsOf(s, of)(other) === first : slots[kind](s, name.slice(kind.length + 1));
  };
  const localText = (i, k) => now.locals[i][k] === null ? "\u2013" : numberText(now.locals[i][k], 4, false, now.slopes[i][k]);
  const sent = D.steps.map(s => ({ tc: s.tc, tg: s.tg })), original = { paths: D.paths?.[0]?.rows && structuredClone(D.paths), gmax: D.gmax, texts: nodes.map(n => n.text), full: nodes.map(n => n.full), loc: nodes.map(n => n.loc), p: D.net?.loss?.terms.map(t => t.p) };
  const sentText = (s, name) => string(s.sent[TEXTS[name]]);
  function write(state) { // null: as Python has sent it
    now = state;
    const cache = steps.map(() => ({}));
    D.writtenGroup = state && ((g, at) => L.groups[at] >= 0 ? filled(D.strings[L.groups[at]], slotsOf(steps[g.steps[0]], g.steps[0])) : null);
    D.written = state && ((s, name) => cache[s.j][name] ??= texts[name]?.(s, s.j) ?? sentText(s, name));
    nodes.forEach((n, i) => {
      n.text = state ? textAt(i, state) : original.texts[i];
      n.full = state && (!leaf[i] || changes.has(i)) ? String(state.data[i]) : original.full[i];
      if (!leaf[i]) n.loc = state ? n.loc.map((_, k) => localText(i, k)) : original.loc[i];
    });
    if (original.paths) { if (state) writePaths(); else D.paths.forEach((path, i) => Object.assign(path, structuredClone(original.paths[i]))); }
    D.gmax = state ? numberText(state.scale) : original.gmax;
    steps.forEach((s, j) => {
      s.tc = state && s.k === "chain" ? sizeOf(state.con[j], state.scale) : sent[j].tc;
      s.tg = state && s.k !== "forward" ? sizeOf(state.after[j], state.scale) : sent[j].tg;
    });
    D.net?.loss?.terms.forEach((t, q) => { t.p = !t.p || !state ? original.p[q] : probabilities(t).map(p => numberText(p)); });
  }
  // The paths of a drawn graph, of each value: where there are very many, those that were the largest.
  function writePaths() {
    D.paths.forEach(({ rows }, i) => {
      let left = exactOf(now.right?.[i] ?? now.grads[i]);
      rows.forEach(row => {
        if (row.way.startsWith("\u2026")) { row.product = plus(floating(left)); return; }
        const at = row.edges.map(e => D.edges[e]), numbers = at.map(({ c, arg }) => now.locals[c][arg]), shownAs = at.map(({ c, arg }) => localText(c, arg));
        const product = numbers.reduce((a, b) => a === 0 || b === null ? 0 : a * b, 1), parts = shownAs.map(t => t.startsWith("-") ? `(${t})` : t);
        row.product = plus(product);
        row.factors = `${(parts.length > 12 ? [...parts.slice(0, 5), "\u2026", ...parts.slice(-5)] : parts).join(" \u00d7 ") || "1"} ${numbers.includes(null) ? "\u2192" : signOfEquation(shownAs, row.product, (...x) => x.reduce(multiplied, exactly(1n)))}`;
        left = added(left, exactOf(product), -ONE);
      });
      D.paths[i].total = plus(now.right?.[i] ?? now.grads[i]);
    });
  }
  function probabilities(term) {
    const scores = term.outputs.map(i => now.data[i]);
    return term.right == null ? softmax([0, ...scores]).slice(1) : softmax(scores);
  }

  // ---- is it what Python has computed? Where not, the page keeps Python's numbers.
  const begin = computed();
  let why = "";
  function check() {
    if (L.fractions) { // Python has computed with others: here numbers are compared, not their texts
      const far = nodes.findIndex((n, i) => !(Math.abs(numberOf(n.text) - begin.data[i]) <= 1e-3 * Math.abs(begin.data[i]) + 1e-12));
      if (far >= 0) why = `The page computes ${nodes[far].name} otherwise than Python: no number can be changed here.`;
      return;
    }
    write(begin);
    // All values and sums; the other texts of about 300 steps, so that a large page opens quickly.
    const stride = Math.ceil(steps.length / 300);
    const all = name => steps.find((s, j) => (j % stride === 0 || name === "after") && s[name] !== sentText(s, name) && !(D.rule && name === "say" && j === steps.length - 1));
    const wrong = nodes.findIndex((n, i) => n.text !== original.texts[i] || n.loc?.some((t, k) => t !== original.loc[i][k]));
    if (wrong >= 0) why = `The page computes ${nodes[wrong].name} otherwise than Python: no number can be changed here.`;
    const group = D.sections.flatMap(section => section.groups).find((g, at) => at % stride === 0 && (D.writtenGroup(g, at) ?? string(g.text)) !== string(g.text));
    if (group && !why) why = `The page says step ${group.steps[0] + 1} otherwise than Python: no number can be changed here.`;
    for (const name of Object.keys(texts)) { const s = why ? null : all(name); if (s) why = `The page computes step ${s.j + 1} otherwise than Python: no number can be changed here.`; }
    write(null);
  }
  check();
  if (why && D.numbers) throw new Error(why);
  if (why) { D.live = { why }; return null; }
  // The numbers of another moment of the same graph, in place of those that Python has sent.
  let start = null;
  if (D.numbers) {
    for (const [i, x] of D.numbers) { first[i] = x; fractions[i] = null; original.full[i] = String(x); }
    write(start = computed());
  }
  now = start ?? begin;

  const dependents = i => {
    const found = new Set([i]);
    operands.forEach((from, j) => { if (from.some(p => found.has(p))) found.add(j); });
    found.delete(i);
    return found;
  };
  return {
    leaves, original: i => first[i], value: i => now.data[i], grad: i => now.grads[i], local: (i, operand) => now.locals[i][operand],
    changed: () => new Map(changes),
    set(given) {
      const before = new Map(changes);
      try {
        for (const [i, x] of given) {
          if (!leaves.has(i) || !Number.isFinite(x)) throw new RangeError(leaves.has(i) ? `Not a number: ${x}.` : leaf[i] ? `${nodes[i].name} is part of an expression or the target of a loss: it cannot be changed here.` : `${nodes[i]?.name} is computed: it cannot be changed.`);
          if (Object.is(x, first[i])) changes.delete(i); else changes.set(i, x);
        }
        const state = changes.size ? computed() : start ?? begin;
        write(changes.size ? state : start);
        now = state;
      } catch (error) {
        changes.clear();
        for (const [i, x] of before) changes.set(i, x);
        if (error instanceof RangeError) return error.message;
        throw error;
      }
      return "";
    },
    reset() { changes.clear(); write(start); now = start ?? begin; },
    curve(i, xs) {
      const data = now.data.slice(), above = dependents(i);
      return xs.map(x => {
        data[i] = x;
        for (const j of above) { data[j] = evaluated(j, data); if (!Number.isFinite(data[j])) return null; }
        return i === root ? x : data[root];
      });
    },
  };
}
