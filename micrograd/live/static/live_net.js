// The network of the live view: in every neuron its own map, the weights by size and sign, and the
// numbers of what is pointed at or focused, on a card that lies over the picture.

const NET_SMALL = 13; // pixels: a smaller neuron is a dot without a map
const MOST_LAYERS = 5, MOST_NEURONS = 16;

function liveNet(view) {
  const { on, color, button } = view, size = 12.5, canvas = h("canvas", { "aria-hidden": "true" }), card = h("div", { class: "mgl-card", hidden: "" });
  const heads = h("div", { class: "mgl-heads" }), spots = h("div", {}), net = h("div", { class: "mgl-net", role: "group" }, canvas, heads, spots, card);
  const note = h("p", { class: "mgl-note" }), small = document.createElement("canvas"), layerButtons = h("div", { class: "mgl-few" });
  let shape = null, buttons = [], lines = new Map(), pointed = null, focused = null, built = null; // what is pointed at: { neuron } or { weight }
  let weights = [], biases = []; // the numbers of the parameters: of the weights layer by layer, of the biases

  const marked = () => focused ?? pointed;
  const short = (text, room) => { let t = minus(text); if (widthOf(t, size) <= room) return t; while (t && widthOf(`${t}\u2026`, size) > room) t = t.slice(0, -1); return `${t}\u2026`; };
  function places() { // names stand beside inputs and outputs as long as each has a line
    const L = shape.layers, w = net.clientWidth, top = heads.offsetHeight, H = net.clientHeight - top;
    const cell = l => Math.max(5, Math.min(40, H / L[l] * .84, (w - 120) / L.length * .7));
    const room = (names, n) => H / n < 14 ? 0 : Math.min(w * .28, Math.max(...names.map(name => widthOf(minus(name), size))) + 8);
    const left = cell(0) / 2 + 4 + room(shape.inputs, L[0]), right = cell(L.length - 1) / 2 + 4 + room(shape.answers, L.at(-1));
    return { w, H, top, cell, left, right, X: l => left + l * (w - left - right) / (L.length - 1), Y: (l, i) => top + H * (i + .5) / L[l] };
  }
  function weightAt(x, y) {
    const { cell, X, Y } = places();
    let least = 5, q = null;
    shape.parameters.forEach((p, n) => {
      const x0 = X(p.l - 1) + cell(p.l - 1) / 2, x1 = X(p.l) - cell(p.l) / 2;
      if (p.bias || x < x0 || x > x1) return;
      const y0 = Y(p.l - 1, p.j), y1 = Y(p.l, p.i), far = Math.abs(y - y0 - (y1 - y0) * (x - x0) / (x1 - x0)) * (x1 - x0) / Math.hypot(x1 - x0, y1 - y0);
      if (far < least) [least, q] = [far, n];
    });
    return q;
  }

  // ---- words
  const nameOf = ([l, i]) => l === 0 ? shape.inputs[i] : `neuron ${i + 1} of layer ${l}`;
  view.neuronName = k => nameOf(shape.neurons[k]);
  const parameterOf = m => m.weight ?? shape.parameters.findIndex(p => p.bias && p.l === shape.neurons[m.neuron][0] && p.i === shape.neurons[m.neuron][1]);
  function told(m) { // name, value, gradient, and what it is
    const q = parameterOf(m), p = shape.parameters[q], [value, grad] = view.source.numbers(q) ?? ["\u2013", "\u2013"], to = nameOf([p.l, p.i]);
    return { name: p.name, value, grad: view.frame.n ? grad : "\u2013", what: p.bias ? `the bias of ${to}` : `the weight from ${nameOf([p.l - 1, p.j])} to ${to}` };
  }
  function label(m) {
    const { name, value, grad, what } = told(m);
    return minus(`${m.weight == null ? `${capital(view.neuronName(m.neuron))}. ${spoken(name)}` : spoken(name)}: ${value}, its gradient ${grad === "\u2013" ? "not known yet" : grad}; ${spoken(what)}.`);
  }
  function tell(at) {
    const m = marked();
    card.hidden = !m;
    if (!m) return;
    const { name, value, grad, what } = told(m), row = (key, text) => h("span", { class: "row" }, h("span", {}, key), h("b", { class: signOf(text) }, minus(text)));
    card.replaceChildren(h("strong", {}, typed(name)), row("value", value), row("gradient", grad), h("span", { class: "what" }, typed(`${what}.${m.weight == null && view.neuronMap(m.neuron)?.note ? ` ${view.neuronMap(m.neuron).note}` : ""}`)));
    const [x, y] = spotOf(m, at), { w } = at, r = m.weight == null ? at.cell(shape.neurons[m.neuron][0]) / 2 : 0;
    const left = x + r + 10 + card.offsetWidth <= w ? x + r + 10 : Math.max(0, x - r - 10 - card.offsetWidth);
    card.style.left = `${left}px`; card.style.top = `${Math.max(0, Math.min(net.clientHeight - card.offsetHeight, y - card.offsetHeight / 2))}px`;
  }
  function spotOf(m, { X, Y }) {
    if (m.weight == null) { const [l, i] = shape.neurons[m.neuron]; return [X(l), Y(l, i)]; }
    const p = shape.parameters[m.weight];
    return [(X(p.l - 1) + X(p.l)) / 2, (Y(p.l - 1, p.j) + Y(p.l, p.i)) / 2];
  }

  // ---- what can be pointed at: a button a neuron, and of weights those that the keyboard has come to
  const here = m => m.weight == null ? buttons[m.neuron] : lines.get(m.weight) ?? newLine(m.weight);
  function newLine(q) {
    const e = h("button", { type: "button", class: "mgl-spot", tabindex: -1 });
    lines.set(q, e); spots.append(e);
    return watchSpot(e, { weight: q });
  }
  function watchSpot(e, m) {
    on(e, "focus", () => { focused = m; roving(e); put(e, "aria-label", label(m)); if (m.neuron != null) view.show(m.neuron); paint(); });
    on(e, "blur", () => { focused = null; view.show(null); paint(); });
    return e;
  }
  function roving(e) { for (const b of [...buttons, ...lines.values()]) put(b, "tabindex", b === e ? "0" : "-1"); }
  // Arrows go along the network: to the neighbours in a layer or in a fan, and from a neuron through
  // a weight to the neuron at its other end.
  function walk(m, key) {
    const { parameters, neurons, layers } = shape, step = { ArrowUp: -1, ArrowDown: 1 }[key];
    const neuronAt = (l, i) => neurons.findIndex(n => n[0] === l && n[1] === i), weightAtEnds = (l, i, j) => parameters.findIndex(p => !p.bias && p.l === l && p.i === i && p.j === j);
    if (m.weight == null) {
      const [l, i] = neurons[m.neuron];
      if (step) return i + step >= 0 && i + step < layers[l] ? { neuron: neuronAt(l, i + step) } : m;
      if (key === "ArrowLeft") return { weight: weightAtEnds(l, i, 0) };
      return l + 1 < layers.length ? { weight: weightAtEnds(l + 1, 0, i) } : m;
    }
    const p = parameters[m.weight];
    if (key === "ArrowLeft") return p.l > 1 ? { neuron: neuronAt(p.l - 1, p.j) } : m;
    if (key === "ArrowRight") return { neuron: neuronAt(p.l, p.i) };
    if (p.j + step >= 0 && p.j + step < layers[p.l - 1]) return { weight: weightAtEnds(p.l, p.i, p.j + step) };
    return p.i + step >= 0 && p.i + step < layers[p.l] ? { weight: weightAtEnds(p.l, p.i + step, step > 0 ? 0 : layers[p.l - 1] - 1) } : m;
  }
  on(net, "keydown", e => {
    if (!focused || !/^Arrow/.test(e.key) || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault(); e.stopPropagation();
    const to = here(walk(focused, e.key));
    place(places()); to.focus({ preventScroll: true });
  });
  on(net, "pointermove", e => {
    if (e.pointerType !== "mouse") return;
    const box = net.getBoundingClientRect(), at = buttons.indexOf(e.composedPath()[0]), q = at < 0 && !heads.contains(e.composedPath()[0]) ? weightAt(e.clientX - box.left, e.clientY - box.top) : null;
    point(at >= 0 ? { neuron: at } : q != null ? { weight: q } : null);
  });
  on(net, "pointerleave", () => point(null));
  function point(m) {
    if (m?.neuron === pointed?.neuron && m?.weight === pointed?.weight) return;
    pointed = m; view.show(m?.neuron ?? null); paint();
  }

  // ---- building and painting
  const few = (text, name, off, act) => button(text, () => { if (!off) act(); }, name, { "aria-disabled": String(off) });
  function build() {
    ({ shape } = view);
    const L = shape.layers;
    pointed = null;
    if (sameLists(L, built)) return;
    const back = view.focusedName(heads, layerButtons);
    built = L; lines = new Map(); focused = null;
    weights = L.slice(1).map(() => []); biases = [];
    shape.parameters.forEach((p, q) => (p.bias ? biases : weights[p.l - 1]).push(q));
    buttons = shape.neurons.map((_, k) => watchSpot(button("", () => view.keep(k), null, { class: "mgl-spot", tabindex: k ? -1 : 0 }), { neuron: k }));
    spots.replaceChildren(...buttons);
    const hidden = L.slice(1, -1), set = layers => view.change({ layers });
    heads.replaceChildren(...view.source.runs ? hidden.map((n, l) => h("div", { role: "group", "aria-label": `Layer ${l + 1}` },
      few("\u2212", `One neuron less in layer ${l + 1}`, n <= 1, () => set(hidden.map((m, k) => m - (k === l)))), few("+", `One neuron more in layer ${l + 1}`, n >= MOST_NEURONS, () => set(hidden.map((m, k) => m + (k === l)))), h("span", {}, `${n} neuron${n === 1 ? "" : "s"}`))) : []);
    layerButtons.replaceChildren(...view.source.runs ? [few("\u2212", "One hidden layer less", !hidden.length, () => set(hidden.slice(0, -1))), h("span", {}, `${hidden.length} hidden layer${hidden.length === 1 ? "" : "s"}`), few("+", "One hidden layer more", hidden.length >= MOST_LAYERS, () => set([...hidden, hidden.at(-1) ?? 4]))] : []);
    back();
  }
  const tighten = ({ X, w }) => put(heads, "class", `mgl-heads${w && X(1) - X(0) < 64 ? " tight" : ""}`); // and so change their height
  function place(at) {
    const { X, Y, cell } = at, put2 = (e, x, y, s) => Object.assign(e.style, { left: `${x - s / 2}px`, top: `${y - s / 2}px`, width: `${s}px`, height: `${s}px` });
    buttons.forEach((b, k) => { const [l, i] = shape.neurons[k]; put2(b, X(l), Y(l, i), Math.max(cell(l), 8)); });
    for (const [q, e] of lines) put2(e, ...spotOf({ weight: q }, at), 8);
    const gap = X(1) - X(0);
    [...heads.children].forEach((e, l) => { const wide = Math.max(30, Math.min(84, gap - 4)); Object.assign(e.style, { left: `${X(l + 1) - wide / 2}px`, width: `${wide}px` }); });
  }
  function paint() {
    if (shape !== view.shape) build();
    const { layers: L, parameters } = shape, ratio = Math.max(1, devicePixelRatio || 1), { frame } = view;
    if (!net.clientWidth) return;
    tighten(places());
    const at = places(), { w, left, right, cell, X, Y } = at, H = net.clientHeight, g = canvas.getContext("2d"), edges = parameters.length - biases.length;
    place(at);
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(H * ratio)) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(H * ratio); }
    g.setTransform(ratio, 0, 0, ratio, 0, 0); g.clearRect(0, 0, w, H);
    const widest = Math.max(1.8, Math.min(5, 60 / Math.sqrt(edges))), power = edges < 200 ? 1 : edges < 1000 ? 2 : 4, low = edges < 1000 ? .12 : .03;
    const [bg, ink, yellow] = ["bg", "ink", "current"].map(color), colour = v => color(hue(v)), m = marked();
    const scales = weights.map(list => { const top = scaleOf(list.map(q => frame.weights[q])); return top ? powerOfTwo(top, Math.ceil) : 1; });
    const sizes = parameters.map((p, q) => { const v = frame.weights[q] / scales[p.l - 1]; return Number.isNaN(v) ? 0 : Math.max(-1, Math.min(1, v)); });
    const line = ({ l, i, j }) => { g.beginPath(); g.moveTo(X(l - 1) + cell(l - 1) / 2, Y(l - 1, j)); g.lineTo(X(l) - cell(l) / 2, Y(l, i)); g.stroke(); };
    const order = weights.flat().sort((a, b) => (a === m?.weight) - (b === m?.weight) || Math.abs(sizes[a]) - Math.abs(sizes[b]));
    for (const q of order) {
      const t = Math.abs(sizes[q]), on = q === m?.weight;
      if (on) { g.globalAlpha = 1; g.strokeStyle = yellow; g.lineWidth = 9; line(parameters[q]); }
      g.globalAlpha = on ? 1 : low + (.9 - low) * t ** power; g.lineWidth = .5 + (widest - .5) * t + on; g.strokeStyle = colour(sizes[q]);
      line(parameters[q]);
    }
    g.globalAlpha = 1;
    // A neuron is a rounded square with its map and its bias as the ring, or a dot where it is small.
    const shades = view.map.shades(), node = (l, i, field, stroke, width, on) => {
      const s = cell(l), x = X(l) - s / 2, y = Y(l, i) - s / 2, round = s < NET_SMALL ? s / 2 : Math.min(7, s / 5);
      g.beginPath(); g.roundRect(x, y, s, s, round);
      if (on) { g.strokeStyle = yellow; g.lineWidth = width + 7; g.stroke(); }
      g.fillStyle = bg; g.fill();
      if (field && s >= NET_SMALL) { inkMap(small, field, shades); g.save(); g.clip(); g.imageSmoothingEnabled = true; g.drawImage(small, x, y, s, s); g.restore(); }
      g.strokeStyle = stroke; g.lineWidth = width; g.stroke();
    };
    for (let j = 0; j < L[0]; j++) node(0, j, frame.inputs?.[j], ink, 1.5, false);
    shape.neurons.forEach(([l, i], k) => node(l, i, view.neuronMap(k)?.map, colour(sizes[biases[k]]), 1.5 + 2 * Math.abs(sizes[biases[k]]), k === m?.neuron || k === view.kept));
    g.fillStyle = ink; g.font = `${size}px ${FONT}`; g.textBaseline = "middle";
    for (const [l, names, x, align, room] of [[0, shape.inputs, left - cell(0) / 2 - 7, "right", left - cell(0) / 2 - 8], [L.length - 1, shape.answers, w - right + cell(L.length - 1) / 2 + 7, "left", right - cell(L.length - 1) / 2 - 8]]) {
      g.textAlign = align;
      if (room > 6) names.forEach((name, i) => g.fillText(short(name, room), x, Y(l, i)));
    }
    put(note, "text", `A square is what its neuron answers: point at it to see it large. Blue above zero, orange below; a frame is the bias. Full width, layer by layer: ${scales.map(v => numberText(v)).join(", ")}.`);
    put(net, "aria-label", `Network of ${L.join(", ")} neurons, ${edges} weights, from ${spoken(shape.inputs.slice(0, 8).join(", "))} to ${minus(shape.answers.join(", "))}. Arrow keys go from neuron to neuron along the weights.`);
    if (!view.source.running) buttons.forEach((b, k) => { put(b, "aria-label", label({ neuron: k })); put(b, "aria-pressed", String(k === view.kept)); });
    tell(at);
  }
  return { box: h("div", { class: "mgl-network" }, h("div", { class: "mgl-head" }, h("h3", {}, "Network"), layerButtons), net, note), paint };
}
