
// ---- the live view: uses h, S, put, minus, icon, ICON, followTheme, hearKeys and render of the scripts above
function renderLive({ model, el }) {
  const quit = new AbortController();
  const on = (t, type, f, o = {}) => t.addEventListener(type, f, { ...o, signal: quit.signal });
  const data = structuredClone(model.get("data"));
  const frames = data.frames, live = !frames;
  let k = 0, frame = live ? model.get("frame") : frames[0], playing = false, timer = 0, theme = "light", chosen = -1, neuron = null;
  let leaveLens = null, opener = null, byPoint = false; // how an open sample was opened
  const themed = new Set(); // what it does when the theme changes
  const running = () => live ? model.get("running") : playing;
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));

  // ---- the parts
  const runButton = h("button", { type: "button", class: "mgl-run" });
  const stepButton = h("button", { type: "button" }, "Step"), resetButton = h("button", { type: "button" }, "Reset");
  const backButton = live ? null : h("button", { type: "button" }, "Back");
  const choice = (name, entries, now) => {
    const s = h("select", {}, entries.map(e => h("option", { value: e }, e)));
    s.value = now;
    return [h("label", {}, name, s), s];
  };
  const [rateLabel, rate] = live ? choice("learning rate", data.rates, data.rate) : [];
  const [kindLabel, kind] = live ? choice("activation", data.activations, data.activation) : [];
  const slider = live ? null : h("input", { type: "range", min: 0, max: frames.length - 1, value: 0, "aria-label": "Moment of the run" });
  const status = h("p", { class: "mgl-say", "aria-hidden": "true" });
  const heard = h("p", { role: "status", "aria-live": "polite", class: "mgl-heard" });
  const alert = h("p", { role: "alert", class: "mgs-alert", hidden: "" });
  const canvas = h("canvas", { "aria-hidden": "true" });
  const line = S("path", { class: "mgl-line" });
  const sampleName = i => {
    const name = data.classes[data.points[i][2]];
    return `sample ${i}${name ? `, class ${minus(name)}` : ""}${i < data.learnt ? "" : ", held out"}`;
  };
  const dots = data.points.map(([x, y, g], i) => {
    const px = 300 * x, py = 300 * (1 - y), shape = data.shapes[g], r = 5;
    const d = [`M${px - r} ${py}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`, `M${px - 4.4} ${py - 4.4}h8.8v8.8h-8.8z`,
      `M${px} ${py - 6}L${px + 5.6} ${py + 4.2}H${px - 5.6}z`, `M${px} ${py - 6}l6 6l-6 6l-6 -6z`,
      `M${px - 5} ${py - 2.6}l2.4 -2.4l2.6 2.6l2.6 -2.6l2.4 2.4l-2.6 2.6l2.6 2.6l-2.4 2.4l-2.6 -2.6l-2.6 2.6l-2.4 -2.4l2.6 -2.6z`][shape];
    const e = S("path", { class: "mgl-dot", d }, S("title", {}, sampleName(i)));
    on(e, "click", () => open(i, true));
    return e;
  });
  const map = h("div", { class: "mgl-map", role: "img" }, canvas, S("svg", { viewBox: "0 0 300 300", "aria-hidden": "true" }, line, dots));
  const curve = S("svg", { role: "img" });
  const openButton = h("button", { type: "button" }, "Show its back-propagation");
  const steps = h("div", { class: "mgl-steps", role: "group", hidden: "" });
  const held = live ? null : Object.keys(data.samples);
  const number = live ? h("input", { type: "number", class: "mgl-number", min: 0, max: data.points.length - 1, value: 0 })
    : h("select", { class: "mgl-held" }, held.map(i => h("option", { value: i }, sampleName(i).replace("sample ", ""))));
  const neuronName = key => { const [l, i] = key.split(" "); return `neuron ${+i + 1} of layer ${+l + 1}`; };
  const neurons = live ? data.layers.slice(1).flatMap((n, l) => Array.from({ length: n }, (_, i) => `${l} ${i}`)) : Object.keys(data.neurons);
  const mapOf = h("select", { "aria-label": "Map of" }, h("option", { value: "" }, "the network"), neurons.slice(0, 300).map(key => h("option", { value: key }, neuronName(key))));
  const mapHead = h("h3", {}, data.heading), mapNote = h("p", { class: "mgl-note mgl-told" });
  const color = name => getComputedStyle(app).getPropertyValue(`--${name}`).trim(), chosenMap = () => mapOf.value || null;
  const net = liveNet(data, on, { frame: () => frame, color, showNeuron: key => showNeuron(neurons.includes(key) ? key : chosenMap()) });
  const canOpen = live || held.length > 0, canShow = i => live || data.samples[i] != null;
  const app = h("section", { class: "mgs mgl", "aria-label": data.title, tabindex: "-1" },
    h("div", { class: "mgs-top" }, h("h2", {}, data.title), live ? null : h("span", { class: "mgs-phase" }, data.setting)),
    h("div", { class: "mgl-bar", role: "group", "aria-label": "Training" }, runButton, backButton, stepButton, resetButton, slider, rateLabel, kindLabel),
    status, heard, alert,
    h("div", { class: "mgl-both" },
      h("div", {}, h("div", { class: "mgl-head" }, mapHead, neurons.length ? mapOf : null), map,
        h("div", { class: "mgl-ends" }, h("span", {}, minus(data.ends[0][0])), h("span", {}, typed(data.names[0])), h("span", {}, minus(data.ends[1][0]))),
        h("p", { class: "mgl-note" }, typed(`${data.about} From ${data.ends[0][1]} below to ${data.ends[1][1]} above.`)), mapNote),
      h("div", {}, h("div", { class: "mgl-head" }, h("h3", {}, "Network"), net.choice), net.net, net.note, net.told)),
    h("div", { class: "mgl-curve" }, h("h3", {}, "Loss"), curve),
    h("div", { class: "mgl-bar" }, canOpen ? [h("label", {}, "sample", number), openButton] : null,
      h("span", { class: "mgl-note" }, live ? "or click a point of the plane" : held.length ? `or click its point. This page holds ${held.length} of ${data.points.length} samples; a notebook shows any.` : "The graph of one sample is too large for this page: a notebook shows it for small networks.")),
    steps,
    h("p", { class: "mgs-keys mgl-note" }, live ? "Space run or pause · → step · r reset" : "Space play or pause · ← → step · Home End · r reset"));
  el.replaceChildren(app);

  // ---- painting
  function paintMap() {
    const own = neuron && (live ? frame.neuron : data.neurons[neuron]);
    const field = bytes(own ? own.map : frame.map), n = Math.sqrt(field.length), lut = (own ? data.shades : data.lut)[theme], image = new ImageData(n, n);
    for (let r = 0; r < n; r++) for (let c = 0; c < n; c++) {
      const at = 4 * ((n - 1 - r) * n + c), v = parseInt(lut.substr(6 * field[r * n + c], 6), 16);
      image.data[at] = v >> 16; image.data[at + 1] = v >> 8 & 255; image.data[at + 2] = v & 255; image.data[at + 3] = 255;
    }
    if (canvas.width !== n) canvas.width = canvas.height = n;
    canvas.getContext("2d").putImageData(image, 0, 0);
    let d = "";
    // The line through squares of four neighbouring points, and on straight to the rim.
    const X = c => ((c + .5) * 300 / n).toFixed(1), Y = r => (300 - (r + .5) * 300 / n).toFixed(1);
    const inside = i => Math.max(0, Math.min(n - 1, i)), spots = [[0, 0], [1, 0], [1, 1], [0, 1]];
    const lead = v => Math.max(.5, v % 25 - data.undecided);
    const smooth = own || data.binary; // else a byte has a class in it, and the outermost is repeated
    const value = (r, c) => {
      const i = inside(r), j = inside(c), v = field[i * n + j];
      return smooth ? 2 * v - field[(2 * i - r) * n + 2 * j - c] : v;
    };
    const crossing = smooth // how far from the first to the second, if there is a line
      ? (a, b) => (a - 127.5) * (b - 127.5) < 0 && (a - 127.5) / (a - b)
      : (a, b) => Math.floor(a / 25) !== Math.floor(b / 25) && lead(a) / (lead(a) + lead(b));
    for (let r = -1; r < n; r++) for (let c = -1; c < n; c++) {
      const p = spots.map(([x, y]) => value(r + y, c + x)), hits = [];
      for (let s = 0; s < 4; s++) {
        const t = crossing(p[s], p[(s + 1) % 4]), [x, y] = spots[s], [u, v] = spots[(s + 1) % 4];
        if (t) hits.push([c + x + t * (u - x), r + y + t * (v - y)]);
      }
      if (!hits.length) continue;
      // Two classes share one line; where three or more meet, theirs go to the middle.
      const mid = [0, 1].map(k => hits.reduce((sum, hit) => sum + hit[k], 0) / hits.length);
      const at = ([x, y]) => `${X(x)} ${Y(y)}`, several = !smooth && hits.length > 2;
      if (several) for (const hit of hits) d += `M${at(hit)}L${at(mid)}`;
      else for (let s = 0; s + 1 < hits.length; s += 2) d += `M${at(hits[s])}L${at(hits[s + 1])}`;
    }
    put(line, "d", d);
    const bg = color("bg");
    dots.forEach((e, i) => {
      const held = i >= data.learnt, c = data.colours[theme][data.points[i][2]];
      put(e, "fill", held ? bg : c); put(e, "stroke", held ? c : bg);
      put(e, "class", `mgl-dot${held ? " held" : ""}${canShow(i) ? "" : " off"}${i === chosen ? " on" : ""}`);
    });
    put(mapHead, "text", own ? capital(neuronName(neuron)) : data.heading);
    put(mapNote, "text", own ? minus(own.note) + (live ? "" : " (At the end of the run.)") : neurons.length ? "A neuron under the pointer, or a chosen one, shows here what it answers." : "");
    put(map, "aria-label", own ? minus(`What ${neuronName(neuron)} answers over ${spoken(data.names.join(" and "))}. ${own.note}`) : minus(`${data.heading} over ${spoken(data.names.join(" and "))}. ${frame.say}`));
  }
  function paintCurve() {
    const c = live ? frame.curve : data.curve, w = curve.clientWidth;
    if (!w) return;
    const left = 50, right = w - (c.held.length ? 66 : 14), top = 8, bottom = 94;
    const X = n => left + (right - left) * n / c.most, scale = v => c.log ? Math.log(Math.max(v, c.low)) : v;
    const Y = v => bottom - (bottom - top) * (scale(v) - scale(c.low)) / (scale(c.high) - scale(c.low));
    const parts = c.ticks.map(([v, t]) => [S("path", { class: "grid", d: `M${left} ${Y(v).toFixed(1)}H${right}` }), S("text", { x: left - 6, y: Y(v) + 4, "text-anchor": "end" }, minus(t))]);
    const until = points => points.filter(p => p[0] <= frame.n);
    const path = points => points.map(([n, v], i) => `${i ? "L" : "M"}${X(n).toFixed(1)} ${Y(v).toFixed(1)}`).join("");
    const shown = [until(c.points), until(c.held)], ends = shown.map(points => points[points.length - 1]);
    const drawn = ends.map((end, i) => end && [S("path", { class: i ? "mgl-line held" : "mgl-line", d: path(shown[i]) }), S("circle", { cx: X(end[0]), cy: Y(end[1]), r: 4, class: i ? "held" : "" })]);
    if (ends[0] && ends[1]) { // each curve's name at its end, moved apart where they would touch
      const [a, b] = ends.map(end => Y(end[1])), apart = Math.max(0, 14 - Math.abs(a - b)) / 2, up = a <= b ? -1 : 1;
      const lift = Math.min(0, bottom + 4 - Math.max(a + up * apart, b - up * apart));
      drawn.push(S("text", { x: X(ends[0][0]) + 8, y: a + up * apart + lift + 4, class: "train" }, "train"), S("text", { x: X(ends[1][0]) + 8, y: b - up * apart + lift + 4 }, "held out"));
    }
    curve.replaceChildren(...parts.flat(), ...drawn.flat().filter(Boolean), S("text", { x: left, y: 113 }, "0"), S("text", { x: right, y: 113, "text-anchor": "end" }, `step ${c.most}`));
    put(curve, "aria-label", minus(`Loss curve. ${frame.say}`));
  }
  let spokenAt = -Infinity, speakLater = 0;
  function paint() {
    put(app, "data-step", String(frame.n)); put(app, "data-loss", String(frame.loss));
    const t = minus(frame.text);
    put(status, "text", capital(t));
    clearTimeout(speakLater);
    const speak = () => { spokenAt = performance.now(); put(heard, "text", minus(frame.say)); };
    if (performance.now() - spokenAt > 2000 || !running()) speak(); else speakLater = setTimeout(speak, 2000);
    if (slider) { slider.value = k; put(slider, "aria-valuetext", minus(frame.say)); }
    if (!live) { alert.textContent = minus(frame.stopped); alert.hidden = !frame.stopped; }
    paintMap(); net.paint(); paintCurve();
  }
  function paintRun() {
    const r = running();
    runButton.replaceChildren(icon(r ? ICON.pause : ICON.play), r ? "Pause" : live ? "Run" : "Play");
    if (!live) { put(stepButton, "aria-disabled", String(k === frames.length - 1)); put(backButton, "aria-disabled", String(k === 0)); }
  }
  // ---- doing
  let seq = 0;
  const ask = (what, given = null) => { alert.hidden = true; model.set("command", { do: what, with: given, seq: `${++seq}-${performance.now()}` }); model.save_changes(); };
  const go = to => { k = Math.max(0, Math.min(frames.length - 1, to)); frame = frames[k]; paint(); paintRun(); };
  const stop = () => { playing = false; clearTimeout(timer); paintRun(); };
  const tick = () => { if (!playing) return; if (k >= frames.length - 1 || !app.isConnected) { stop(); paint(); return; } go(k + 1); timer = setTimeout(tick, 100); };
  const run = () => {
    if (live) return ask(running() ? "pause" : "run");
    if (playing) { stop(); paint(); return; }
    if (k === frames.length - 1) go(0);
    playing = true; paintRun(); timer = setTimeout(tick, 100);
  };
  const forward = () => live ? ask("step") : (stop(), go(k + 1)), back = () => { stop(); go(k - 1); };
  const reset = () => live ? ask("reset") : (stop(), go(0));
  on(runButton, "click", run); on(stepButton, "click", forward); on(resetButton, "click", reset);
  if (backButton) on(backButton, "click", back);
  if (slider) on(slider, "input", () => { const to = +slider.value; stop(); go(to); });
  if (rate) on(rate, "change", () => ask("rate", rate.value));
  if (kind) on(kind, "change", () => ask("activation", kind.value));
  function showNeuron(key) { // null: the network's own map
    if (key === neuron) return;
    neuron = key;
    if (live) ask("neuron", key && key.split(" ").map(Number));
    paintMap();
  }
  on(mapOf, "change", () => showNeuron(chosenMap()));
  // ---- the back-propagation of a sample, in the theme of the page around it
  function show(i, sample, n) {
    leaveLens?.();
    const box = h("div"), close = h("button", { type: "button" }, "Close"), values = { data: sample, step: 0, editable: false, error: "" };
    const shim = {
      get: key => key === "theme" ? theme : values[key], set(key, v) { values[key] = v; }, save_changes() {},
      on(event, f) { if (event === "change:theme") themed.add(f); }, off(event, f) { themed.delete(f); },
    };
    const what = `Back-propagation of ${sampleName(i)}, at step ${n}`;
    steps.replaceChildren(h("div", { class: "mgl-bar" }, h("strong", {}, what), close, h("span", { class: "mgl-note" }, h("kbd", {}, "Esc"), " closes it")), box);
    put(steps, "aria-label", what);
    steps.hidden = false; chosen = i; number.value = i;
    on(close, "click", closeLens);
    leaveLens = render({ model: shim, el: box });
    paintMap();
    steps.querySelector("[role=slider], input[type=range]")?.focus({ preventScroll: true });
    steps.scrollIntoView({ block: "nearest" });
  }
  function closeLens() {
    leaveLens?.(); leaveLens = null;
    steps.replaceChildren(); steps.hidden = true; chosen = -1;
    paintMap();
    opener.focus({ preventScroll: true });
    (byPoint ? map : opener).scrollIntoView({ block: "nearest" });
  }
  function open(i, point = false) {
    const from = el.getRootNode().activeElement;
    if (!steps.contains(from)) opener = from !== app && app.contains(from) ? from : openButton;
    byPoint = point;
    if (live) { number.value = i; return ask("sample", i); }
    stop();
    alert.hidden = Boolean(data.samples[i]);
    if (data.samples[i]) { go(frames.length - 1); return show(i, data.samples[i], frame.n); }
    alert.textContent = held.length ? `This page does not hold sample ${i}, only ${held.join(", ")}.` : "This page holds no sample's graph: it would be too large.";
  }
  on(openButton, "click", () => { const i = Number(number.value); if (Number.isInteger(i)) open(i); });
  on(number, "keydown", e => { if (e.key === "Enter") openButton.click(); });
  hearKeys(app, el, on, e => {
    if (e.key === "Escape" && !steps.hidden && !e.defaultPrevented) { e.preventDefault(); return closeLens(); }
    const t = e.target, own = t.closest("input, select, .mgl-steps");
    if (own && !(t === slider && (e.key === " " || e.key === "r"))) return;
    const keys = { ArrowRight: forward, r: reset };
    if (!t.closest("button")) keys[" "] = run;
    if (!live) Object.assign(keys, { ArrowLeft: back, Home: () => { stop(); go(0); }, End: () => { stop(); go(frames.length - 1); } });
    if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
  });
  const events = live ? {
    "change:frame": () => { frame = model.get("frame"); paint(); },
    "change:running": () => { paintRun(); paint(); },
    "change:sample": () => { const s = model.get("sample"); if (s.data) show(s.i, s.data, s.n); },
    "change:error": () => { const text = model.get("error"); alert.textContent = text; alert.hidden = !text; },
  } : {};
  for (const [name, f] of Object.entries(events)) model.on(name, f);
  const sized = new ResizeObserver(() => { net.paint(); paintCurve(); });
  sized.observe(app);
  const leaveTheme = followTheme(app, el, model, on, now => { theme = now; paint(); themed.forEach(f => f()); });
  paintRun();
  return () => { quit.abort(); leaveTheme(); sized.disconnect(); clearTimeout(timer); clearTimeout(speakLater); leaveLens?.(); for (const [name, f] of Object.entries(events)) model.off(name, f); };
}

export default { initialize: takePlaces(renderLive), render: renderLive };
