// Back-propagation, step by step. The notebook widget and the page run these same files. Python
// sends what is shown as strings, and two numbers per step for colour and width; live.js writes them
// anew where a number has changed. All text goes to the page through textContent and setAttribute.

const KEYS = [["\u2190 \u2192", "step"], ["Space", "play"], ["Home End", "ends"], ["\u2191 \u2193", "pick a value"],
  ["Enter", "go to its final step"], ["+ \u2212 0", "zoom"]];
const MORE_KEYS = [["PageUp PageDown", "previous or next final gradient"], ["p", "gradient by steps or by paths"], ["Esc", "unselect"], ["Ctrl + wheel", "zoom"], ["?", "fewer keys"]];

function mount(model, el, keep, again) {
  const presents = () => (host ?? keep)?.kept?.presents ?? false, roomy = was => isNarrow(model.get("data"), presents() ? Math.min(PRESENTED, el.clientWidth) : el.clientWidth, was, presents());
  let host = null;
  const narrow = roomy(keep?.narrow);
  const D = decoded(model.get("data"), narrow), { nodes, edges, steps } = D, [W, H, R] = D.box;
  const root = nodes.length - 1, quit = new AbortController();
  const on = listening(quit);
  const nF = steps.filter(s => s.k === "forward").length, calm = matchMedia("(prefers-reduced-motion: reduce)");
  const big = edges.length > 300, few = edges.length <= 60, folded = nodes[0].spot !== undefined, lean = big || folded || nodes.length > 150;
  const clamp = j => Math.max(0, Math.min(steps.length - 1, Math.trunc(j) || 0));
  const address = addressOf(model, el, nodes, D.walk, !keep);
  let k = clamp(model.get("step")), sel = keep?.sel ?? null, sought = keep?.sought ?? null, // the picked value that is brought into view, until the next step
    hover = null, raf = 0, lighted = null;
  const panel = panelOf(D, on, light, keep), { say, by, contributions } = panel;
  address.add("pick", () => sel == null ? "" : address.named(sel), text => { const i = address.find(text); if (i < 0) return `This link names ${cutShort(text)}, which is not here.`; sel = sought = i; });
  const into = nodes.map(() => []), outOf = nodes.map(() => []); // the edges of each value
  edges.forEach((e, j) => { e.at = j; e.was = nodes[e.c].loc[e.arg]; into[e.c].push(e); outOf[e.p].push(e); });

  // ---- folding: one of the values that share a position is shown
  const term = D.alike.map((a, g) => keep?.term[g] ?? 0); // for each group of like terms, which one is shown
  let open = -1; // the spot of the weighted sum whose inputs are shown
  nodes.forEach((n, i) => { n.bundle = folded && (into[i].length > 8 || n.own >= 0); n.key = n.own >= 0 ? n.own : n.bundle ? n.spot : -1; });
  const shown = i => { const n = nodes[i]; return !folded || ((n.set == null || term[n.set] === n.term) && (n.sym || n.own < 0 || n.own === open)); };
  const head = i => !folded || nodes[i].spot === i;
  function unfold(...values) { for (const i of values) if (i >= 0 && nodes[i].set != null) term[nodes[i].set] = nodes[i].term; }
  function toOpen(s) {
    const key = i => i == null || i < 0 ? -1 : nodes[i].key;
    if (host.hold != null && key(host.hold) >= 0) return key(host.hold);
    if (s.k === "chain" && !nodes[s.p].sym && nodes[s.p].own >= 0) return nodes[s.p].own;
    return [sel, s.n, s.k === "chain" ? s.p : -1].map(key).find(spot => spot >= 0) ?? -1;
  }

  // ---- skeleton, in reading order
  const title = h("h2", {}, minus(D.title));
  const gH = S("g", { "aria-hidden": "true" }), gE = S("g", { "aria-hidden": "true" }), gO = S("g", { "aria-hidden": "true" }), gN = S("g"), gT = S("g", { "aria-hidden": "true" });
  const dot = S("circle", { class: "dot", r: 6, visibility: "hidden" });
  const svg = S("svg", { role: "group", tabindex: -1, "aria-label": `Computation graph, ${nodes.length} value${nodes.length === 1 ? "" : "s"}${folded ? ", folded" : ""}`, preserveAspectRatio: "xMidYMid meet" }, gE, gH, gO, gN, gT, dot);
  const gL = S("g", { "aria-hidden": "true" }); svg.insertBefore(gL, gO); // the highlighted edges, above their halo
  const player = playerOf({ el, model, on, keep, status: say }, {
    first: () => step(0), back: () => step(k - 1), forward: () => step(k + 1), last: () => toEnd(),
    atEnd: () => k >= D.walk - 1, again: () => go(0, { quiet: true, glide: false }), next: () => go(k + 1, { quiet: true }), asking: () => host.asking(),
  }), { play } = player;
  const zoom = h("div", { class: "mgs-zoom", role: "group", "aria-label": "View" }, iconButton("+", "Zoom in"), iconButton("\u2212", "Zoom out"), iconButton("\u2922", "Fit the whole graph"));
  const win = S("rect", { class: "win" }), heads = nodes.filter((n, i) => head(i)), stride = Math.ceil(heads.length / 500);
  const dots = heads.map((n, i) => i % stride ? null : S("rect", { x: n.x - W / 2, y: n.y - H / 2, width: W, height: H, rx: 12 }));
  const mini = S("svg", { class: "mgs-mini", viewBox: `0 0 ${D.size.join(" ")}`, "aria-hidden": "true" }, dots, win);
  const over = h("div", { class: "mgs-over" }), legend = h("div", { class: "mgs-legend", hidden: "" }), pane = h("div", { class: "mgs-view" }, svg, over);
  const slider = h("input", { type: "range", min: 0, max: steps.length - 1, step: 1, "aria-label": "Step" });
  const forward = nF / steps.length * 100, segF = h("i"), segB = h("i", { class: "b" });
  const finish = D.update ? 100 / steps.length : 0, segU = h("i"); // the update
  segF.style.left = "0"; segF.style.width = `calc(${forward}% - 2px)`; segB.style.left = `${forward}%`; segB.style.right = finish ? `calc(${finish}% + 2px)` : "0"; segU.style.left = `${100 - finish}%`; segU.style.right = "0";
  const count = h("span", { class: "mgs-count", "aria-hidden": "true" });
  const bar = h("div", { class: "mgs-bar", role: "group", "aria-label": "Playback" }, player.buttons, h("div", { class: "mgs-slide" }, h("div", { class: "mgs-track" }, segF, segB, finish ? segU : null, slider), count), player.rate);
  const alert = h("p", { class: "mgs-alert", role: "alert", hidden: "" });
  const keysRow = h("div", { class: "mgs-keys" }, KEYS.map(keyHint), D.guess ? keyHint(["g", "guess"]) : null, keyHint(["?", "more keys"]));
  const moreKeys = h("div", { class: "mgs-keys", hidden: "" }, MORE_KEYS.map(keyHint));
  const choices = D.alike.map(a => h("select", { "aria-label": `Which of the like terms of ${minus(a.name)} is shown` }, a.terms.map((t, j) => h("option", { value: j }, `${j + 1} of ${a.terms.length}`))));
  const foldRow = !folded ? null : h("p", { class: "mgs-fold" },
    D.alike.map((a, g) => h("span", {}, `Terms of ${minus(a.name)} that are computed alike, shown: `, choices[g])),
    nodes.some(n => n.bundle) ? h("span", {}, "A weighted sum shows its inputs while it takes part in the step or is selected.") : null);
  const top = h("div", { class: "mgs-top" }, title, panel.phase, mini, zoom);
  const app = h("section", { "aria-label": "Back-propagation, step by step", "data-theme": "light", dir: "ltr", class: "mgs" + (big ? " big" : "") },
    top,
    D.rule ? h("p", { class: "mgs-banner" }, `Broken on purpose: ${D.rule}`) : null,
    pane, legend, foldRow, alert, bar,
    panel.columns,
    keysRow, moreKeys);
  el.replaceChildren(app);
  host = hostOf({
    D, root, model, app, address, on, quit, clamp, top, bar, legend, alert, k: () => k, width: () => view?.r.width ?? 900, curve: () => 92, go: j => step(j), stage: over, picture: pane, cards: () => nodes.map((n, i) => spotOf(i)).filter(c => c), called: i => nodes[i].name, typed: text => [minus(text)], spoken: minus,
    paint: () => { panel.renew(); paint(); }, resize: () => { if (measure()) paint(); }, select: (i, name) => { if (i != null) unfold(i); if (name) { sel = i; showPane(name); } else pick(i); }, selected: () => sel, choose: showPane, focus: i => nodes[i].g.focus({ preventScroll: true }), hint: (keys, what) => moreKeys.append(keyHint([keys, what])),
    single: () => true, closed: () => false, first: () => k, show: j => step(j),
    shared: () => ({ k, sel }), follow: state => { play(false); sel = state.sel; go(state.k, { glide: false }); paint(); },
    pane: (name, text, draw) => panel.pane(name, text, draw, showPane),
  }, keep);
  function showPane(name) { panel.turn(panel.byPath, name); lighted = null; paint(); }

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
    const g = cardOf(n, D.box, contributions[i].length);
    g.dataset.node = i;
    on(g, "click", e => {
      if (e.detail === 1) beforeClick = k;
      if (e.detail < 2) { sel = i; paint(); goToFinal(i); }
    });
    on(g, "pointerenter", e => { if (e.pointerType === "mouse") { hover = i; book(); } });
    on(g, "pointerleave", () => { if (hover === i) { hover = null; book(); } });
    if (!n.sym) on(g, "dblclick", e => { e.preventDefault(); step(beforeClick); });
    if (!lean) built.append(g);
  });
  if (!lean) { gO.append(ops); gN.append(built); }

  // ---- the state after step j: computed from the steps, not sent
  function stateAt(j) {
    const st = nodes.map(n => ({ done: !n.sym, got: 0, of: 0, t: 0, text: null, correct: "" })), passed = new Map();
    for (let q = 0; q <= j; q++) {
      const s = steps[q];
      if (s.k === "forward") { st[s.n].done = true; continue; }
      if (s.k === "update") continue;
      if (s.k === "seed" && s.turn > 1) {
        passed.clear();
        nodes.forEach((n, i) => { st[i].got = 0; st[i].correct = ""; if (n.sym) st[i].text = null; });
      }
      const target = st[s.k === "seed" ? s.n : s.p];
      target.got = s.i; target.of = s.of; target.t = s.tg; target.text = s.after; target.correct = s.correct;
      if (s.k === "chain" && !s.asked) passed.set(s.e, s);
    }
    return { st, passed };
  }
  const needed = nodes.map((n, i) => Math.max(1, contributions[i].length));

  let beforeClick = k, now = null, lit = [], shownEdges = edges;
  function paint(glide = false) {
    host.beforePaint();
    const s = steps[k], chain = s.k === "chain", path = new Set(lighted), line = host.line() ?? [h("span", { class: "tip" }, host.asking() ? "" : host.tip)];
    legend.hidden = !host.tip && !host.live;
    legend.replaceChildren(...line);
    if (host.silent) put(say, "aria-live", "off");
    now = stateAt(k);
    if (folded) open = toOpen(s);
    const { st, passed } = now, args = operands(s);
    undock();
    nodes.forEach((n, i) => {
      const q = st[i], to = s.k !== "update" && i === (chain ? s.p : s.n), from = chain && i === s.n;
      const arg = args.includes(i);
      const mark = `${n.text}|${q.done}|${q.got}|${q.of}|${q.text}|${q.correct}|${to}|${from}|${arg}|${i === sel}`;
      if (n.mark === mark) return;
      n.mark = mark;
      const asked = q.text === "?", final = q.got > 0 && q.got === q.of && !asked, held = q.got === 0 && q.text !== null, wrong = q.correct !== "" || /!$/.test(q.text ?? "");
      const c = ["node", n.role];
      if (i === root) c.push("root");
      if (q.text === null || asked) c.push("wait");
      if (!q.done) c.push("notyet");
      if (i === sel) c.push("sel");
      if (from) c.push("from");
      if (to) c.push("to");
      if (arg) c.push("arg");
      put(n.g, "class", c.join(" "));
      const shown = q.done ? minus(n.text) : "\u2013", grad = q.text === null ? "\u2013" : minus(q.text) + (q.correct ? "!" : "");
      writeNumber(n.dT, n.dC, shown, W);
      writeNumber(n.gT, n.gC, grad, W);
      put(n.dT, "class", `num d${/!$/.test(shown) ? " bad" : ""}`);
      put(n.gT, "class", "num g" + (wrong ? " bad" : ""));
      put(n.chip, "class", "chip" + (q.text === null || asked ? "" : wrong ? " on bad" : final ? " on" : " on part"));
      put(n.chip, "--fill", q.text === null || asked ? "" : tint(wrong ? 2 : q.t));
      put(n.tick, "visibility", final ? "visible" : "hidden");
      put(n.title, "text", `${n.name} = ${n.full}`);
      put(n.badge, "text", q.got && !final && !asked ? `${q.got}/${q.of}` : "");
      put(n.g, "aria-label", `${n.name}, data ${q.done ? minus(n.text) : "not computed yet"}, gradient ${asked ? "asked for" : q.text === null ? "none yet" : minus(q.text) + (held ? ", left over" : final ? ", final" : `, ${q.got} of ${q.of} contributions`) + (q.correct ? `, ${minus(q.correct)} would be correct` : "")}`);
    });
    const tab = sel != null && shown(sel) ? sel : chain ? s.p : s.n;
    if (tab !== paint.tab) { if (paint.tab != null) put(nodes[paint.tab].g, "tabindex", "-1"); put(nodes[paint.tab = tab].g, "tabindex", "0"); }

    const here = chain ? [edges[s.e]] : s.k === "forward" ? into[s.n] : [];
    if (lean) { // only the edges of the current and the selected value: all of them would be a thicket
      const visible = e => shown(e.p) && shown(e.c), closed = n => n.bundle && n.key !== open;
      const near = [...into[s.n], ...(chain ? outOf[s.p] : []), ...(sel == null ? [] : [...into[sel], ...outOf[sel]])].filter(visible);
      const still = big && !folded ? [] : edges.filter(e => visible(e) && !closed(nodes[e.c]));
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
    const tag = chain && s.sum ? tagOf(nodes[s.p], s.sum) : null; // the arithmetic, below the value that receives the contribution
    // In columns a label may stand where a card is; a number that was pulled may have become too long.
    const boxesAt = e => lean ? nodes.flatMap((n, i) => shown(i) && head(i) ? [boxOf(i), ...(n.sym ? [opBox(i)] : [])] : []) : nodes[e.c].loc[e.arg] === e.was ? [] : [boxOf(e.p), boxOf(e.c), opBox(e.c)];
    const clear = e => (!tag || !meets(tag.box, labelBox(e))) && !boxesAt(e).some(box => meets(box, labelBox(e)));
    gT.replaceChildren(...[...new Set([...labelled, ...(lighted ? lit : [])])].filter(clear).map(e => e.label = S("text", { class: "loc" + (here.includes(e) || passed.has(e.at) ? " lit" : ""), x: e.l[0], y: e.l[1], "data-on": path.has(e.at) ? "" : null }, localOf(e))));
    if (tag) gT.append(tag.g);
    hung = tag?.box ?? null;
    paintLight(path);
    choices.forEach((choice, g) => { choice.value = term[g]; });
    panel.words(k); book();
    slider.value = k;
    slider.setAttribute("aria-valuetext", `${s.show ? "Update" : `Step ${k + 1} of ${D.walk}`}. ${minus(s.say)}`);
    count.textContent = s.show ? "update" : `${k + 1} / ${D.walk}`;
    player.ends(k === 0, k === steps.length - 1);
    dots.forEach((d, i) => { if (d) put(d, "class", [s.n, s.p].some(j => j >= 0 && heads[i] === nodes[folded ? nodes[j].spot : j]) ? "on" : ""); });
    const cards = around(...[s.n, ...(chain ? [s.p] : args)].map(boxOf));
    const main = boxOf(sought ?? (chain ? s.p : s.n));
    const hangs = tag && sought == null ? [tag.box] : [], all = sought == null ? cards : main;
    camera.show({ cards: all, main, all: around(all, ...hangs), own: around(main, ...hangs) }, glide && !big, s.k === "update" && sought == null);
    address.changed();
  }
  const book = () => { const s = steps[k], picked = hover ?? sel, i = picked ?? (s.k === "chain" ? s.p : s.n); panel.book(k, i, now.st[i], picked != null, sel != null); };
  const operands = s => s.k === "forward" && into[s.n].length <= 3 ? [...new Set(into[s.n].map(e => e.p))].filter(shown) : [];
  const labelBox = e => { const w = widthOf(localOf(e), 13) / 2 + 2; return [e.l[0] - w, e.l[1] - 13, e.l[0] + w, e.l[1] + 4]; };
  const localOf = e => "\u2202 " + minus(nodes[e.c].loc[e.arg]);

  // ---- a path from the root to a value, highlighted while its row has the mouse or the focus
  function paintLight(path) {
    const along = new Set([...path].flatMap(j => [edges[j].p, edges[j].c]));
    if (path.size || svg.hasAttribute("data-lit")) {
      svg.toggleAttribute("data-lit", path.size > 0);
      nodes.forEach((n, i) => { for (const e of [n.g, n.opG, n.out]) e?.toggleAttribute("data-on", along.has(i) && (e === n.g || into[i].some(w => path.has(w.at)))); });
      edges.forEach(e => e.g?.toggleAttribute("data-on", path.has(e.at)));
    }
  }
  function light(list) { if (lighted || list?.length) { lighted = list?.length ? list : null; paint(); } }

  // ---- what the pane shows
  const [GW, GH] = D.size;
  const boxOf = i => { const n = nodes[i]; return [n.x - W / 2, n.y - H / 2, n.x + W / 2, n.y + H / 2]; };
  const opBox = i => { const n = nodes[i]; return [n.ox - n.ow / 2, n.oy - R, n.ox + n.ow / 2, n.oy + R]; };
  function tagOf(n, text) { // below its card; beside that if something else is there
    const taken = nodes.flatMap((o, i) => shown(i) ? [boxOf(i), ...(o.sym ? [opBox(i)] : [])] : []);
    const spots = [arithmeticLines(text, W + 68), [minus(text)]].flatMap(lines => { // one long line where two are too high
      const w = Math.max(...lines.map(line => widthOf(line, 13))) + 12, hang = 16 * lines.length + 6;
      return [[0, 1], [1, 1], [-1, 1], [0, -1], [1, -1], [-1, -1]].map(([side, below]) => {
        const x = Math.max(w / 2 + 2, Math.min(GW - w / 2 - 2, n.x + side * (w - W - 16) / 2)), y = below > 0 ? n.y + H / 2 + 8 : n.y - H / 2 - 8 - hang;
        return { lines, x, box: [x - w / 2, y, x + w / 2, y + hang] };
      });
    });
    const { lines, x, box } = spots.find(({ box }) => box[1] >= 0 && !taken.some(o => meets(o, box))) ?? spots[0];
    return { box, g: S("g", { class: "tag" }, S("rect", { x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1], rx: 6 }), lines.map((line, j) => S("text", { x, y: box[1] + 16 * (j + 1) }, line))) };
  }
  let view = null; // what the pane shows of the drawing at the moment
  function spotOf(i) { // where a card is, in pixels of the pane
    const n = nodes[i];
    if (!view || !shown(i) || !n.g.parentNode || n.g.classList.contains("under")) return null;
    const { c, r } = view, [dx, dy] = n.moved ?? [0, 0];
    const f = c.scale, x = (n.x + dx - W / 2 - c.cx) * f + r.width / 2, y = (n.y + dy - H / 2 - c.cy) * f + r.height / 2, text = n.dT.textContent, size = f * (parseFloat(n.dT.style.fontSize) || 14);
    return { i, e: n.g, x, y, w: W * f, h: H * f, top: 41 * f, right: x + (W - 8) * f, middle: y + 32 * f, text, size, free: (W - 16 - (n.dC && n.dC.getAttribute("visibility") !== "hidden" ? 32 : 0)) * f - widthOf(text, size) };
  }
  const focusedCard = () => { const active = el.getRootNode().activeElement; return nodes.findIndex(n => n.g === active); };
  function look(c, r, settled) {
    view = { c, r };
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
    mini.toggleAttribute("hidden", c.scale <= camera.fit() * 1.05);
    for (const [key, value] of [["x", x0], ["y", y0], ["width", w], ["height", height]]) win.setAttribute(key, value);
    if (settled && sought == null) dock([x0, y0, x0 + w, y0 + height]);
    host.afterPaint();
  }
  const camera = cameraOf(svg, on, D.size, look, () => calm.matches, keep?.narrow === narrow ? keep.camera : null, presents);
  [() => camera.scaleBy(1.25), () => camera.scaleBy(.8), camera.toggle].forEach((f, i) => on(zoom.children[i], "click", f));

  // ---- what takes part in the step, but stands too far away to be in view, waits at the border
  let undo = [], hung = null; // the arithmetic of the step
  function undock() { for (const f of undo.splice(0)) f(); }
  function dock([x0, y0, x1, y1]) {
    const s = steps[k], away = new Map(), places = hung ? [hung] : [];
    for (const i of s.k === "chain" ? [s.p, s.n] : [s.n, ...operands(s)]) {
      const n = nodes[i], left = i === s.n && n.sym ? Math.max(W / 2, n.x - n.ox + n.ow / 2) + 9 : W / 2 + 9, right = W / 2 + 9, high = H / 2 + 9;
      const unit = (x, y) => [x - left, y - high, x + right, y + high], free = y => !places.some(p => meets(p, unit(x, y)));
      const x = Math.max(x0 + left, Math.min(x1 - right, n.x)), near = Math.max(y0 + high, Math.min(y1 - high, n.y));
      if (Math.abs(x - n.x) < 9 && Math.abs(near - n.y) < 9) { places.push(unit(n.x, n.y)); continue; }
      const y = [0, 1, -1, 2, -2, 3, -3, 4, -4].map(j => near + 2 * high * j).find(y => y >= y0 + high - 1 && y <= y1 - high + 1 && free(y)) ?? near;
      places.push(unit(x, y));
      away.set(i, [x - n.x, y - n.y, unit(x, y)]);
      n.g.setAttribute("transform", `translate(${x - W / 2} ${y - H / 2})`);
      n.g.classList.add("away");
      n.moved = [x - n.x, y - n.y];
      if (!n.g.parentNode) gN.append(n.g);
      undo.push(() => { n.g.setAttribute("transform", `translate(${n.x - W / 2} ${n.y - H / 2})`); n.g.classList.remove("away"); n.moved = null; });
      if (i !== s.n || !n.sym) continue;
      if (!n.opG.parentNode) gO.append(n.opG);
      for (const e of [n.opG, n.out]) { e.setAttribute("transform", `translate(${x - n.x} ${y - n.y})`); undo.push(() => e.removeAttribute("transform")); }
    }
    if (!away.size) return;
    const of = i => away.get(i) ?? [0, 0], spots = [...away.values()].map(a => a[2]);
    const give = e => { e.classList.add("under"); undo.push(() => e.classList.remove("under")); };
    nodes.forEach((n, i) => {
      if (away.has(i) || !n.g.parentNode) return;
      if (i !== s.n && i !== s.p && spots.some(p => meets(p, boxOf(i)))) give(n.g);
      if (n.sym && i !== s.n && spots.some(p => meets(p, opBox(i)))) give(n.opG);
    });
    for (const e of edges) if (e.label?.parentNode && spots.some(p => meets(p, labelBox(e)))) give(e.label);
    lit.forEach((e, j) => {
      if (!away.has(e.p) && !away.has(e.c)) return;
      const p = nodes[e.p], c = nodes[e.c], [px, py] = of(e.p), [cx, cy] = of(e.c), xa = p.x + px + W / 2, xb = c.ox + cx - c.ow / 2;
      const d = curve(xa, p.y + py, xb, c.oy + cy);
      e.g.setAttribute("d", d); gH.children[j].setAttribute("d", d);
      undo.push(() => e.g.setAttribute("d", e.d));
      if (!e.label?.parentNode) return;
      const [lx, ly] = besideCurve(xa, p.y + py, xb, c.oy + cy, localOf(e)), w = widthOf(localOf(e), 13) / 2 + 2;
      e.label.setAttribute("x", lx); e.label.setAttribute("y", ly);
      if ([...places, ...nodes.flatMap((n, i) => n.g.parentNode && shown(i) ? [boxOf(i)] : [])].some(b => meets(b, [lx - w, ly - 13, lx + w, ly + 4]))) give(e.label);
    });
  }

  // ---- moving
  function go(j, { quiet = false, glide = true } = {}) {
    j = clamp(j);
    if (j === k) return;
    const ahead = j === k + 1, near = Math.abs(j - k) === 1;
    k = j; sought = null; alert.hidden = true;
    if (steps[k].k === "update") { sel = null; panel.turn(panel.byPath); } // all parameters are shown
    unfold(steps[k].n, steps[k].p);
    app.classList.toggle("still", !ahead);
    put(say, "aria-live", quiet ? "off" : "polite");
    model.set("step", k);
    paint(glide && near);
    cancelAnimationFrame(raf); dot.setAttribute("visibility", "hidden");
    if (ahead && glide) travel();
  }
  function travel() { // a dot moves along the edge against the arrow: gradient flows back
    const s = steps[k];
    if (s.k !== "chain" || calm.matches || player.speed() > 2) return;
    const path = lineOf(edges[s.e]), length = path.getTotalLength(), t0 = performance.now(), ms = 450 / player.speed();
    const tick = t => {
      if (!el.isConnected) return;
      const u = Math.min(1, Math.max(0, (t - t0) / ms)), p = path.getPointAtLength(length * (1 - u * u * (3 - 2 * u)));
      dot.setAttribute("cx", p.x); dot.setAttribute("cy", p.y); dot.setAttribute("visibility", u < 1 ? "visible" : "hidden");
      if (u < 1) raf = requestAnimationFrame(tick);
    };
    raf = requestAnimationFrame(tick);
  }
  const step = j => { play(false); go(j); model.save_changes(); };
  const finals = steps.map((s, j) => s.k === "seed" || s.k === "update" || (s.k === "chain" && s.i === s.of) ? j : -1).filter(j => j >= 0);
  function goToFinal(i) {
    const j = steps.findLastIndex(s => s.k === "chain" ? s.p === i : s.k === "seed" && s.n === i);
    if (j >= 0) step(j);
  }
  function pick(i, focus) {
    sel = sought = i;
    panel.turn(panel.byPath);
    paint();
    if (focus) nodes[i].g.focus({ preventScroll: true });
  }
  const toEnd = () => step(k < D.walk - 1 ? D.walk - 1 : steps.length - 1); // of the walk, and then the update
  on(slider, "input", () => { const j = +slider.value; play(false); go(j, { quiet: true, glide: false }); });
  on(slider, "change", () => { model.save_changes(); });
  choices.forEach((choice, g) => on(choice, "change", () => { // go to where that term is evaluated, or its gradient is final
    const wanted = D.alike[g].terms[+choice.value];
    if (steps[k].k === "forward") step(steps.findIndex(s => s.k === "forward" && s.n === wanted)); else goToFinal(wanted);
  }));
  function sumBy(paths) { panel.turn(paths, "sum"); lighted = null; paint(); }
  by.forEach((b, j) => on(b, "click", () => sumBy(j === 1)));
  hearKeys(app, el, on, e => {
    const t = e.target, own = t === slider || t.matches("select"), inGraph = svg.contains(t);
    if (t.matches("input:not([type=range])")) return;
    if (host.heard(e)) return e.preventDefault();
    const move = way => {
      let i = sel ?? (way > 0 ? -1 : nodes.length);
      do i = (i + way + nodes.length) % nodes.length; while (!shown(i));
      pick(i, inGraph);
    };
    const keys = {
      ArrowRight: () => step(k + 1), ArrowLeft: () => step(k - 1), Home: () => step(0), End: toEnd,
      PageDown: () => step(finals.find(j => j > k) ?? k), PageUp: () => step(finals.findLast(j => j < k) ?? k),
      ArrowDown: () => move(1), ArrowUp: () => move(-1),
      "+": () => camera.scaleBy(1.25), "=": () => camera.scaleBy(1.25), "-": () => camera.scaleBy(.8), 0: camera.reset,
      p: () => sumBy(!panel.byPath), "?": () => moreKeys.toggleAttribute("hidden"),
    };
    const unselect = () => { sel = sought = null; camera.reset(); paint(); };
    if (sel != null) keys.Escape = unselect; else if (e.key === "Escape") unselect(); // and it is the host's
    if (e.key === " " && !t.closest("button, select")) keys[" "] = player.toggle;
    const chosen = inGraph && t.closest(".node") ? nodes.findIndex(n => n.g === t) : sel;
    if (e.key === "Enter" && chosen != null && chosen >= 0 && !t.closest("button, select")) keys.Enter = () => { sel = chosen; goToFinal(chosen); paint(); };
    if (keys[e.key] && !(own && /^(Arrow|Home|End|Page)/.test(e.key))) { e.preventDefault(); keys[e.key](); }
  });

  host.listen("change:step", () => { const j = model.get("step"); if (j !== k) { play(false); go(j, { glide: false }); } });

  // ---- theme and size
  let onPaper = false;
  const leaveTheme = followTheme(app, el, model, on, (theme, printing) => {
    if (printing === onPaper) return;
    onPaper = printing;
    if (printing) { undock(); look({ scale: 1, cx: GW / 2, cy: GH / 2 }, { width: GW, height: GH }); } else if (measure()) paint();
  });
  function measure() {
    const w = pane.clientWidth;
    if (!w || onPaper) return false; // not visible in a notebook, or the whole graph is shown
    const [f, height] = paneFor(D.size, w, presents());
    put(svg, "--height", `${height}px`);
    camera.resize(w, height);
    return true;
  }
  const sized = new ResizeObserver(() => {
    if (el.clientWidth && !onPaper && roomy(narrow) !== narrow) return again();
    if (measure()) paint(); else play(false);
  });
  sized.observe(pane);
  unfold(steps[k].n, steps[k].p);
  play(false); measure();
  PARTS.forEach(part => part(host));
  address.add("tab", () => panel.has(panel.shown) ? panel.shown : panel.byPath ? "paths" : "", text => text === "paths" ? void panel.turn(true) : panel.has(text) ? void panel.turn(panel.byPath, text) : false);
  paint();
  address.ready(alert);
  const controls = () => [...app.querySelectorAll("button, select, input")];
  (nodes[keep?.focus]?.g ?? controls()[keep?.control])?.focus({ preventScroll: true });
  return () => {
    const focus = focusedCard(), control = controls().indexOf(el.getRootNode().activeElement);
    quit.abort(); leaveTheme(); address.leave(); sized.disconnect(); player.stop(); cancelAnimationFrame(raf); camera.stop();
    return { sel, sought, camera: camera.kept, narrow, speed: player.speed(), byPath: panel.byPath, term, focus, control, kept: host.kept };
  };
}
