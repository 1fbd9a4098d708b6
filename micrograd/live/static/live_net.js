// The network of the live view: its weights by size and sign, and one parameter with its numbers.

// `frame()` is what is shown; `showNeuron(key)` shows the map of a neuron, null none but the chosen.
function liveNet(data, on, { frame, color, showNeuron }) {
  const L = data.layers, size = 12.5, net = h("canvas", { class: "mgl-net", role: "img" }), note = h("p", { class: "mgl-note" }), told = h("p", { class: "mgl-note mgl-told" });
  // As in a frame: of each neuron its weights, then its bias.
  const parameters = L.slice(1).flatMap((n, l) => Array.from({ length: n * (L[l] + 1) }, (_, q) => ({ l: l + 1, i: Math.floor(q / (L[l] + 1)), j: q % (L[l] + 1) })));
  parameters.forEach(p => { p.bias = p.j === L[p.l - 1]; p.name = p.bias ? nameText("b", p.l, p.i + 1) : nameText("w", p.l, `${p.i + 1},${p.j + 1}`); });
  const edges = parameters.filter(p => !p.bias).length, choice = h("select", { "aria-label": "Parameter" }, h("option", { value: "" }, "a parameter"),
    parameters.slice(0, 300).map((p, q) => h("option", { value: q, "aria-label": spoken(p.name) }, p.name)));
  let pointed = null;

  const short = (text, room) => { let t = minus(text); if (widthOf(t, size) <= room) return t; while (t && widthOf(`${t}\u2026`, size) > room) t = t.slice(0, -1); return `${t}\u2026`; };
  function places() { // names stand beside inputs and outputs as long as each has a line
    const w = net.clientWidth, H = net.clientHeight, radius = l => Math.max(2.5, Math.min(13, H / (2.6 * L[l])));
    const room = (names, n) => H / n < 14 ? 0 : Math.min(w * .26, Math.max(...names.map(name => widthOf(minus(name), size))) + 6);
    const left = 18 + room(data.inputs, L[0]), right = 18 + room(data.answers, L.at(-1));
    return { w, H, radius, left, right, X: l => left + l * (w - left - right) / (L.length - 1), Y: (l, i) => H * (i + .5) / L[l] };
  }
  function at(x, y) { // the neuron or the weight at a point
    const { H, radius, X, Y } = places();
    for (let l = 1; l < L.length; l++) {
      const i = Math.floor(y / H * L[l]);
      if (i >= 0 && i < L[l] && Math.hypot(x - X(l), y - Y(l, i)) < Math.max(8, Math.min(16, H / (2.2 * L[l])))) return { key: `${l - 1} ${i}`, q: parameters.findIndex(p => p.bias && p.l === l && p.i === i) };
    }
    let least = 5, q = null;
    parameters.forEach((p, n) => {
      const x0 = X(p.l - 1) + radius(p.l - 1), x1 = X(p.l) - radius(p.l);
      if (p.bias || x < x0 || x > x1) return;
      const y0 = Y(p.l - 1, p.j), y1 = Y(p.l, p.i), far = Math.abs(y - y0 - (y1 - y0) * (x - x0) / (x1 - x0)) * (x1 - x0) / Math.hypot(x1 - x0, y1 - y0);
      if (far < least) [least, q] = [far, n];
    });
    return { key: null, q };
  }
  const current = () => pointed ?? (choice.value === "" ? null : +choice.value);
  function tell() {
    const p = parameters[current()], { numbers, n } = frame(), q = current();
    if (!p) return told.replaceChildren("A weight under the pointer, or a chosen parameter, tells its name, value and gradient.");
    const from = p.l === 1 ? data.inputs[p.j] : `neuron ${p.j + 1} of layer ${p.l - 1}`, to = `neuron ${p.i + 1} of layer ${p.l}`;
    const worth = numbers ? `${p.name} is ${numbers[0][q]}, its gradient ${n ? `in the last step ${numbers[1][q]}` : "not known yet"}` : `${p.name}: its numbers are told where the run stands still`;
    told.replaceChildren(...typed(`${worth}; ${p.bias ? `the bias of ${to}` : `the weight from ${from} to ${to}`}.`));
  }
  function paint() {
    tell();
    const { w, H, radius, left, right, X, Y } = places(), ratio = Math.max(1, devicePixelRatio || 1);
    if (!w) return;
    net.width = w * ratio; net.height = H * ratio;
    const g = net.getContext("2d"), sizes = new Int8Array(Uint8Array.from(atob(frame().w), c => c.charCodeAt(0)).buffer), marked = current();
    g.setTransform(ratio, 0, 0, ratio, 0, 0); g.clearRect(0, 0, w, H);
    const widest = Math.max(1.8, Math.min(5, 60 / Math.sqrt(edges))), power = edges < 200 ? 1 : edges < 1000 ? 2 : 4, low = edges < 1000 ? .12 : .03;
    const [pos, neg, zero, bg, ink, yellow] = ["pos", "neg", "zero", "bg", "ink", "current"].map(color), hue = v => v > 0 ? pos : v < 0 ? neg : zero;
    const drawn = parameters.map((p, q) => ({ ...p, q, v: sizes[q] / 127 }));
    const line = ({ l, i, j }) => { g.beginPath(); g.moveTo(X(l - 1) + radius(l - 1), Y(l - 1, j)); g.lineTo(X(l) - radius(l), Y(l, i)); g.stroke(); };
    const isMarked = p => p.q === marked;
    for (const p of drawn.filter(p => !p.bias).sort((a, b) => isMarked(a) - isMarked(b) || Math.abs(a.v) - Math.abs(b.v))) {
      const t = Math.abs(p.v);
      if (isMarked(p)) { g.globalAlpha = 1; g.strokeStyle = yellow; g.lineWidth = 9; line(p); }
      g.globalAlpha = isMarked(p) ? 1 : low + (.9 - low) * t ** power; g.lineWidth = .5 + (widest - .5) * t + isMarked(p); g.strokeStyle = hue(p.v);
      line(p);
    }
    g.globalAlpha = 1; g.fillStyle = bg;
    const ring = (l, i, width, stroke, wider = 0) => { g.strokeStyle = stroke; g.lineWidth = width; g.beginPath(); g.arc(X(l), Y(l, i), radius(l) + wider, 0, 7); g.fill(); g.stroke(); };
    for (let j = 0; j < L[0]; j++) ring(0, j, 1.5, ink);
    for (const p of drawn.filter(p => p.bias)) {
      if (isMarked(p)) ring(p.l, p.i, 4, yellow, 4);
      ring(p.l, p.i, 1.5 + 2 * Math.abs(p.v), hue(p.v));
    }
    g.fillStyle = ink; g.font = `${size}px ${FONT}`; g.textBaseline = "middle";
    for (const [l, names, x, align, room] of [[0, data.inputs, left - radius(0) - 5, "right", left - 18], [L.length - 1, data.answers, w - right + radius(L.length - 1) + 5, "left", right - 18]]) {
      g.textAlign = align;
      if (room > 0) names.forEach((name, i) => g.fillText(short(name, room), x, Y(l, i)));
    }
    put(note, "text", `Blue above zero, orange below; rings are biases. Full width, layer by layer: ${frame().scales.join(", ")}.`);
    put(net, "aria-label", `Network of ${L.join(", ")} neurons, ${edges} weights, from ${spoken(data.inputs.slice(0, 8).join(", "))} to ${minus(data.answers.join(", "))}`);
  }
  function point(q) { if (q !== pointed) { pointed = q; paint(); } }
  const spot = e => { const box = net.getBoundingClientRect(); return at(e.clientX - box.left, e.clientY - box.top); };
  on(net, "pointermove", e => { if (e.pointerType === "mouse") { const found = spot(e); showNeuron(found.key); point(found.q); } });
  on(net, "pointerleave", () => { showNeuron(null); point(null); });
  on(net, "click", e => { const { q } = spot(e); choice.value = q ?? ""; paint(); });
  on(choice, "change", paint);
  for (const [event, how] of [["focus", "polite"], ["blur", "off"]]) on(choice, event, () => put(told, "aria-live", how)); // only what is chosen is read out
  return { net, note, told, choice, paint };
}
