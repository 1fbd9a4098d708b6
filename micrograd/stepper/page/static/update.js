// Updating: after the backward pass each parameter moves against its gradient, again and again; each
// time everything is computed anew. The table shows the coming update before it is made.

const OPTIMIZERS = [
  { name: "SGD", rule: { momentum: 0 } }, { name: "SGD, momentum 0.9", rule: { momentum: .9 } },
  { name: "Adam", rule: { betas: [.9, .999], eps: 1e-8 } },
];
const UPDATES = { lr: .1, undo: 50, whole: 40, most: 20, frame: 12, long: 100, points: 120 }; // the last: milliseconds, and points of a curve

// What an optimizer makes of a parameter `p` with the gradient `g`, in its update `t`, in the order of
// operations of `micrograd.optim`. `m` and `v` are its buffers; that of momentum is null at first.
function updated({ momentum, nesterov, betas, eps, decoupled }, lr, t, p, g, [decay, l1], m, v) {
  const pull = l1 * Math.sign(p);
  if (decay && !decoupled) g += decay * p;
  if (l1 && !decoupled) g += pull;
  if (!betas) {
    if (!momentum) return { next: p - lr * g };
    m = m == null ? g : momentum * m + g;
    return { next: p - lr * (nesterov ? g + momentum * m : m), m };
  }
  const [b1, b2] = betas, pace = lr / (1 - b1 ** t), correction = Math.sqrt(1 - b2 ** t);
  if (decay && decoupled) p *= 1 - lr * decay;
  if (l1 && decoupled) p -= lr * pull;
  m = (m ?? 0) + (1 - b1) * (g - (m ?? 0));
  v = b2 * (v ?? 0) + (1 - b2) * g * g;
  return { next: p - pace * m / (Math.sqrt(v) / correction + eps), m, v };
}

PARTS.push(host => {
  const { D, live, root, called, typed, spoken, address, model } = host, { nodes, steps } = D, end = steps.length - 1;
  if (!D.update) return;
  const { words, given } = D.update, step = steps[end], rootName = called(root), own = given?.rule ? [given] : [];
  const optimizers = [...own, ...OPTIMIZERS], start = { lr: given?.lr ?? UPDATES.lr, opt: 0, zero: true };
  const movable = i => live?.leaves.has(i) && model.get("editable") !== false, each = [...nodes.keys()], marked = each.filter(i => nodes[i].role === "param"), leaves = each.filter(i => !nodes[i].sym && nodes[i].role !== "const");
  const layered = D.net?.layers.flatMap(L => L.neurons.flatMap(n => [...n.w, n.b])) ?? [], listed = [...new Set([...layered.filter(i => marked.includes(i)), ...(marked.length ? marked : leaves)])];
  const all = !given && !marked.length, params = (given?.params ?? listed).filter(movable), decays = new Map(own.length ? given.params.map((i, k) => [i, [given.decays[k] ?? 0, given.pulls[k] ?? 0]]) : []);
  const U = host.kept.update ??= { ...start, count: 0, acc: null, losses: [], past: [], last: null, stopped: "", ...fresh(0) };
  let running = null;
  const number = (x, plus = false) => numberText(x, 4, plus);
  function fresh(opt) { // the buffers of an optimizer: of the given one as Python has sent them
    const sent = name => new Map(opt < own.length && given[name].length ? given.params.map((i, k) => [i, given[name][k]]) : []);
    return { m: sent("m"), v: sent("v"), t: opt < own.length ? given.t : 0 };
  }
  const clear = () => Object.assign(U, fresh(U.opt));

  // ---- the coming update, and making it
  function plan() {
    const { rule } = optimizers[U.opt], decayed = U.opt < own.length;
    return params.map(i => {
      const p = live.value(i), g = live.grad(i) + (U.zero || !U.acc ? 0 : U.acc.get(i));
      const row = updated(rule, U.lr, U.t + 1, p, g, decayed ? decays.get(i) : [0, 0], U.m.get(i), U.v.get(i));
      return { i, p, g, by: row.next - p, ...row };
    });
  }
  function once() { // "", or why it cannot be made; then nothing has changed
    const rows = plan(), said = live.set(rows.map(r => [r.i, r.next]));
    if (said) return said;
    for (const r of rows) { if (r.m != null) U.m.set(r.i, r.m); if (r.v != null) U.v.set(r.i, r.v); }
    U.acc = new Map(rows.map(r => [r.i, r.g]));
    U.t++; U.count++;
    U.losses.push(live.value(root));
    return "";
  }
  const kept = () => ({ values: params.map(i => [i, live.value(i)]), m: new Map(U.m), v: new Map(U.v), t: U.t, acc: U.acc, count: U.count, losses: [...U.losses], last: U.last, opt: U.opt, lr: U.lr });
  function putBack() { // all parameters have their first numbers again: the updates are forgotten
    const back = U.count && params.every(i => Object.is(live.value(i), live.original(i))) && params.some((i, q) => !Object.is(live.value(i), U.left[q]));
    if (back) { clear(); Object.assign(U, { count: 0, acc: null, losses: [], past: [], last: null, stopped: "" }); }
  }
  async function update(times, button) {
    if (running || !params.length) return;
    putBack();
    const before = live.value(root), from = performance.now(), run = running = { button };
    if (U.losses.at(-1) !== before) U.losses = [before];
    U.past = [...U.past.slice(1 - UPDATES.undo), kept()];
    host.ghosts(true);
    const predicted = plan().reduce((sum, r) => sum + r.by * live.grad(r.i), 0);
    let done = 0, shown = from;
    for (U.stopped = ""; done < times && !run.stop && !(U.stopped = once()); done++) {
      if (performance.now() - shown < UPDATES.frame) continue;
      if (performance.now() - from > UPDATES.long) { host.silent = true; note(before, done + 1, predicted); host.paint(); }
      await new Promise(requestAnimationFrame);
      if (!host.app.isConnected) break;
      shown = performance.now();
    }
    running = null; host.silent = false;
    if (!done) U.past.pop();
    if (host.app.isConnected) finish(() => note(before, done, predicted));
  }
  function note(before, done, predicted) { U.last = done ? { before, after: live.value(root), predicted, done } : U.last; U.left = params.map(i => live.value(i)); }
  function finish(f) { f(); host.moved(); host.paint(); }
  function undo() {
    const was = U.past.pop();
    if (!was || running) return;
    live.set(was.values);
    const same = was.opt === U.opt && was.lr === U.lr, { m, v, t } = same ? was : fresh(U.opt);
    Object.assign(U, { m, v, t, acc: was.acc, count: was.count, losses: was.losses, last: was.last, stopped: "", left: params.map(i => live.value(i)) });
    host.ghosts(false);
    finish(() => null);
  }
  function again() {
    host.ghosts(false);
    host.choose(null);
    host.go(0);
    host.bar.querySelector('[aria-label="Step forward"]').focus({ preventScroll: true });
  }
  function change(what) { // the learning rate or the optimizer: parameters stay, buffers do not
    Object.assign(U, what);
    clear();
    U.stopped = "";
    address.changed(); host.paint();
  }

  // ---- the step: what is said, the formula, and the loss after each update
  function says() {
    if (!live) return worded(words.before, { root: rootName });
    const { last, losses: x } = U, parts = [];
    if (last) parts.push(worded(last.done === 1 ? words.one : words.many, { root: rootName, count: last.done, before: number(last.before), after: number(last.after), predicted: number(last.predicted, true), moved: number(last.after - last.before, true) }));
    else parts.push(worded(words.before, { root: rootName }));
    if (U.stopped) parts.push(worded(words.stopped, { root: rootName, why: U.stopped }));
    else if (x.length > 2 && x.at(-1) > x.at(-2) && x.at(-2) > x.at(-3)) parts.push(worded(words.grows, { what: host.isLoss ? "The loss" : rootName }));
    return parts.join(" ");
  }
  function show(math) {
    const id = text => make("m", "mi", { mathvariant: "normal" }, text), w = () => id("w"), ratio = M("mfrac", M("mrow", M("mo", "\u2202"), id(rootName.length > 16 ? "root" : minus(rootName))), M("mrow", M("mo", "\u2202"), w()));
    const { momentum, betas } = optimizers[U.opt].rule, along = betas ? M("mfrac", id("m"), M("mrow", M("mo", "\u221a"), id("v"))) : momentum ? id("m") : ratio;
    math.append(make("m", "math", { displaystyle: "true" }, w(), M("mo", "\u2190"), w(), M("mo", "\u2212"), id("lr"), M("mo", "\u00b7"), along));
    if (U.losses.length > 1) math.append(spark());
  }
  function spark() {
    const x = U.losses, most = Math.max(...x), least = Math.min(...x), last = minus(number(x.at(-1))), W = 250, right = W - 20 - widthOf(last, 13);
    const X = j => 4 + (right - 4) * j / (x.length - 1), Y = y => 41 - 36 * ((y - least) / (most - least || 1)), every = Math.ceil(x.length / UPDATES.points);
    const points = x.map((y, j) => j % every && j < x.length - 1 ? null : `${X(j).toFixed(1)} ${Y(y).toFixed(1)}`).filter(p => p);
    return S("svg", { class: "mgs-spark", viewBox: `0 0 ${W} 46`, width: W, height: 46, role: "img", "aria-label": `${spoken(rootName)} after each update, from ${minus(number(x[0]))} to ${last}` },
      S("path", { d: `M${points.join("L")}` }), S("circle", { r: 4.5, cx: X(x.length - 1), cy: Y(x.at(-1)) }), S("text", { x: X(x.length - 1) + 9, y: Math.min(42, Y(x.at(-1)) + 4.5) }, last));
  }
  Object.defineProperty(step, "say", { get: says });
  step.show = show;

  // ---- the pane
  const button = (text, f, label) => { const b = h("button", { type: "button", "aria-label": label }, text); b.addEventListener("click", () => { if (b.getAttribute("aria-disabled") !== "true") f(b); }); return b; };
  const press = n => b => { if (running?.button === b) running.stop = true; else update(n, b); };
  const B = [button("Update", press(1)), button("\u00d710", press(10), "10 updates"), button("\u00d7100", press(100), "100 updates")], back = button("Undo", undo), walk = button("Walk again", again), texts = B.map(b => b.textContent);
  B[0].classList.add("first");
  const lr = h("input", { inputmode: "decimal", "aria-label": "Learning rate", spellcheck: "false", autocomplete: "off", class: "mgs-lr" }), slide = h("input", { type: "range", min: -4, max: 1, step: .05, "aria-label": "Learning rate, by powers of ten" });
  const choice = h("select", { "aria-label": "Optimizer" }, optimizers.map((o, j) => h("option", { value: j }, o.name))), zero = h("input", { type: "checkbox" });
  const rate = x => change({ lr: x });
  lr.addEventListener("keydown", e => e.stopPropagation());
  lr.addEventListener("change", () => {
    const x = numberOf(typedNumber(lr.value)), ok = x > 0 && Number.isFinite(x);
    host.alert.hidden = ok;
    if (ok) return rate(x);
    host.alert.textContent = "The learning rate must be above 0.";
    lr.value = String(U.lr);
  });
  for (const key of ["keydown", "pointerdown"]) slide.addEventListener(key, e => e.stopPropagation());
  slide.addEventListener("input", () => rate(Number((10 ** Number(slide.value)).toPrecision(2))));
  choice.addEventListener("change", () => change({ opt: +choice.value }));
  zero.addEventListener("change", () => { U.zero = zero.checked; address.changed(); host.paint(); });
  const head = h("tr"), body = h("tbody"), about = h("p", { class: "mgs-note" }), rows = new Map();
  const whole = h("div", { class: "mgs-update" }, h("div", { class: "line" }, B, back, walk), h("div", { class: "line" }, h("label", {}, "lr", lr), slide, choice, h("label", {}, zero, "zero_grad first")),
    h("div", { class: "mgs-scroll", tabindex: 0, role: "region", "aria-label": "The coming update" }, h("table", {}, h("thead", {}, head), body)), about);
  const leave = h("div", { class: "mgs-update" }, h("p", { class: "mgs-note" }, "The update comes after the backward pass."), h("div", { class: "line" }, button("Go to the update", () => host.go(end))));
  const unable = h("p", { class: "mgs-note" });
  function draw(into, title) {
    title.textContent = host.k() === end ? "The coming update" : "Update";
    const shown = !live || !params.length ? unable : host.k() === end ? whole : leave;
    if (into.firstChild !== shown || into.childNodes.length > 1) into.replaceChildren(shown);
    put(unable, "text", live ? "Nothing here can move." : D.live?.why ?? "");
    if (shown === whole) paint();
  }
  function row(i) {
    if (!rows.has(i)) { const tds = Array.from({ length: 6 }, () => h("td")); rows.set(i, { tds, tr: h("tr", {}, h("th", { scope: "row", title: called(i) }, typed(brief(called(i), 90, 13))), tds) }); }
    return rows.get(i);
  }
  function paint() {
    const { rule } = optimizers[U.opt], sums = !U.zero && U.acc, list = plan(), has = [true, true, !!(rule.momentum || rule.betas), !!rule.betas, true, true], n = has[2] ? 3 : 4;
    B.forEach((b, j) => { const now = running?.button === b; put(b, "text", now ? "Stop" : texts[j]); put(b, "aria-disabled", String((!!running && !now))); });
    put(back, "aria-disabled", String(!U.past.length || !!running)); put(walk, "aria-disabled", String(!U.count || !!running));
    if (lr.getRootNode().activeElement !== lr) lr.value = String(U.lr);
    slide.value = Math.log10(U.lr); put(slide, "aria-valuetext", String(U.lr));
    choice.value = U.opt; zero.checked = U.zero;
    const names = ["", ...["now", "grad", "m", "v", "moves by", "next"].filter((_, j) => has[j])];
    put(whole, "class", `mgs-update${has[3] ? " many" : ""}`);
    if (head.children.length !== names.length) head.replaceChildren(...names.map(t => h("th", { scope: "col" }, t)));
    const shown = list.length > UPDATES.whole ? [...list].sort((a, b) => Math.abs(b.by) - Math.abs(a.by)).slice(0, UPDATES.most) : list;
    const trs = shown.map(r => {
      const { tr, tds } = row(r.i);
      const cells = [r.p, r.g, r.m, r.v, r.by, r.next].map((x, j) => x == null ? "" : numberText(x, n, j === 1 || j === 2 || j === 4));
      cells.forEach((t, j) => { put(tds[j], "text", minus(t) + (j === 1 && sums ? "!" : "")); put(tds[j], "class", j === 1 || j === 4 ? sums && j === 1 ? "bad" : signOf(t) : null); put(tds[j], "hidden", has[j] ? null : ""); });
      return tr;
    });
    if (trs.length !== body.children.length || trs.some((tr, j) => tr !== body.children[j])) body.replaceChildren(...trs);
    const by = rule.betas ? "m / \u221av, both corrected for their start at 0" : !rule.momentum ? "grad" : rule.nesterov ? `(grad + ${rule.momentum} m)` : "m";
    const notes = [`${U.count} update${U.count === 1 ? "" : "s"} so far. Moves by = \u2212lr \u00d7 ${by}.`];
    if (shown.length < list.length) notes.push(`The ${shown.length} that move most, and ${list.length - shown.length} more.`);
    if (sums) notes.push("! = the sum of this gradient and those of all updates before: zero_grad was left out.");
    if (U.opt < own.length && given.decay) notes.push(`Weight decay: ${number(given.decay)}.`);
    if (U.opt < own.length && given.l1) notes.push(`L1: ${number(given.l1)}.`);
    if (all) notes.push(words.all);
    if (given && !given.rule) notes.push(`${given.name} has a rule of its own: in Python, steps(loss, optimizer=...) shows it.`);
    put(about, "text", notes.join(" "));
  }
  if (live) host.painting.push(putBack); // before anything is said of them
  host.pane("update", "Update", draw);
  host.hint("u", "update");
  host.keys.set("u", () => { if (host.k() !== end) host.go(end); if (!B[0].isConnected) host.choose("update"); B[0].focus({ preventScroll: true }); });
  host.legends.unshift(() => { // before that of what was pulled
    if (!live || !U.count || host.k() !== end || host.isPulled()) return null;
    return [h("div", { class: "mgs-moved" }, h("span", {}, `${U.count} update${U.count > 1 ? "s" : ""}: `, ...typed(brief(rootName, 150, 14)), ` ${minus(number(U.losses[0]))} \u2192 ${minus(number(U.losses.at(-1)))}`), button("Back to the original", host.putBack))];
  });
  const positive = text => { const x = Number(text); if (!(x > 0 && Number.isFinite(x))) return `This link says lr=${cutShort(text)}; a learning rate is above 0.`; U.lr = x; clear(); };
  address.add("lr", () => U.lr === start.lr ? "" : String(U.lr), positive);
  address.add("optimizer", () => U.opt === start.opt ? "" : optimizers[U.opt].name, text => { const j = optimizers.findIndex(o => o.name === text); if (j < 0) return false; U.opt = j; clear(); });
  address.add("zero_grad", () => U.zero ? "" : "0", text => { if (text !== "0") return false; U.zero = false; });
});
