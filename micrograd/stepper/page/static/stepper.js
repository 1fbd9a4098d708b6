// Back-propagation, step by step. The notebook widget and the page run these same files. Python
// sends what is shown as strings, and two numbers per step for colour and width; nothing is
// computed or rounded here. All text goes to the page through textContent and setAttribute.

const KEYS = [["\u2190 \u2192", "step"], ["Space", "play"], ["Home End", "ends"], ["\u2191 \u2193", "pick a value"],
  ["Enter", "go to its final step"], ["+ \u2212 0", "zoom"]];
const MORE_KEYS = [["PageUp PageDown", "previous or next final gradient"], ["p", "gradient by steps or by paths"], ["Esc", "unselect"], ["Ctrl + wheel", "zoom"], ["?", "fewer keys"]];

const KIND = ["forward", "seed", "chain"];
// A long horizontal line bends below the cards between its ends.
const hang = (x0, y0, x1, y1) => x1 - x0 > 180 && Math.abs(y1 - y0) < 60 ? 100 : 0;
function curve(x0, y0, x1, y1) {
  const bend = Math.max(24, Math.abs(x1 - x0) * .4), low = hang(x0, y0, x1, y1);
  return `M${x0} ${y0}C${x0 + bend} ${y0 + low} ${x1 - bend} ${y1 + low} ${x1} ${y1}`;
}

function decoded(data) {
  const D = structuredClone(data), text = i => i < 0 ? "" : D.strings[i];
  if (D.pieces) D.strings = D.strings.map(s => s.map ? s.map(i => D.pieces[i]).join("") : s);
  D.steps = D.steps.map(s => ({
    k: KIND[s[0]], n: s[1], p: s[2], e: s[3], i: s[4], of: s[5], turn: s[6], tc: s[7], tg: s[8],
    before: text(s[9]), up: text(s[10]), loc: text(s[11]), con: text(s[12]), after: text(s[13]),
    say: text(s[14]), rule: text(s[15]), sum: text(s[16]), correct: text(s[17]), equals: text(s[18]),
  }));
  const [W] = D.box;
  D.paths = D.paths?.map(([rows, count, total]) => ({ rows: rows.map(([way, factors, product, edges]) => ({ way: text(way), factors: text(factors), product: text(product), edges })), count: text(count), total: text(total) }));
  D.edges = D.edges.map(([p, c, arg, d, lx, ly]) => {
    const a = D.nodes[p], b = D.nodes[c], x0 = a.x + W / 2, x1 = b.ox - b.ow / 2;
    return { p, c, arg, d: d ?? curve(x0, a.y, x1, b.oy),
      l: d ? [lx, ly] : [(x0 + x1) / 2, (a.y + b.oy) / 2 - 8 + .75 * hang(x0, a.y, x1, b.oy)] };
  });
  return D;
}

function mount(model, el, keep) {
  const D = decoded(model.get("data")), { nodes, edges, steps } = D, [W, H, R] = D.box;
  const root = nodes.length - 1, quit = new AbortController();
  const on = (target, event, f, options) => target.addEventListener(event, f, { signal: quit.signal, ...options });
  const nF = steps.filter(s => s.k === "forward").length, calm = matchMedia("(prefers-reduced-motion: reduce)");
  const big = edges.length > 300, few = edges.length <= 60, folded = nodes[0].spot !== undefined, lean = big || folded, editable = !!model.get("editable");
  const clamp = j => Math.max(0, Math.min(steps.length - 1, Math.trunc(j) || 0));
  let k = clamp(model.get("step")), sel = keep?.sel ?? null, hover = null, timer = 0, speed = keep?.speed ?? 1, raf = 0, glideRaf = 0, view = keep?.view ?? null, cam = null, byPath = keep?.byPath ?? false, lighted = null;
  const sign = t => /[!]$/.test(t) ? "bad" : /^[\u2248]?[-\u2212]/.test(t) ? "neg" : /^[\u2248]?\+/.test(t) ? "pos" : "";
  const contributions = nodes.map(() => []);
  steps.forEach((s, j) => { if (s.k === "chain") contributions[s.p].push(j); });
  const into = nodes.map(() => []), outOf = nodes.map(() => []); // the edges of each value
  edges.forEach((e, j) => { e.at = j; into[e.c].push(e); outOf[e.p].push(e); });

  // ---- folding: one of the values that share a position is shown
  const term = D.alike.map((a, g) => keep?.term[g] ?? 0); // for each group of like terms, which one is shown
  let editing = null, placeField = null; // the leaf whose number is being typed
  let open = -1; // the spot of the weighted sum whose inputs are shown
  nodes.forEach((n, i) => { n.bundle = folded && (into[i].length > 8 || n.own >= 0); n.key = n.own >= 0 ? n.own : n.bundle ? n.spot : -1; });
  const shown = i => { const n = nodes[i]; return !folded || ((n.set == null || term[n.set] === n.term) && (n.sym || n.own < 0 || n.own === open)); };
  const head = i => !folded || nodes[i].spot === i;
  function unfold(...values) { for (const i of values) if (i >= 0 && nodes[i].set != null) term[nodes[i].set] = nodes[i].term; }
  function toOpen(s) {
    const key = i => i == null || i < 0 ? -1 : nodes[i].key;
    if (editing != null && key(editing) >= 0) return key(editing);
    if (s.k === "chain" && !nodes[s.p].sym && nodes[s.p].own >= 0) return nodes[s.p].own;
    return [sel, s.n, s.k === "chain" ? s.p : -1].map(key).find(spot => spot >= 0) ?? -1;
  }

  // ---- skeleton, in reading order
  const title = h("h2", {}, minus(D.title)), phase = h("p", { class: "mgs-phase" });
  const gH = S("g", { "aria-hidden": "true" }), gE = S("g", { "aria-hidden": "true" }), gO = S("g", { "aria-hidden": "true" }), gN = S("g"), gT = S("g", { "aria-hidden": "true" });
  const dot = S("circle", { class: "dot", r: 6, visibility: "hidden" });
  const svg = S("svg", { role: "group", tabindex: -1, "aria-label": `Computation graph, ${nodes.length} value${nodes.length === 1 ? "" : "s"}${folded ? ", folded" : ""}`, preserveAspectRatio: "xMidYMid meet" }, gE, gH, gO, gN, gT, dot);
  const gL = S("g", { "aria-hidden": "true" }); svg.insertBefore(gL, gO); // the highlighted edges, above their halo
  const button = (name, label, cls) => h("button", { type: "button", "aria-label": label, title: label, class: cls }, name in ICON ? icon(ICON[name]) : name);
  const B = { first: button("first", "First step"), back: button("back", "Step back"), play: h("button", { type: "button", class: "mgs-play" }),
    forward: button("forward", "Step forward"), last: button("last", "Last step") };
  const zoom = h("div", { class: "mgs-zoom", role: "group", "aria-label": "View" }, button("+", "Zoom in"), button("\u2212", "Zoom out"), button("\u2922", "Fit the whole graph"));
  const win = S("rect", { class: "win" }), heads = nodes.filter((n, i) => head(i)), stride = Math.ceil(heads.length / 500);
  const dots = heads.map((n, i) => i % stride ? null : S("rect", { x: n.x - W / 2, y: n.y - H / 2, width: W, height: H, rx: 12 }));
  const mini = S("svg", { class: "mgs-mini", viewBox: `0 0 ${D.size.join(" ")}`, "aria-hidden": "true" }, dots, win);
  const pane = h("div", { class: "mgs-view" }, svg);
  const slider = h("input", { type: "range", min: 0, max: steps.length - 1, step: 1, "aria-label": "Step" });
  const forward = nF / steps.length * 100, segF = h("i"), segB = h("i", { class: "b" });
  segF.style.left = "0"; segF.style.width = `calc(${forward}% - 2px)`; segB.style.left = `${forward}%`; segB.style.right = "0";
  const count = h("span", { class: "mgs-count", "aria-hidden": "true" });
  const rate = h("select", { "aria-label": "Speed", class: "mgs-speed" }, [.5, 1, 2, 4].map(v => h("option", { value: v, selected: v === speed ? "" : null }, `${v}\u00d7`)));
  const bar = h("div", { class: "mgs-bar", role: "group", "aria-label": "Playback" }, h("div", { class: "mgs-btns" }, Object.values(B)), h("div", { class: "mgs-slide" }, h("div", { class: "mgs-track" }, segF, segB, slider), count), rate);
  const say = h("p", { class: "mgs-say", role: "status", "aria-live": "polite", "aria-atomic": "true" });
  const math = h("div", { class: "mgs-math" }), rule = h("p", { class: "mgs-rule" }), tiles = h("div", { class: "mgs-tiles" });
  const by = [["Steps", "One row a step"], ["Paths", "One row a path"]].map(([name, label]) => h("button", { type: "button", "aria-label": label, title: label }, name));
  const sHead = h("h3"), lHead = h("h3"), ledger = h("div"), alert = h("p", { class: "mgs-alert", role: "alert", hidden: "" });
  const hint = ([keys, what]) => h("span", {}, h("kbd", {}, keys), " " + what);
  const keysRow = h("div", { class: "mgs-keys" }, KEYS.map(hint), editable ? hint(["e", "edit a leaf"]) : null, hint(["?", "more keys"]));
  const moreKeys = h("div", { class: "mgs-keys", hidden: "" }, MORE_KEYS.map(hint));
  const choices = D.alike.map(a => h("select", { "aria-label": `Which of the like terms of ${minus(a.name)} is shown` }, a.terms.map((t, j) => h("option", { value: j }, `${j + 1} of ${a.terms.length}`))));
  const foldRow = !folded ? null : h("p", { class: "mgs-fold" },
    D.alike.map((a, g) => h("span", {}, `Terms of ${minus(a.name)} that are computed alike, shown: `, choices[g])),
    nodes.some(n => n.bundle) ? h("span", {}, "A weighted sum shows its inputs while it takes part in the step or is selected.") : null);
  const app = h("section", { "aria-label": "Back-propagation, step by step", "data-theme": "light", class: "mgs" + (big ? " big" : "") },
    h("div", { class: "mgs-top" }, title, phase, mini, zoom),
    D.rule ? h("p", { class: "mgs-banner" }, `Broken on purpose: ${D.rule}`) : null,
    pane, foldRow, alert, bar,
    h("div", { class: "mgs-cols" }, h("div", { class: "mgs-card" }, sHead, say, math, rule, tiles), h("div", { class: "mgs-card" }, h("div", { class: "mgs-head" }, lHead, h("div", { class: "mgs-by", role: "group", "aria-label": "Sum" }, by)), ledger)),
    keysRow, moreKeys);
  el.replaceChildren(app);

  // ---- the graph, built once; later only classes, text and colours change
  const built = document.createDocumentFragment(), ops = document.createDocumentFragment();
  const lineOf = e => e.g ??= S("path", { class: "edge", d: e.d });
  if (!lean) gE.append(...edges.map(lineOf));
  function bundleOf(i) { // all inputs of a weighted sum as one line that starts in the middle of them
    const n = nodes[i], from = into[i].map(e => nodes[e.p]).filter(p => p.sym || p.own < 0), x1 = n.ox - n.ow / 2, ys = from.map(p => p.y);
    const x0 = from.length ? Math.max(...from.map(p => p.x)) + W / 2 : x1 - 40, y0 = from.length ? (Math.min(...ys) + Math.max(...ys)) / 2 : n.oy;
    return n.bundleG ??= S("g", { class: "bundle" }, S("path", { class: "edge", d: curve(x0, y0, x1, n.oy) }), S("text", { class: "cap", x: n.ox, y: n.oy + R + 14 }, `${into[i].length} inputs`));
  }
  nodes.forEach((n, i) => {
    if (n.d) n.out = S("path", { class: "out", d: n.d });
    if (n.out && !lean) gE.append(n.out);
    if (n.sym) n.opG = S("g", { class: "op" }, S("rect", { x: n.ox - n.ow / 2, y: n.oy - R, width: n.ow, height: 2 * R, rx: n.ow > 2 * R ? 9 : R }),
      S("text", { x: n.ox, y: n.oy + (n.sym.length > 1 ? 5 : 7), class: n.sym.length > 1 ? "word" : null }, minus(n.sym)));
    if (n.sym && !lean) ops.append(n.opG);
    const g = n.g = S("g", { transform: `translate(${n.x - W / 2} ${n.y - H / 2})`, role: "button", tabindex: -1 });
    const crowded = contributions[i].length > 9, small = (n.short.length > (crowded ? 6 : 8) ? " small" : "") + (crowded ? " left" : "");
    g.append(S("rect", { class: "ring", x: -5, y: -5, width: W + 10, height: H + 10, rx: 14 }), S("rect", { class: "box", width: W, height: H, rx: 10 }),
      S("rect", { class: "head", x: 5, y: 5, width: W - 10, height: 24, rx: 7 }), S("text", { class: "name" + small, x: crowded ? 11 : W / 2 - (contributions[i].length > 1 && n.short.length > 6 ? 11 : small ? 6 : 0), y: 22 }, minus(n.short)),
      n.badge = S("text", { class: "badge", x: W - 10, y: 21 }), n.tick = S("path", { class: "tick", d: `M${W - 22} 17l4 4 7-8`, visibility: "hidden" }),
      S("text", { class: "cap", x: 12, y: 47 }, "data"), n.dT = S("text", { class: "num d" + (n.text.length > 8 ? " small" : ""), x: W - 12, y: 48 }),
      n.chip = S("rect", { class: "chip", x: 5, y: 55, width: W - 10, height: 24, rx: 7 }), S("text", { class: "cap g", x: 12, y: 71 }, "grad"), n.gT = S("text", { class: "num g", x: W - 12, y: 72 }),
      S("title", {}, `${n.name} = ${n.full}`));
    if (editable && !n.sym) g.append(S("g", { class: "pencil" }, S("rect", { x: 36, y: 35, width: 20, height: 20 }), S("path", { d: "M40 49.5l.8-3.2 6-6 2.4 2.4-6 6zM45.2 41.9l2.4 2.4" })));
    on(g, "click", e => {
      if (e.target.closest(".pencil")) return edit(i);
      if (e.detail === 1) beforeClick = k;
      if (e.detail < 2) { sel = i; paint(); goToFinal(i); }
    });
    on(g, "pointerenter", e => { if (e.pointerType === "mouse") { hover = i; book(); } });
    on(g, "pointerleave", () => { if (hover === i) { hover = null; book(); } });
    if (editable && !n.sym) on(g, "dblclick", e => { e.preventDefault(); if (e.target.closest(".pencil")) return; step(beforeClick); edit(i); });
    if (!lean) built.append(g);
  });
  if (!lean) { gO.append(ops); gN.append(built); }

  // ---- the state after step j: computed from the steps, not sent
  function stateAt(j) {
    const st = nodes.map(n => ({ done: !n.sym, got: 0, of: 0, t: 0, text: null, correct: "" })), passed = new Map();
    for (let q = 0; q <= j; q++) {
      const s = steps[q];
      if (s.k === "forward") { st[s.n].done = true; continue; }
      if (s.k === "seed" && s.turn > 1) {
        passed.clear();
        nodes.forEach((n, i) => { st[i].got = 0; st[i].correct = ""; if (n.sym) st[i].text = null; });
      }
      const target = st[s.k === "seed" ? s.n : s.p];
      target.got = s.i; target.of = s.of; target.t = s.tg; target.text = s.after; target.correct = s.correct;
      if (s.k === "chain") passed.set(s.e, s);
    }
    return { st, passed };
  }
  const hue = t => Math.abs(t) > 1 ? "wrong" : t > 0 ? "pos" : t < 0 ? "neg" : "zero";
  const tint = t => Math.abs(t) > 1 ? "color-mix(in oklab, var(--none), var(--wrong) 10%)" : t ? `color-mix(in oklab, var(--none), var(--${hue(t)}-tint) ${Math.round(25 + 75 * Math.abs(t))}%)` : "var(--none)";
  const needed = nodes.map((n, i) => Math.max(1, contributions[i].length));

  let beforeClick = k, now = null, lit = [], shownEdges = edges;
  function paint(glide = false) {
    const s = steps[k], chain = s.k === "chain", path = new Set(lighted);
    now = stateAt(k);
    if (folded) open = toOpen(s);
    const { st, passed } = now;
    nodes.forEach((n, i) => {
      const q = st[i], to = i === (chain ? s.p : s.n), from = chain && i === s.n;
      const mark = `${q.done}|${q.got}|${q.of}|${q.text}|${q.correct}|${to}|${from}|${i === sel}|${n.sent ?? ""}`;
      if (n.mark === mark) return;
      n.mark = mark;
      const final = q.got > 0 && q.got === q.of, held = q.got === 0 && q.text !== null, wrong = q.correct !== "" || /!$/.test(q.text ?? "");
      const c = ["node", n.role];
      if (i === root) c.push("root");
      if (q.text === null) c.push("wait");
      if (!q.done) c.push("notyet");
      if (i === sel) c.push("sel");
      if (from) c.push("from");
      if (to) c.push("to");
      if (editable && !n.sym) c.push("editable");
      put(n.g, "class", c.join(" "));
      const shown = n.sent ? "\u2026" : q.done ? minus(n.text) : "\u2013", grad = q.text === null ? "\u2013" : minus(q.text) + (q.correct ? "!" : "");
      put(n.dT, "text", shown);
      put(n.gT, "text", grad);
      put(n.gT, "class", "num g" + (wrong ? " bad" : "") + (grad.length > 10 ? " tiny" : grad.length > 8 ? " small" : ""));
      put(n.chip, "class", "chip" + (q.text === null ? "" : wrong ? " on bad" : final ? " on" : " on part"));
      put(n.chip, "--fill", q.text === null ? "" : tint(q.t));
      put(n.tick, "visibility", final ? "visible" : "hidden");
      put(n.badge, "text", q.got && !final ? `${q.got}/${q.of}` : "");
      put(n.g, "aria-label", `${n.name}, data ${q.done ? minus(n.text) : "not computed yet"}, gradient ${q.text === null ? "none yet" : minus(q.text) + (held ? ", left over" : final ? ", final" : `, ${q.got} of ${q.of} contributions`) + (q.correct ? `, ${minus(q.correct)} would be correct` : "")}`);
    });
    const tab = sel != null && shown(sel) ? sel : chain ? s.p : s.n;
    if (tab !== paint.tab) { if (paint.tab != null) put(nodes[paint.tab].g, "tabindex", "-1"); put(nodes[paint.tab = tab].g, "tabindex", "0"); }

    const here = chain ? [edges[s.e]] : s.k === "forward" ? into[s.n] : [];
    if (lean) { // only the edges of the current and the selected value: all of them would be a thicket
      const visible = e => shown(e.p) && shown(e.c), closed = n => n.bundle && n.key !== open;
      const near = [...into[s.n], ...(chain ? outOf[s.p] : []), ...(sel == null ? [] : [...into[sel], ...outOf[sel]])].filter(visible);
      const still = folded ? edges.filter(e => visible(e) && !closed(nodes[e.c])) : [];
      shownEdges = [...new Set([...near, ...still])].slice(0, 400);
      const there = nodes.map((n, i) => i).filter(i => folded && nodes[i].out && shown(i));
      const outs = new Set([s.n, ...(chain ? [s.p] : []), ...shownEdges.map(e => e.c), ...there]);
      gE.replaceChildren(...there.filter(i => closed(nodes[i])).map(bundleOf), ...shownEdges.map(lineOf), ...[...outs].map(i => nodes[i].out).filter(out => out));
    }
    shownEdges.forEach(e => {
      const p = passed.get(e.at);
      put(e.g, "--stroke", p ? `var(--${hue(p.tc)})` : "");
      put(e.g, "--strokeWidth", p ? (1.2 + 4.8 * Math.min(1, Math.abs(p.tc))).toFixed(1) : "");
      put(e.g, "--strokeDasharray", p && !p.tc ? "5 4" : "");
    });
    for (const e of lit) if (!lean) gE.append(e.g);
    lit = [...new Set([...here, ...edges.filter(e => path.has(e.at))])];
    gH.replaceChildren(...lit.map(e => S("path", { class: "halo", d: e.d, "data-on": path.has(e.at) ? "" : null })));
    gL.replaceChildren(...lit.map(lineOf));
    const labelled = lean ? (chain ? here : []) : few ? edges.filter(e => st[e.c].done) : [...here, ...(chain ? into[s.n].filter(e => e !== here[0]) : [])].slice(0, 12);
    gT.replaceChildren(...[...new Set([...labelled, ...(lighted ? lit : [])])].map(e => S("text", { class: "loc" + (here.includes(e) || passed.has(e.at) ? " lit" : ""), x: e.l[0], y: e.l[1], "data-on": path.has(e.at) ? "" : null }, "\u2202 " + minus(nodes[e.c].loc[e.arg]))));
    if (chain && s.sum) { // the running sum, below the value that receives the contribution
      const n = nodes[s.p], text = minus(s.sum), w = 7.7 * text.length + 14;
      const x = Math.max(w / 2 + 2, Math.min(D.size[0] - w / 2 - 2, n.x)); // so that all of it is inside the drawing
      gT.append(S("g", { class: "tag" }, S("rect", { x: x - w / 2, y: n.y + H / 2 + 10, width: w, height: 22, rx: 7 }), S("text", { x, y: n.y + H / 2 + 26 }, text)));
    }
    paintLight(path);
    choices.forEach((choice, g) => { choice.value = term[g]; });
    words(s); book();
    slider.value = k;
    slider.setAttribute("aria-valuetext", `Step ${k + 1} of ${steps.length}. ${minus(s.say)}`);
    count.textContent = `${k + 1} / ${steps.length}`;
    for (const [b, end] of [[B.first, k === 0], [B.back, k === 0], [B.forward, k === steps.length - 1], [B.last, k === steps.length - 1]]) b.setAttribute("aria-disabled", end);
    camera(glide);
  }

  // ---- a path from the root to a value, highlighted while its row has the mouse or the focus
  function paintLight(path) {
    const along = new Set([...path].flatMap(j => [edges[j].p, edges[j].c]));
    if (path.size || svg.hasAttribute("data-lit")) {
      svg.toggleAttribute("data-lit", path.size > 0);
      nodes.forEach((n, i) => { for (const e of [n.g, n.opG, n.out]) e?.toggleAttribute("data-on", along.has(i) && (e === n.g || into[i].some(w => path.has(w.at)))); });
      edges.forEach(e => e.g?.toggleAttribute("data-on", path.has(e.at)));
    }
  }
  function light(list) { lighted = list?.length ? list : null; paint(); }

  // ---- sentence, formula, rule, tiles
  const formula = (...c) => make("m", "math", { displaystyle: "true" }, ...c);
  const id = name => make("m", "mi", { mathvariant: "normal" }, minus(name)); // a name is an identifier: upright, however long
  const called = i => nodes[i].name.length > 18 ? nodes[i].short : nodes[i].name;
  const tight = i => called(i).includes(" ") ? [M("mo", "("), id(called(i)), M("mo", ")")] : [id(called(i))];
  const ratio = (a, b) => M("mfrac", M("mrow", M("mo", "\u2202"), ...tight(a)), M("mrow", M("mo", "\u2202"), ...tight(b)));
  const tile = (value, kind, ...captions) => h("div", { class: "mgs-tile" + (kind ? " " + kind : "") + (value.length > 7 ? " long" : ""), title: captions.join(" ") },
    h("b", { class: kind === "local" || kind === "lost" ? null : sign(value) }, minus(value)), captions.map(c => h("span", {}, minus(c))));
  const op = c => h("span", { class: "mgs-op", "aria-hidden": "true" }, c);
  const bound = i => called(i).includes(" ") ? `(${called(i)})` : called(i);
  const dLocal = s => `\u2202${bound(s.n)}/\u2202${bound(s.p)}`;
  const gradOf = i => nodes[i].role === "const" || /^[-\d]/.test(nodes[i].name) ? `grad of ${nodes[i].name}` : `${bound(i)}.grad`;
  function words(s) {
    const name = nodes[s.n].name;
    math.replaceChildren(); tiles.replaceChildren();
    put(say, "text", minus(s.say)); put(rule, "text", minus(s.rule));
    phase.replaceChildren(h("b", {}, s.k === "forward" ? "Forward" : D.turns > 1 && s.turn === 2 ? "Second pass" : "Backward"), s.k === "forward" ? ` ${k + 1} of ${nF}` : ` ${k + 1 - nF} of ${steps.length - nF}`);
    if (s.k === "forward") {
      sHead.textContent = "Evaluate";
      math.append(formula(...(name === s.before ? [] : [id(name), M("mo", "=")]), M("mtext", minus(s.before)), M("mo", "="), M("mtext", minus(s.up)), M("mo", s.loc), M("mn", minus(s.after))));
      return;
    }
    if (s.k === "seed") {
      sHead.textContent = "Start";
      math.append(formula(ratio(root, root), M("mo", "="), M("mn", "1")));
      return;
    }
    sHead.textContent = "Chain rule";
    const adds = D.assigns ? make("m", "mo", { class: "broken" }, "=") : M("mo", "+=");
    math.append(formula(ratio(root, s.p), adds, ratio(root, s.n), M("mo", "\u00b7"), ratio(s.n, s.p)));
    tiles.append(tile(s.before, D.assigns ? "lost" : "", D.assigns && s.i > 1 ? "lost" : "before", gradOf(s.p)), op(D.assigns ? "\u2192" : "+"), tile(s.up, "", "upstream", gradOf(s.n)), op("\u00d7"),
      tile(s.loc, "local", "local", dLocal(s)), op(s.equals), tile(s.after + (s.correct ? "!" : ""), "now", "now", s.correct ? `correct: ${s.correct}` : gradOf(s.p)));
  }
  function book() {
    const s = steps[k], i = hover ?? sel ?? (s.k === "chain" ? s.p : s.n), n = nodes[i], q = now.st[i];
    const all = contributions[i].filter(j => D.turns < 2 || steps[j].turn === Math.max(1, s.turn)), at = all.findIndex(j => j >= k);
    const start = Math.max(0, Math.min(all.length - 12, (at < 0 ? all.length : at) - 6)), rows = all.slice(start, start + 12);
    put(lHead, "text", `Where ${minus(gradOf(i))} comes from`);
    by.forEach((b, j) => b.setAttribute("aria-pressed", byPath === (j === 1)));
    if (byPath) return pathBook(i);
    pathsOf = null;
    const body = rows.map(j => {
      const c = steps[j], todo = j > k;
      return h("tr", { class: j === k ? "cur" : todo ? "todo" : null }, h("td", {}, minus(nodes[c.n].name)), h("td", {}, todo ? "not yet" : `${minus(c.up)} \u00d7 ${/^[-\u2248]/.test(c.loc) ? `(${minus(c.loc)})` : c.loc}`), h("td", {}, todo ? "" : minus(c.con)));
    });
    if (i === root) {
      const todo = s.k === "forward";
      body.unshift(h("tr", { class: s.k === "seed" ? "cur" : todo ? "todo" : null }, h("td", {}, "seed"), h("td", {}, todo ? "not yet" : `\u2202${bound(i)}/\u2202${bound(i)}`), h("td", {}, todo ? "" : "+1")));
    }
    const foot = q.text === null ? `0 of ${needed[i]}` : q.got === 0 ? "left over" : q.got === q.of ? "final" : `${q.got} of ${q.of} so far`;
    fill(h("table", {}, h("thead", {}, h("tr", {}, ["through", "upstream \u00d7 local", "adds"].map(t => h("th", { scope: "col" }, t)))), h("tbody", {}, body),
      h("tfoot", {}, h("tr", {}, h("td", {}, minus(gradOf(i))), h("td", {}, foot), h("td", { class: q.text === null ? null : q.correct ? "bad" : sign(q.text) }, q.text === null ? "\u2013" : minus(q.text) + (q.correct ? "!" : ""))))));
    if (q.correct) ledger.append(h("p", { class: "mgs-note" }, `${minus(q.correct)} would be correct.`));
    if (all.length > rows.length) ledger.append(h("p", { class: "mgs-note" }, `Rows ${start + 1} to ${start + rows.length} of ${all.length}.`));
  }

  function fill(...children) { // replaces the ledger; if one of its rows had the focus, the new row gets it
    const rows = () => [...ledger.querySelectorAll("[tabindex]")], at = rows().indexOf(el.getRootNode().activeElement);
    over = held = null;
    ledger.replaceChildren(...children);
    if (at >= 0) (rows()[at] ?? by[byPath ? 1 : 0]).focus({ preventScroll: true });
  }
  let over = null, held = null; // the paths of the rows under the mouse and with the focus
  let pathsOf = null; // the value whose paths are shown: they are the same at every step
  function pathBook(i) {
    if (pathsOf === i) return;
    pathsOf = i;
    if (lighted) light(null);
    if (!D.paths) return fill(h("p", { class: "mgs-note" }, `A page lists the paths of smaller graphs. In Python, explain(${called(root)}, value) gives those of this one.`));
    const { rows, count, total } = D.paths[i];
    fill(h("table", { class: "mgs-paths" }, h("thead", {}, h("tr", {}, ["path", "local derivatives", "product"].map(t => h("th", { scope: "col" }, t)))),
      h("tbody", {}, rows.map(({ way, factors, product, edges: list }) => {
        const row = h("tr", list.length ? { tabindex: 0 } : {}, h("td", {}, minus(way)), h("td", {}, minus(factors)), h("td", { class: sign(product) }, minus(product)));
        if (list.length) {
          for (const [event, lit] of [["pointerenter", list], ["pointerleave", null]]) on(row, event, () => { over = lit; light(lit ?? held); });
          for (const [event, lit] of [["focus", list], ["blur", null]]) on(row, event, () => { held = lit; light(lit ?? over); });
        }
        return row;
      })),
      h("tfoot", {}, h("tr", {}, h("td", {}, minus(gradOf(i))), h("td", {}, count), h("td", { class: sign(total) }, minus(total))))));
    if (D.rule) ledger.append(h("p", { class: "mgs-note" }, "The sum over all paths is correct, whichever rule the pass breaks."));
  }

  // ---- camera
  const [GW, GH] = D.size;
  const fitted = r => Math.min(r.width / GW, r.height / GH, 1.25);
  function target(r) {
    const f = fitted(r);
    if (view) return view;
    if (f >= .72) return { scale: f, cx: GW / 2, cy: GH / 2 };
    const s = steps[k], at = [nodes[s.n], nodes[s.k === "chain" ? s.p : s.n], ...(s.k === "forward" ? into[s.n].slice(0, 6).map(e => nodes[e.p]) : [])];
    const xs = at.map(n => n.x), ys = at.map(n => n.y);
    if (s.k === "chain" || s.k === "forward") { xs.push(nodes[s.n].ox); ys.push(nodes[s.n].oy); }
    const xa = Math.min(...xs) - W / 2 - 14, xb = Math.max(...xs) + W / 2 + 14, ya = Math.min(...ys) - H / 2 - 14, yb = Math.max(...ys) + H / 2 + 40;
    const scale = Math.max(f, Math.min(1, Math.max(.62, Math.min(r.width / (xb - xa), r.height / (yb - ya)))));
    let cx = (xa + xb) / 2, cy = (ya + yb) / 2;
    const hw = r.width / scale / 2, hh = r.height / scale / 2;
    if (xb - xa > 2 * hw || yb - ya > 2 * hh) { cx = at[1].x; cy = at[1].y; } // too far apart: show the one that receives
    cx = 2 * hw > GW ? GW / 2 : Math.max(hw, Math.min(GW - hw, cx));
    cy = 2 * hh > GH ? GH / 2 : Math.max(hh, Math.min(GH - hh, cy));
    return { scale, cx, cy };
  }
  const focusedCard = () => { const active = el.getRootNode().activeElement; return nodes.findIndex(n => n.g === active); };
  function look(c, r) {
    cam = c;
    placeField?.();
    const w = r.width / c.scale, height = r.height / c.scale, x0 = c.cx - w / 2, y0 = c.cy - height / 2;
    svg.setAttribute("viewBox", `${x0} ${y0} ${w} ${height}`);
    if (lean) { // only what the window shows is in the page: hidden elements would cost time too
      const inside = (x, y) => x > x0 - W && x < x0 + w + W && y > y0 - H && y < y0 + height + H;
      let next = null, nextOp = null;
      const focused = focusedCard();
      for (let i = root; i >= 0; i--) { // elements that stay are not moved, so that the focus stays
        const n = nodes[i], there = shown(i), seen = there && inside(n.x, n.y), seenOp = there && n.opG && inside(n.ox, n.oy);
        if (seen) { if (!n.g.parentNode) gN.insertBefore(n.g, next); next = n.g; } else if (n.g.parentNode) n.g.remove();
        if (seenOp) { if (!n.opG.parentNode) gO.insertBefore(n.opG, nextOp); nextOp = n.opG; } else if (n.opG?.parentNode) n.opG.remove();
      }
      if (focused >= 0 && !nodes[focused].g.parentNode) { // its card is gone: keys must still be heard
        const card = nodes[paint.tab].g;
        (card.parentNode ? card : svg).focus({ preventScroll: true });
      }
    }
    mini.toggleAttribute("hidden", c.scale <= fitted(r) * 1.05);
    for (const [key, value] of [["x", x0], ["y", y0], ["width", w], ["height", height]]) win.setAttribute(key, value);
  }
  function camera(glide) {
    const r = pane.seen; // read only when the size changes: reading it again would force a layout
    if (!r) return;
    const aim = target(r), from = cam, s = steps[k];
    cancelAnimationFrame(glideRaf);
    const spots = [s.n, s.p].map(i => nodes[folded && i >= 0 ? nodes[i].spot : i]);
    dots.forEach((d, i) => { if (d) put(d, "class", spots.includes(heads[i]) ? "on" : ""); });
    if (!glide || !from || big || calm.matches || (from.cx === aim.cx && from.cy === aim.cy && from.scale === aim.scale)) return look(aim, r);
    const t0 = performance.now();
    const tick = t => {
      const u = Math.min(1, Math.max(0, (t - t0) / 300)), v = u * u * (3 - 2 * u), mix = key => from[key] + (aim[key] - from[key]) * v;
      look({ scale: mix("scale"), cx: mix("cx"), cy: mix("cy") }, r);
      if (u < 1 && el.isConnected) glideRaf = requestAnimationFrame(tick);
    };
    look(from, r);
    glideRaf = requestAnimationFrame(tick);
  }
  const scaleBy = f => { view = { ...cam, scale: Math.max(.05, Math.min(4, cam.scale * f)) }; camera(); };
  const fit = () => { const r = pane.seen, f = fitted(r); view = !view && f < .72 ? { scale: f, cx: GW / 2, cy: GH / 2 } : null; camera(); };
  [() => scaleBy(1.25), () => scaleBy(.8), fit].forEach((f, i) => on(zoom.children[i], "click", f));
  on(svg, "wheel", e => { if (!e.ctrlKey && !e.metaKey) return; e.preventDefault(); scaleBy(Math.exp(-e.deltaY / 200)); }, { passive: false });
  const fingers = new Map();
  let drag = null, pinch = 0;
  on(svg, "pointerdown", e => {
    fingers.set(e.pointerId, e);
    if (fingers.size === 2) { const [a, b] = [...fingers.values()]; pinch = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); drag = null; return; }
    if (!e.target.closest(".node")) { drag = [e.clientX, e.clientY, cam]; svg.setPointerCapture(e.pointerId); svg.classList.add("drag"); }
  });
  on(svg, "pointermove", e => {
    if (!fingers.has(e.pointerId)) return;
    fingers.set(e.pointerId, e);
    if (fingers.size === 2 && pinch) { const [a, b] = [...fingers.values()], d = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); scaleBy(d / pinch); pinch = d; return; }
    if (drag) { view = { ...cam, cx: drag[2].cx - (e.clientX - drag[0]) / cam.scale, cy: drag[2].cy - (e.clientY - drag[1]) / cam.scale }; camera(); }
  });
  for (const event of ["pointerup", "pointercancel", "lostpointercapture"]) on(svg, event, e => { fingers.delete(e.pointerId); drag = null; pinch = 0; svg.classList.remove("drag"); });

  // ---- moving
  function go(j, { quiet = false, glide = true } = {}) {
    j = clamp(j);
    if (j === k) return;
    const ahead = j === k + 1, near = Math.abs(j - k) === 1;
    k = j;
    pane.querySelector("input")?.remove(); editing = placeField = null;
    unfold(steps[k].n, steps[k].p);
    app.classList.toggle("still", !ahead);
    say.setAttribute("aria-live", quiet ? "off" : "polite");
    if (view && !inSight()) view = null;
    model.set("step", k);
    paint(glide && near);
    cancelAnimationFrame(raf); dot.setAttribute("visibility", "hidden");
    if (ahead && glide) travel();
  }
  function inSight() { // a view chosen by the user stays while the step is visible in it
    const r = pane.seen, s = steps[k], n = nodes[s.k === "chain" ? s.p : s.n];
    return !cam || (Math.abs(n.x - cam.cx) < r.width / cam.scale / 2 && Math.abs(n.y - cam.cy) < r.height / cam.scale / 2);
  }
  function travel() { // a dot moves along the edge against the arrow: gradient flows back
    const s = steps[k];
    if (s.k !== "chain" || calm.matches || speed > 2) return;
    const path = lineOf(edges[s.e]), length = path.getTotalLength(), t0 = performance.now(), ms = 450 / speed;
    const tick = t => {
      if (!el.isConnected) return;
      const u = Math.min(1, Math.max(0, (t - t0) / ms)), p = path.getPointAtLength(length * (1 - u * u * (3 - 2 * u)));
      dot.setAttribute("cx", p.x); dot.setAttribute("cy", p.y); dot.setAttribute("visibility", u < 1 ? "visible" : "hidden");
      if (u < 1) raf = requestAnimationFrame(tick);
    };
    raf = requestAnimationFrame(tick);
  }
  function play(yes) {
    const was = timer;
    clearTimeout(timer); timer = 0;
    B.play.replaceChildren(icon(yes ? ICON.pause : ICON.play), yes ? "Pause" : "Play");
    if (!yes) { if (was) { say.setAttribute("aria-live", "polite"); model.save_changes(); } return; }
    say.setAttribute("aria-live", "off"); // else a screen reader would read every step
    if (k === steps.length - 1) go(0, { quiet: true, glide: false });
    const next = () => {
      if (k >= steps.length - 1 || !el.isConnected) return play(false);
      go(k + 1, { quiet: true });
      timer = k >= steps.length - 1 ? setTimeout(() => play(false), 0) : setTimeout(next, 1600 / speed);
    };
    timer = setTimeout(next, 350);
  }
  const step = j => { play(false); go(j); model.save_changes(); };
  const finals = steps.map((s, j) => s.k === "seed" || (s.k === "chain" && s.i === s.of) ? j : -1).filter(j => j >= 0);
  function goToFinal(i) {
    const j = steps.findLastIndex(s => s.k === "chain" ? s.p === i : s.k === "seed" && s.n === i);
    if (j >= 0) step(j);
  }
  function pick(i, focus) {
    sel = i;
    const n = nodes[i], r = pane.seen;
    if (cam && r && !(Math.abs(n.x - cam.cx) < (r.width / cam.scale - W) / 2 && Math.abs(n.y - cam.cy) < (r.height / cam.scale - H) / 2)) view = { ...cam, cx: n.x, cy: n.y };
    paint();
    if (focus) n.g.focus({ preventScroll: true });
  }
  on(B.first, "click", () => step(0)); on(B.back, "click", () => step(k - 1)); on(B.forward, "click", () => step(k + 1));
  on(B.last, "click", () => step(steps.length - 1)); on(B.play, "click", () => play(!timer));
  on(slider, "input", () => { const j = +slider.value; play(false); go(j, { quiet: true, glide: false }); });
  on(slider, "change", () => { model.save_changes(); });
  on(rate, "change", () => { speed = +rate.value; });
  choices.forEach((choice, g) => on(choice, "change", () => { // go to where that term is evaluated, or its gradient is final
    const wanted = D.alike[g].terms[+choice.value];
    if (steps[k].k === "forward") step(steps.findIndex(s => s.k === "forward" && s.n === wanted)); else goToFinal(wanted);
  }));
  function sumBy(paths) { byPath = paths; lighted = null; pathsOf = null; paint(); }
  by.forEach((b, j) => on(b, "click", () => sumBy(j === 1)));
  hearKeys(app, el, on, e => {
    const t = e.target, own = t === slider || t.matches("select"), inGraph = svg.contains(t);
    if (t.matches("input:not([type=range])")) return;
    const move = way => {
      let i = sel ?? (way > 0 ? -1 : nodes.length);
      do i = (i + way + nodes.length) % nodes.length; while (!shown(i));
      pick(i, inGraph);
    };
    const keys = {
      ArrowRight: () => step(k + 1), ArrowLeft: () => step(k - 1), Home: () => step(0), End: () => step(steps.length - 1),
      PageDown: () => step(finals.find(j => j > k) ?? k), PageUp: () => step(finals.findLast(j => j < k) ?? k),
      ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: () => { sel = null; view = null; paint(); },
      "+": () => scaleBy(1.25), "=": () => scaleBy(1.25), "-": () => scaleBy(.8), 0: () => { view = null; camera(); },
      p: () => sumBy(!byPath), "?": () => moreKeys.toggleAttribute("hidden"),
    };
    if (e.key === " " && !t.closest("button, select")) keys[" "] = () => play(!timer);
    const chosen = inGraph && t.closest(".node") ? nodes.findIndex(n => n.g === t) : sel;
    if (e.key === "Enter" && chosen != null && chosen >= 0 && !t.closest("button, select")) keys.Enter = () => { sel = chosen; goToFinal(chosen); paint(); };
    if (e.key === "e" && editable && chosen != null && chosen >= 0 && !nodes[chosen].sym) keys.e = () => edit(chosen);
    if (keys[e.key] && !(own && /^(Arrow|Home|End|Page)/.test(e.key))) { e.preventDefault(); keys[e.key](); }
  });

  // ---- editing a leaf: Python reads and checks the number
  let seq = 0;
  function edit(i) {
    play(false);
    pane.querySelector("input")?.remove();
    editing = i; unfold(i); pick(i);
    const n = nodes[i];
    const field = h("input", { inputmode: "decimal", "aria-label": `New value of ${n.name}`, value: n.full, spellcheck: "false", autocomplete: "off" });
    placeField = () => {
      const r = svg.getBoundingClientRect(), box = pane.getBoundingClientRect();
      const x = (n.x - W / 2 + 34 - cam.cx) * cam.scale + r.width / 2 + (r.left - box.left), y = (n.y - H / 2 + 30 - cam.cy) * cam.scale + r.height / 2 + (r.top - box.top);
      for (const [side, length] of [["left", x], ["top", y], ["width", Math.max(64, (W - 38) * cam.scale)], ["height", Math.max(26, 24 * cam.scale)]]) field.style[side] = `${length}px`;
    };
    placeField();
    const close = () => { field.remove(); editing = placeField = null; n.g.focus({ preventScroll: true }); };
    on(field, "keydown", e => {
      if (e.key === "Escape") { alert.hidden = true; close(); }
      if (e.key !== "Enter") return;
      const text = field.value.trim().replace("\u2212", "-").replace(/^(-?\d*),(\d+)$/, "$1.$2");
      if (!/^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$|^-?\d+\s*\/\s*\d+$/i.test(text)) {
        alert.textContent = `\u201c${field.value}\u201d is not a number: write 2, -0.5, 1e-3 or 3/4.`; alert.hidden = false;
        return;
      }
      alert.hidden = true; n.sent = ++seq; close(); paint();
      model.set("edit", { node: i, text, seq: `${seq}-${performance.now()}` }); model.save_changes();
    });
    pane.append(field); field.focus({ preventScroll: true }); field.select();
  }
  const complain = () => {
    const text = model.get("error");
    alert.textContent = text ?? ""; alert.hidden = !text;
    if (text) { nodes.forEach(n => { n.sent = 0; }); paint(); }
  };
  const follow = () => { const j = model.get("step"); if (j !== k) { play(false); go(j, { glide: false }); } };
  model.on("change:step", follow);
  model.on("change:error", complain);

  // ---- theme and size
  let onPaper = false;
  const leaveTheme = followTheme(app, el, model, on, (theme, printing) => {
    if (printing === onPaper) return;
    onPaper = printing;
    if (printing) look({ scale: 1, cx: GW / 2, cy: GH / 2 }, { width: GW, height: GH }); else if (measure()) camera();
  });
  function measure() {
    const w = pane.clientWidth;
    if (!w || onPaper) return false; // not visible in a notebook, or the whole graph is shown
    const f = Math.min(1.25, w / GW, 430 / GH), narrow = w < 520;
    const height = Math.round(f < .72 ? Math.max(220, Math.min(narrow ? 300 : 430, GH * .93)) : Math.max(200, Math.min(430, GH * f + 8)));
    put(svg, "--height", `${height}px`);
    pane.seen = { width: w, height };
    return true;
  }
  const sized = new ResizeObserver(() => { if (measure()) camera(); else play(false); });
  sized.observe(pane);
  unfold(steps[k].n, steps[k].p);
  play(false); measure(); paint();
  const controls = () => [...app.querySelectorAll("button, select, input")];
  (nodes[keep?.focus]?.g ?? controls()[keep?.control])?.focus({ preventScroll: true });
  return () => {
    const focus = focusedCard(), control = controls().indexOf(el.getRootNode().activeElement);
    quit.abort(); leaveTheme(); sized.disconnect(); clearTimeout(timer); cancelAnimationFrame(raf); cancelAnimationFrame(glideRaf);
    model.off("change:step", follow); model.off("change:error", complain);
    return { sel, view, speed, byPath, term, focus, control };
  };
}

function render({ model, el }) {
  const guarded = keep => {
    try { return mount(model, el, keep); } catch (error) { el.replaceChildren(h("p", { role: "alert" }, `The stepper cannot be shown: ${error}`)); return () => null; }
  };
  let leave = guarded(null);
  const again = () => { leave = guarded(leave()); };
  model.on("change:data", again);
  return () => { model.off("change:data", again); leave(); };
}

export default { initialize: takePlaces(render), render };
