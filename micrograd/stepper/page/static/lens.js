// The lens: a network as columns of neurons, each of which opens into its weighted sum. This file
// holds the data, the levels, the strip and the keys; lens_picture.js places and draws,
// lens_words.js writes what stands below. All of them use the helpers of stepper.js.

function lensData(data) {
  const [D] = unpacked(data), { nodes, steps, net } = D, root = nodes.length - 1, edges = D.edges.map(([p, c, arg], at) => ({ p, c, arg, at }));
  const into = nodes.map(() => []), outOf = nodes.map(() => []), gives = nodes.map(() => []), made = nodes.map(n => n.sym ? Infinity : -1), turns = [];
  edges.forEach(e => { into[e.c].push(e); outOf[e.p].push(e); });
  const passes = edges.map(() => []);
  let turn = 1;
  steps.forEach((s, j) => {
    turns.push(turn = Math.max(turn, s.turn || 1));
    if (s.k === "forward") made[s.n] = Math.min(made[s.n], j);
    else if (s.k !== "update") gives[s.k === "seed" ? s.n : s.p].push(j);
    if (s.k === "chain") (passes[s.e] ?? []).push(j);
  });
  const groups = [], groupAt = [], placeOf = new Map();
  D.sections.forEach((sec, at) => sec.groups.forEach(g => {
    g.sec = sec; sec.at = at;
    for (let j = g.steps[0]; j <= g.steps[1]; j++) groupAt[j] = g;
    groups.push(g);
  }));
  net.layers.forEach((L, l) => L.neurons.forEach((n, j) => {
    for (const [i, w] of [...n.w.entries(), ["b", n.b]]) if (w != null && !placeOf.has(w)) placeOf.set(w, { layer: l + 1, neuron: j + 1, i });
    for (const at of n.at) for (const i of [at.s, at.x, ...at.parts]) if (i != null) placeOf.set(i, { layer: l + 1, neuron: j + 1 });
  }));
  return { D, nodes, edges, steps, net, root, into, outOf, gives, made, passes, turns, groups, groupAt, placeOf };
}

// The last entry of a rising list that is at most k, or -1.
function latest(list, k) {
  let a = 0, b = list.length;
  while (a < b) { const m = (a + b) >> 1; if (list[m] <= k) a = m + 1; else b = m; }
  return a ? list[a - 1] : -1;
}

function mountLens(model, el, keep) {
  const V = lensData(model.get("data")), { D, nodes, steps, net, root, groups, groupAt, placeOf } = V;
  const quit = new AbortController(), on = listening(quit);
  const clamp = j => Math.max(0, Math.min(steps.length - 1, Math.trunc(j) || 0));
  Object.assign(V, { k: clamp(model.get("step")), open: null, sel: null, tab: null, page: null, width: 900, sample: net.sample, ...keep?.state });
  const address = addressOf(model, el, nodes, D.walk, !keep);
  V.k = clamp(model.get("step"));
  const snap = j => { if (V.open) return j; const list = stops(); return list.find(s => s >= j) ?? list.at(-1); }; // at the network a stop is whole
  if (V.k > 0) V.sample = groupAt[V.k].sec.sample ?? V.sample;

  // ---- what is known at this step
  V.known = i => V.made[i] <= V.k;
  V.grad = i => {
    const j = latest(V.gives[i], V.k), turn = V.turns[V.k];
    if (j < 0 || (steps[j].turn < turn && nodes[i].sym)) return null;
    const s = steps[j], held = s.turn < turn;
    return { text: s.after, t: s.tg, got: held ? 0 : s.i, of: s.of, correct: held ? "" : s.correct, held };
  };
  V.passed = e => { const j = e == null ? -1 : latest(V.passes[e.at], V.k); return j < 0 || steps[j].turn < V.turns[V.k] ? null : steps[j]; };
  V.neuron = (l, j) => { const n = net.layers[l - 1]?.neurons[j - 1]; return n && { layer: l, neuron: j, w: n.w, b: n.b, code: n.code, activation: net.layers[l - 1].activation, ...n.at[Math.min(V.sample, n.at.length - 1)] }; };
  V.inputs = () => net.inputs[V.sample] ?? net.inputs[0];
  V.layerName = l => net.layers[l - 1].name;
  const ownName = l => nodes[V.neuron(l, 1).s].name.match(/^(.*?)s\u207d(.+?)\u207e/) ?? ["", "", raised(l)]; // in front of its letter, and its number
  const weightName = l => nodes[V.neuron(l, 1).w[0]].name.match(/^.*?w\u207d(.+?)\u207e/)?.[1]; // of a layer that is used again
  V.layerText = (letter, l) => `${letter}\u207d${(/[wb]/.test(letter) && weightName(l)) || ownName(l)[2]}\u207e`;
  const below = l => [...new Set(V.neuron(l, 1).in.map(i => placeOf.get(i)?.layer ?? 0))].sort();
  V.below = l => below(l).map(k => k ? V.layerName(k) : "the inputs").reverse().join(" and ");
  V.inputText = l => { const [k, ...more] = below(l); return more.length || (!k && V.inputs().includes(V.neuron(l, 1).in[0]) && V.neuron(l, 1).in.length < V.inputs().length) ? "inputs" : k && ownName(k)[1] === ownName(l)[1] ? V.layerText("x", k) : nameText("x", 0); };
  V.after = () => [...(net.after[V.sample] ?? []), ...net.end];
  V.outputs = () => V.term()?.outputs ?? net.layers.at(-1).neurons.map((n, j) => { const at = V.neuron(net.layers.length, j + 1); return at.x ?? at.s; });
  V.reads = () => { // what the loss is computed from: outputs, and what else leads to it, as of a twin of the last layer
    const after = new Set(V.after()), isRead = i => nodes[i].sym && V.outOf[i].some(e => after.has(e.c)), here = i => { const n = V.neuron(placeOf.get(i).layer, placeOf.get(i).neuron); return i === n.x || i === n.s; };
    return [...new Set([...[...placeOf.keys()].filter(i => isRead(i) && here(i)).sort((a, b) => placeOf.get(a).layer - placeOf.get(b).layer), ...V.outputs()])];
  };
  V.outputLetter = () => net.layers.at(-1).neurons[0].at[0].x == null ? "s" : "x";
  V.term = () => net.loss?.terms[V.sample] ?? null;
  V.code = i => { const at = placeOf.get(i), n = at && net.layers[at.layer - 1].neurons[at.neuron - 1]; return !n?.code || nodes[i].sym ? "" : `${n.code}.${at.i === "b" ? "b" : `w[${at.i}]`}`; };
  V.called = (i, f = name => name) => /^\u2113/.test(nodes[i].name) ? nodes[i].name : f(nodes[i].name);
  V.back = () => steps[V.k].k !== "forward";

  // ---- stops: at the level of the network a group of steps, in an open neuron each step; what the
  // other samples do in between is one stop
  const isRest = g => g.sec.sample != null && g.sec.sample !== V.sample;
  let known = {};
  function stops() {
    const key = `${V.open != null}|${V.sample}`;
    if (known.key === key) return known.list;
    const list = [], runs = [];
    for (const g of groups) {
      const other = isRest(g), run = runs.at(-1);
      if (other && run?.other && run.phase === g.sec.phase) { run.samples.add(g.sec.sample); run.to = list.length - 1; list[list.length - 1] = g.steps[1]; continue; }
      const from = list.length;
      if (other || !V.open) list.push(g.steps[1]); else for (let j = g.steps[0]; j <= g.steps[1]; j++) list.push(j);
      if (!other && run?.sec === g.sec) run.to = list.length - 1;
      else runs.push({ sec: g.sec, other, phase: g.sec.phase, name: other ? "other samples" : g.sec.name, from, to: list.length - 1, samples: new Set([g.sec.sample]) });
    }
    known = { key, list, runs };
    return list;
  }
  const runs = () => { stops(); return known.runs; };
  V.isRest = j => isRest(groupAt[j]);
  V.restText = () => {
    const n = runs().find(r => V.pos() <= r.to).samples.size, [one, several] = net.others[groupAt[V.k].sec.phase];
    return n === 1 ? one : several.replace("{n}", n);
  };
  V.saved = () => groups.filter(g => !isRest(g) && g.sec.phase === "forward" && g.steps[0] <= V.k);
  V.pos = () => { const list = stops(), j = list.findIndex(s => s >= V.k); return j < 0 ? list.length - 1 : j; };
  V.lastStop = () => stops()[V.pos() - 1] ?? -1;
  V.isNow = j => V.open ? j === V.k : groupAt[j] === groupAt[V.k];
  V.layerNow = () => groupAt[V.k].layer;
  V.sectionTitle = j => { const g = groupAt[j]; return isRest(g) ? `${g.sec.phase === "forward" ? "Forward" : "Backward"} pass, other samples` : g.kind === "update" ? "Update" : `${g.sec.phase === "forward" ? "Forward" : V.turns[j] > 1 ? "Second backward" : "Backward"} pass, ${g.sec.name}`; };
  V.sumOf = () => V.sel ?? (V.back() ? V.open ? (steps[V.k].k === "chain" ? steps[V.k].p : steps[V.k].n) : stopTarget() : null);
  V.passedOn = () => { // what an operation outside of network and loss gives: all that is not 0, else all
    const given = steps.slice(groupAt[V.k].steps[0], V.k + 1).filter(q => q.k === "chain"), some = given.filter(q => numberOf(q.con) !== 0);
    return some.length ? some : given;
  };
  const stopTarget = () => { const g = groupAt[V.k]; return g.kind === "operation" ? V.passedOn()[0]?.p ?? steps[V.k].n : g.layer ? V.neuron(g.layer, g.neuron).s : V.outputs()[0]; };
  V.tabNow = () => V.tab ?? (groupAt[V.k].kind === "update" && V.sel == null ? "update" : V.sel == null && !V.open && groupAt[V.k].kind !== "operation" ? "layer" : "sum");
  V.introduction = () => `${stops().length - (D.update ? 1 : 0)} stops: forward through the network to the loss, then the gradient goes back the same way. Press \u2192 for the next, \u201copen\u201d for the single steps of a neuron; a click on a number shows where its gradient comes from.`;
  function placeNow() { const g = groupAt[V.k]; return g.layer ? { layer: g.layer, neuron: g.neuron } : { loss: true, name: g.kind === "operation" ? g.sec.name : "loss" }; }

  // ---- what of this the address holds
  const isAt = (g, place) => place.loss ? !g.layer && (g.kind === "operation") === (place.name !== "loss") : g.layer === place.layer && g.neuron === place.neuron;
  address.add("sample", () => V.sample ? V.sample + 1 : "", text => { const q = text - 1; if (!(Number.isInteger(q) && q >= 0 && q < net.samples)) return false; V.sample = q; });
  address.add("open", () => V.open && (V.open.loss ? V.open.name : `${V.open.layer}.${V.open.neuron}`), text => {
    const [layer, neuron] = text.split(".").map(Number), place = neuron ? { layer, neuron } : { loss: true, name: text }, all = groups.filter(g => isAt(g, place) && (neuron || text === "loss" || g.sec.name === text) && !isRest(g));
    if (!all.length) return false;
    V.open = place;
    if (!isAt(groupAt[V.k], place) || isRest(groupAt[V.k])) V.k = all[0].steps[0];
  });
  address.add("pick", () => V.sel == null ? "" : address.named(V.sel), text => { const i = address.find(text); if (i < 0) return `This link names ${cutShort(text)}, which is not here.`; V.sel = i; });
  V.k = snap(V.k);

  // ---- skeleton, in reading order
  const crumbs = h("nav", { class: "mgn-crumbs", "aria-label": "Zoom" }), mini = S("svg", { class: "mgn-mini", viewBox: "0 0 92 36", "aria-hidden": "true" }), pages = h("div", { class: "mgn-pages", role: "group", "aria-label": "What is shown" });
  const samples = net.samples < 2 ? null : h("select", { "aria-label": "Sample", class: "mgn-sample" }, Array.from({ length: net.samples }, (_, j) => h("option", { value: j }, `Sample ${j + 1} of ${net.samples}`)));
  const legend = h("div", { class: "mgs-legend mgn-legend" }), pane = h("div", { class: "mgn-view" }), alert = h("p", { class: "mgs-alert", role: "alert", hidden: "" });
  const strip = h("div", { class: "mgn-strip", role: "slider", tabindex: 0, "aria-label": "Step", "aria-orientation": "horizontal" }), count = h("span", { class: "mgs-count", "aria-hidden": "true" });
  const status = h("p", { class: "mgs-heard", role: "status", "aria-live": "polite", "aria-atomic": "true" });
  const player = playerOf({ el, model, on, keep, status }, {
    first: () => toEnd(0), back: () => by(-1), forward: () => by(1), last: () => toEnd(Infinity),
    atEnd: () => V.k >= D.walk - 1, again: () => toStop(0, { quiet: true }), next: () => toStop(V.pos() + 1, { quiet: true }), asking: () => host.asking(),
  }), { play } = player;
  V.tell = text => { if (!host.silent) put(status, "text", text); };
  const words = lensWords(V, on), picture = lensPicture(V, on);
  pane.append(picture.stage, picture.over, legend, alert); // below the picture, which stays where it is
  const bar = h("div", { class: "mgs-bar", role: "group", "aria-label": "Playback" }, player.buttons, strip, count, player.rate), top = h("div", { class: "mgs-top" }, crumbs, mini, pages, samples);
  const keysRow = h("div", { class: "mgs-keys" }, [["\u2190 \u2192", "step"], ["Shift \u2190 \u2192", "section"], ["Enter", "open a neuron"], ["Esc", "back"], ["\u2191 \u2193", "pick a number"], ...(D.guess ? [["g", "guess"]] : []), ["?", "more keys"]].map(keyHint));
  const moreKeys = h("div", { class: "mgs-keys", hidden: "" }, [["Space", "play"], ["Home End", "ends"], ["PageUp PageDown", "section"], ["1 2 3", "sum, layer, \u2026"], ...(samples ? [["[ ]", "sample"]] : [])].map(keyHint));
  const app = h("section", { "aria-label": "Back-propagation, step by step", "data-theme": "light", class: "mgs mgn" },
    top,
    D.rule ? h("p", { class: "mgs-banner" }, `Broken on purpose: ${D.rule}`) : null,
    h("div", { class: "mgn-main" }, pane, bar, h("div", { class: "mgn-words" }, words.stepPane, words.detail), words.layerPane), status, keysRow, moreKeys);
  el.replaceChildren(app);
  const host = hostOf({
    D, root, model, app, address, on, quit, clamp, top, bar, legend, alert, paint, pane: words.pane, k: () => V.k, width: () => V.width, curve: () => V.width >= 1240 ? 150 : 96, go: done(go), stage: picture.over, picture: picture.stage, cards: picture.spots,
    resize: () => { measure(); paint(); }, sample: () => V.sample, select: (i, tab) => V.select(i, tab), selected: () => V.sel, choose: name => V.choose(name), focus: i => picture.focusValue(i), hint: (keys, what) => moreKeys.append(keyHint([keys, what])), called: i => V.called(i), typed, spoken,
    single: () => V.open != null && !V.isRest(V.k), closed: () => V.open == null && !V.isRest(V.k), first: () => groupAt[V.k].steps[0], show: (j, focus) => V.showStep(clamp(j), focus),
    shared: () => ({ k: V.k, open: V.open, sample: V.sample, page: V.page, sel: V.sel }), follow: state => { play(false); Object.assign(V, state); model.set("step", V.k); paint(); },
  }, keep);

  // ---- painting
  function paintTop() {
    const key = JSON.stringify([V.open, V.width > 900]);
    if (key !== paintTop.key) {
      paintTop.key = key;
      const sep = () => h("span", { class: "sep", "aria-hidden": "true" }, "\u203a"), up = h("button", { type: "button" }, "Network");
      up.onclick = () => V.show(null);
      const here = (text, current) => h("span", { class: "here", "aria-current": current ? "location" : null }, text);
      const about = [net.loss?.says, net.samples > 1 ? null : V.term()?.name].filter(t => t).join("; ").replace("-log", "\u2212log").replace(/\bp(\d+)/g, (_, n) => `p${lowered(n)}`);
      crumbs.replaceChildren(...(V.open ? [up, sep(), ...(V.open.loss ? [here(capital(V.open.name), true)] : [here(capital(V.layerName(V.open.layer))), sep(), here(`Neuron ${V.open.neuron}`, true)])]
        : [h("h2", {}, minus(net.title)), V.width > 900 && about ? h("span", { class: "sub" }, typed(about)) : ""]));
    }
    if (samples) samples.value = V.sample;
    const single = picture.pages();
    pages.hidden = !single;
    if (single) {
      const names = [...net.layers.map((L, l) => [l + 1, capital(L.name)]), ["loss", "Loss"]];
      pages.replaceChildren(...names.map(([v, text]) => { const b = h("button", { type: "button", "aria-pressed": String(v === V.pageNow()) }, text); b.onclick = () => { V.page = v; paint(); }; return b; }));
    }
  }
  V.pageNow = () => V.page ?? (V.layerNow() || (groupAt[V.k].kind === "update" || (groupAt[V.k].sec.at === 0 && !V.back()) ? 1 : "loss"));
  const columns = [V.inputs().length, ...net.layers.map(L => L.neurons.length), 1].map(n => Math.min(n, 5)), dx = Math.min(22, 74 / (columns.length - 1)), row = (n, j) => n === 1 ? 18 : 4 + 28 * (j + .5) / n, first = 46 - dx * (columns.length - 1) / 2;
  const miniDots = columns.map((n, c) => Array.from({ length: n }, (_, j) => S("circle", { cx: first + c * dx, cy: row(n, j), r: Math.min(5, dx * .28, 12 / n + .4) })));
  mini.append(...columns.slice(1).flatMap((n, c) => Array.from({ length: n * columns[c] }, (_, q) => S("line", { x1: first + c * dx, y1: row(columns[c], q % columns[c]), x2: first + (c + 1) * dx, y2: row(n, Math.floor(q / columns[c])) }))), ...miniDots.flat());
  function paintMini() {
    const at = placeNow();
    miniDots.forEach((list, c) => list.forEach((dot, j) => {
      const total = c === 0 ? 0 : c > net.layers.length ? 1 : net.layers[c - 1].neurons.length;
      const now = c > net.layers.length ? at.name === "loss" : c > 0 && at.layer === c && Math.floor((at.neuron - 1) * list.length / total) === j;
      put(dot, "class", now ? "on" : "");
    }));
  }

  // the strip: sections, and in each a mark for every stop
  let segments = [], shownSegments = "";
  function paintStrip() {
    const list = stops(), p = V.pos(), all = runs(), now = all.findIndex(r => p <= r.to), most = Math.max(5, Math.min(9, Math.floor(V.stripWidth / 46)));
    let shown = all;
    if (all.length > most) {
      const keep = new Set([0, 1, all.length - 1, now - 1, now, now + 1]);
      if (most >= 9) { const turn = all.findIndex(r => r.phase === "backward"); keep.add(turn - 1).add(turn); }
      shown = [];
      all.forEach((r, j) => { if (keep.has(j)) shown.push(r); else if (shown.at(-1)?.gap) shown.at(-1).to = r.to; else shown.push({ ...r, gap: true, name: "\u2026" }); });
    }
    const key = shown.map(r => `${r.from}-${r.to}${r.gap ?? ""}`).join() + V.stripWidth + V.open?.layer;
    if (key !== shownSegments) {
      shownSegments = key;
      segments = shown.map((r, j) => {
        const n = r.to - r.from + 1, marks = n <= 12 && !r.gap ? Array.from({ length: n }, (_, q) => { const m = h("i"); m.style.left = `${(q + .5) / n * 100}%`; return m; }) : [], fill = marks.length ? null : h("i", { class: "fill" });
        const label = h("span"), e = h("div", { class: "seg", "aria-hidden": "true", title: r.gap ? "more layers" : r.phase === "update" ? "Update" : `${r.phase === "forward" ? "Forward" : "Backward"} pass, ${r.name}` }, label, marks, fill);
        e.style.flexGrow = Math.min(n, 14);
        return { ...r, e, marks, fill, label, cls: `seg${r.phase === "backward" ? " b" : r.phase === "update" ? " u" : ""}${j && r.phase !== shown[j - 1].phase ? " apart" : ""}${n > 6 ? " many" : ""}` };
      });
      strip.replaceChildren(...segments.map(s => s.e));
      const widths = segments.map(s => s.e.clientWidth);
      segments.forEach((s, j) => {
        const arrow = s.phase === "backward" && !s.gap && !s.other ? "\u2190" : "", long = `${arrow ? "\u2190 " : ""}${s.name}`, short = [["batch loss", "\u2113"], ["other samples", "others"], ["before the network", "before"], ["after the network", "after"]].reduce((name, [a, b]) => name.replace(a, b), `${arrow}${s.name.replace("layer ", "L")}`);
        const layer = s.name.match(/^(.+) layer (\d+)$/);
        s.label.textContent = s.phase === "update" ? long : [long, short, ...(layer ? [...[4, 3, 2, 1].map(n => `${arrow}${[...layer[1]].slice(0, n).join("")}\u2026 L${layer[2]}`), `${arrow}L${layer[2]}`] : []), `${arrow}${s.name === "loss" ? "\u2113" : "\u2026"}`].find(t => widthOf(t, 13.5) + 4 < widths[j]) ?? "";
      });
    }
    for (const s of segments) {
      put(s.e, "class", s.cls + (p >= s.from && p <= s.to ? " on" : ""));
      s.marks.forEach((m, q) => put(m, "class", s.from + q === p ? "now" : s.from + q < p ? "past" : ""));
      if (s.fill) put(s.fill, "--width", `${Math.round(100 * Math.max(0, Math.min(1, (p + 1 - s.from) / (s.to - s.from + 1))))}%`);
    }
    put(strip, "aria-valuemin", 1); put(strip, "aria-valuemax", list.length); put(strip, "aria-valuenow", p + 1);
    const many = list.length - (D.update ? 1 : 0), update = steps[V.k].k === "update"; // that is none of the walk's
    put(strip, "aria-valuetext", `${V.sectionTitle(V.k)}${update ? "" : `, ${p + 1} of ${many}`}`);
    put(count, "text", update ? "update" : `${p + 1} / ${many}${V.open ? " steps" : " stops"}`);
    player.ends(p === 0, p === list.length - 1);
  }
  function source({ layer, neuron, i }) {
    const value = V.neuron(layer, neuron).in[i], from = placeOf.get(value), input = V.inputs().indexOf(value);
    return from ? [`neuron ${from.neuron} of ${V.layerName(from.layer)}`] : input < 0 ? typed(V.called(value)) : [`input ${input + 1}`];
  }
  function paintLegend() {
    const line = host.line();
    if (line) return legend.replaceChildren(...line);
    const i = V.hover ?? V.sel, at = i == null ? null : placeOf.get(i);
    const name = i == null ? null : typed(V.called(i));
    const what = i == null ? [V.back() ? "Lines: gradient passed back, blue +, orange \u2212, thicker = larger" : V.open ? "Lines: how values are computed" : "Lines: weights, blue +, orange \u2212, thicker = larger"]
      : at && typeof at.i === "number" ? [...name, ": from ", ...source(at), ` to neuron ${at.neuron} of ${V.layerName(at.layer)}`]
        : at ? [...name, `: ${at.i === "b" ? "bias" : "value"} of neuron ${at.neuron} of ${V.layerName(at.layer)}`] : [...name, ` = ${minus(nodes[i].text)}`];
    const code = i == null ? "" : V.code(i);
    legend.replaceChildren(h("span", {}, what), code ? h("code", {}, code) : i == null ? h("span", { class: host.live || !host.tip ? "tip" : null }, (!host.asking() && host.tip) || "Click a number: where its gradient comes from") : "");
  }
  function paint() {
    host.beforePaint();
    picture.paint();
    paintTop(); paintMini(); paintStrip(); words.paint(); paintLegend();
    address.changed();
    host.afterPaint();
  }
  V.light = i => { V.hover = i; picture.light(i); paintLegend(); };

  // ---- moving
  function go(j, { quiet = false } = {}) {
    j = snap(clamp(j));
    if (j === V.k) return;
    app.classList.toggle("still", j !== stops()[V.pos() + 1]);
    V.k = j;
    V.page = null;
    alert.hidden = true;
    if (groupAt[j].kind === "update") V.open = V.tab = V.sel = null; // all parameters are shown
    if (V.open) V.open = V.isRest(j) ? V.open : placeNow();
    put(status, "aria-live", quiet ? "off" : "polite");
    model.set("step", j);
    paint();
  }
  const toStop = (q, how) => { const list = stops(); go(list[Math.max(0, Math.min(list.length - 1, q))], how); };
  function done(f) { return (...a) => { play(false); f(...a); model.save_changes(); }; }
  const by = done(d => { const list = stops(), p = V.pos(); toStop(d < 0 && list[p] > V.k ? p : p + d); });
  const ends = () => { const list = stops(), last = list.length - 1, walked = last - (D.update ? 1 : 0); return V.pos() < walked ? walked : last; }; // of the walk, and then the update
  const toEnd = done(q => toStop(q ? ends() : 0));
  const bySection = done(d => {
    const at = runs(), j = at.findIndex(r => V.pos() <= r.to), to = d < 0 && V.pos() > at[j].from ? j : j + d;
    if (at[to]) toStop(at[to].from); else toStop(d > 0 ? Infinity : 0);
  });
  // Opens a neuron or the loss at its place in this pass; null closes it.
  V.show = (place, focus = true) => {
    const was = V.open;
    play(false);
    if (place) {
      const here = groupAt[V.k], same = g => isAt(g, place), phase = here.sec.phase === "update" ? "backward" : here.sec.phase;
      const at = same(here) && !isRest(here) ? here : groups.find(g => same(g) && g.sec.phase === phase && !isRest(g)) ?? groups.find(g => same(g) && !isRest(g)) ?? here;
      V.open = place;
      V.k = at.steps[0];
    } else { V.open = null; V.k = V.isRest(V.k) ? V.k : groupAt[V.k].steps[1]; }
    V.sel = V.page = null;
    model.set("step", V.k); model.save_changes();
    paint();
    if (focus) picture.focus(place, was);
  };
  V.showStep = (j, focus = true) => { play(false); V.sample = groupAt[j].sec.sample ?? V.sample; V.k = j; V.open = placeNow(); V.page = null; model.set("step", j); model.save_changes(); paint(); if (focus) picture.focus(V.open); };
  V.choose = tab => { V.tab = tab; if (tab === "sum" && V.sel == null && !V.open && V.back()) V.sel = V.sumOf(); paint(); };
  V.select = (i, tab = null) => { V.sel = i; if (i != null) V.tab = tab; paint(); };
  function toSample(q) {
    q = Math.max(0, Math.min(net.samples - 1, q));
    if (q === V.sample) return;
    const here = groupAt[V.k], there = groups.find(g => g.sample === q && g.sec.phase === here.sec.phase && g.sec.name === here.sec.name && g.neuron === here.neuron) ?? groups.find(g => g.sample === q && g.sec.phase === here.sec.phase) ?? groups.find(g => g.sample === q);
    const isEnd = V.isRest(V.k) || here.sec.sample == null;
    V.sample = q; V.sel = null;
    if (there && !isEnd) { V.k = there.steps[V.open ? 0 : 1]; if (V.open) V.open = placeNow(); }
    model.set("step", V.k); model.save_changes();
    paint();
  }
  if (samples) on(samples, "change", () => { play(false); toSample(+samples.value); });
  let pulled = false;
  const pull = e => {
    const at = segments.find(s => e.clientX <= s.e.getBoundingClientRect().right + 1) ?? segments.at(-1), r = at.e.getBoundingClientRect(), n = at.to - at.from + 1;
    play(false);
    toStop(at.from + Math.max(0, Math.min(n - 1, Math.floor((e.clientX - r.left) / r.width * n))), { quiet: true });
  };
  on(strip, "pointerdown", e => { pulled = true; strip.setPointerCapture(e.pointerId); pull(e); });
  on(strip, "pointermove", e => { if (pulled) pull(e); });
  for (const event of ["pointerup", "pointercancel"]) on(strip, event, () => { if (pulled) model.save_changes(); pulled = false; });

  // ---- keys
  const escape = () => { if (V.sel != null) V.select(null); else if (V.open) V.show(null); };
  function pick(way) {
    const list = picture.order();
    V.select(list[((V.sel == null ? (way > 0 ? -1 : 0) : list.indexOf(V.sel)) + way + list.length) % list.length]);
    picture.focusValue(V.sel);
  }
  hearKeys(app, el, on, e => {
    const t = e.target, control = t.closest("button, select");
    if (t.matches("input")) return;
    if (host.heard(e)) return e.preventDefault();
    const keys = {
      ArrowRight: () => e.shiftKey ? bySection(1) : by(1), ArrowLeft: () => e.shiftKey ? bySection(-1) : by(-1), PageDown: () => bySection(1), PageUp: () => bySection(-1), Home: () => toEnd(0), End: () => toEnd(Infinity),
      ArrowDown: () => pick(1), ArrowUp: () => pick(-1), ...Object.fromEntries(words.panes().map((name, j) => [j + 1, () => V.choose(name)])), "[": () => toSample(V.sample - 1), "]": () => toSample(V.sample + 1), "?": () => moreKeys.toggleAttribute("hidden"),
    };
    if (V.sel != null || V.open) keys.Escape = escape; // else it is the host's
    if (!control) keys[" "] = player.toggle;
    if (!control) keys.Enter = () => {
      const place = V.sel == null ? placeNow() : placeOf.get(V.sel) ?? (V.after().includes(V.sel) ? { loss: true, name: "loss" } : null), j = V.sel == null ? -1 : V.gives[V.sel].at(-1) ?? -1;
      if (V.open && V.sel != null && j >= 0) V.showStep(j); else if (!V.open && place) V.show(place.loss ? place : { layer: place.layer, neuron: place.neuron });
    };
    if (t.matches("select") && /^Arrow|^Home|^End|^Page/.test(e.key)) return;
    if (t.getAttribute("role") === "tab" && /^Arrow/.test(e.key)) { const names = words.panes(), way = /Left|Up/.test(e.key) ? -1 : 1; e.preventDefault(); V.choose(names.at((Math.max(0, names.indexOf(V.tabNow())) + way) % names.length)); words.detail.querySelector('[aria-selected="true"]').focus(); return; }
    if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
  });

  host.listen("change:step", () => { const j = model.get("step"); if (V.open ? j === V.k : groupAt[clamp(j)] === groupAt[V.k]) return; play(false); V.sample = groupAt[clamp(j)].sec.sample ?? V.sample; go(j); });

  // ---- theme and size
  let onPaper = false;
  const leaveTheme = followTheme(app, el, model, on, (theme, printing) => {
    if (printing === onPaper) return;
    onPaper = printing;
    app.style.width = printing && parent === window ? "1040px" : ""; // landscape; a frame has the paper of another page
    measure(); paint();
  });
  const sized = new ResizeObserver(() => { const w = app.clientWidth; if (!w) play(false); else if (w !== V.width && !onPaper) { measure(); paint(); } });
  function measure() { // read only when the size changes: reading it again would force a layout
    V.width = app.clientWidth || V.width;
    words.layout();
    V.paneWidth = pane.clientWidth || V.width;
    V.stripWidth = strip.clientWidth || V.width / 2;
  }
  sized.observe(app);
  play(false); measure();
  PARTS.forEach(part => part(host));
  words.layout();
  address.add("tab", () => V.tab, text => { if (!words.has(text)) return false; V.tab = text; });
  paint();
  address.ready(alert);
  const controls = () => [...app.querySelectorAll("button, select, [role=slider]")];
  if (keep) (picture.cardOf(keep.focus)?.e ?? controls()[keep.control])?.focus({ preventScroll: true });
  return () => {
    const active = el.getRootNode().activeElement, control = controls().indexOf(active), focus = active?.dataset?.node == null ? null : +active.dataset.node;
    quit.abort(); sized.disconnect(); leaveTheme(); address.leave(); player.stop();
    return { state: { open: V.open, sel: V.sel, tab: V.tab, sample: V.sample, page: V.page }, speed: player.speed(), focus, control, kept: host.kept };
  };
}
