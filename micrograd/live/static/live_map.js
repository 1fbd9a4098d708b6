// The plane of the live view: what the network, or one of its neurons, answers there; the boundary,
// those of pinned runs, and the samples. With one feature: the samples and the curve of the function.

const PLANE = 300, CROWD = 80; // units along each axis of the drawing; more samples are drawn smaller

// ---- colours: as `style.Theme.of_class`, `style.diverging` and `style.class_shape`
const channels = colour => [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
const mixed = (start, end, part) => channels(start).map((a, i) => Math.floor(a + (channels(end)[i] - a) * part + .5));
const inHex = parts => `#${parts.map(part => part.toString(16).padStart(2, "0")).join("")}`;
const classColour = (color, k, outputs) => outputs === 1 ? color(k ? "pos" : "neg") : color("classes").split(" ")[k % 5];
const classShape = (k, outputs) => outputs === 1 ? 1 - k : (k + Math.floor(k / 5)) % 5;
function shadesOf(color, outputs) { // of the 256 bytes of a map
  const stops = color("diverging").split(" ").slice(2, 7), bg = color("bg");
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    const place = byte / 255 * 4, below = Math.min(3, Math.floor(place));
    const [r, g, b] = outputs === 1 ? mixed(stops[below], stops[below + 1], place - below) : mixed(bg, classColour(color, Math.min(9, Math.floor(byte / 25)), outputs), .1 + .35 * (byte % 25) / 24);
    return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  });
}
// The byte of a network that is sure of its answer, as `frames.decided`.
const decided = (byte, outputs) => outputs === 1 ? byte < 128 ? 0 : 255 : Math.floor(byte / 25) * 25 + 24;
// Puts a map of bytes, its rows from below, on a canvas of its size.
function inkMap(canvas, field, shades) {
  const n = Math.sqrt(field.length), g = canvas.getContext("2d");
  if (canvas.width !== n) canvas.width = canvas.height = n;
  const image = g.createImageData(n, n), pixels = new Uint32Array(image.data.buffer);
  for (let r = 0; r < n; r++) for (let c = 0; c < n; c++) pixels[(n - 1 - r) * n + c] = shades[field[r * n + c]];
  g.putImageData(image, 0, 0);
}

// ---- marks
function markPath(shape, x, y) {
  return [`M${x - 5} ${y}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z`, `M${x - 4.4} ${y - 4.4}h8.8v8.8h-8.8z`, `M${x} ${y - 6}L${x + 5.6} ${y + 4.2}H${x - 5.6}z`, `M${x} ${y - 6}l6 6l-6 6l-6 -6z`,
    `M${x - 5} ${y - 2.6}l2.4 -2.4l2.6 2.6l2.6 -2.6l2.4 2.4l-2.6 2.6l2.6 2.6l-2.4 2.4l-2.6 -2.6l-2.6 2.6l-2.4 -2.4l2.6 -2.6z`][shape];
}
const className = (classes, k) => minus(classes[k] ?? String(k)).trim() || "(no name)";
const markOf = (color, k, outputs) => S("svg", { class: "mgl-mark", viewBox: "0 0 14 14", "aria-hidden": "true" }, S("path", { d: markPath(classShape(k, outputs), 7, 7.5), fill: classColour(color, k, outputs) }));

// The line between the answers in a map, through squares of four neighbouring points and on straight
// to the rim. `smooth`: a byte is an answer, 127.5 the line; else it holds a class and how sure it is.
function boundaryOf(field, smooth, outputs) {
  const n = Math.sqrt(field.length), undecided = outputs === 1 ? 0 : 24 * (.5 - 1 / outputs) / (1 - 1 / outputs);
  const X = c => ((c + .5) * PLANE / n).toFixed(1), Y = r => (PLANE - (r + .5) * PLANE / n).toFixed(1);
  const inside = i => Math.max(0, Math.min(n - 1, i)), spots = [[0, 0], [1, 0], [1, 1], [0, 1]];
  const lead = v => Math.max(.5, v % 25 - undecided);
  const value = (r, c) => {
    const i = inside(r), j = inside(c), v = field[i * n + j];
    return smooth && (i !== r || j !== c) ? 2 * v - field[(2 * i - r) * n + 2 * j - c] : v; // a class is repeated
  };
  const crossing = smooth // how far from the first to the second, if there is a line
    ? (a, b) => (a - 127.5) * (b - 127.5) < 0 && (a - 127.5) / (a - b)
    : (a, b) => Math.floor(a / 25) !== Math.floor(b / 25) && lead(a) / (lead(a) + lead(b));
  let d = "";
  for (let r = -1; r < n; r++) for (let c = -1; c < n; c++) {
    const p = [value(r, c), value(r, c + 1), value(r + 1, c + 1), value(r + 1, c)], hits = [];
    for (let s = 0; s < 4; s++) {
      const t = crossing(p[s], p[(s + 1) % 4]), [x, y] = spots[s], [u, v] = spots[(s + 1) % 4];
      if (t) hits.push([c + x + t * (u - x), r + y + t * (v - y)]);
    }
    if (!hits.length) continue;
    // Two classes share one line; where three or more meet, theirs go to the middle.
    const at = ([x, y]) => `${X(x)} ${Y(y)}`, several = !smooth && hits.length > 2;
    const mid = [0, 1].map(k => hits.reduce((sum, hit) => sum + hit[k], 0) / hits.length);
    if (several) for (const hit of hits) d += `M${at(hit)}L${at(mid)}`;
    else for (let s = 0; s + 1 < hits.length; s += 2) d += `M${at(hits[s])}L${at(hits[s + 1])}`;
  }
  return d;
}

function liveMap(view) {
  const { on, color } = view, canvas = h("canvas", { "aria-hidden": "true" });
  const line = S("path", { class: "mgl-line" }), ghosts = S("g", {}), marks = S("g", {}), over = S("g", {}); // `over`: the painter's
  const svg = S("svg", { viewBox: `0 0 ${PLANE} ${PLANE}`, "aria-hidden": "true" }, ghosts, line, marks, over);
  const plane = h("div", { class: "mgl-map", role: "img" }, canvas, svg), heading = h("h3", {}), key = h("p", { class: "mgl-key" }), about = h("p", { class: "mgl-note" });
  const up = h("span", { class: "mgl-up" }), across = h("div", { class: "mgl-ends" }), head = h("div", { class: "mgl-head" }, heading);
  const hollow = S("svg", { class: "mgl-mark", viewBox: "0 0 14 14", "aria-hidden": "true" }, S("path", { class: "hollow", d: markPath(0, 7, 7.5) }));
  const boxes = [["show_held_out", hollow, "held out"], ["discrete", "", "discrete"]].map(([name, ...text]) => {
    const box = h("input", { type: "checkbox", "aria-label": name === "discrete" ? "Discrete output" : "Show held-out points" });
    on(box, "change", () => { view[name] = box.checked; view.paint(); view.address?.changed(); });
    return [name, box, h("label", {}, box, ...text)];
  });
  let points = null, dots = [], shades = null, shaded = "", shown = []; // the shape and the theme whose words are shown

  const sampleName = i => {
    const { classes } = view.shape, [, , group, held] = view.shape.points[i];
    return `sample ${i}${classes.length ? `, class ${className(classes, group)}` : ""}${held ? ", held out" : ""}`;
  };
  function placeSamples() {
    points = view.shape.points;
    const { outputs } = view.shape;
    dots = points.map(([x, y, group], i) => {
      const transform = `translate(${(PLANE * x).toFixed(1)} ${(PLANE * (1 - y)).toFixed(1)}) scale(${points.length > CROWD ? .75 : 1})`;
      const e = S("path", { class: "mgl-dot", d: markPath(classShape(group, outputs), 0, 0), transform }, S("title", {}, sampleName(i)));
      on(e, "click", () => { if (!view.painting) view.open(i, true); });
      return e;
    });
    marks.replaceChildren(...dots);
  }
  function edge(frame = view.frame, outputs = view.shape.outputs) { // of a network, or with one feature its function
    if (!frame.line) return boundaryOf(frame.map, outputs === 1, outputs);
    return Array.from(frame.line, (y, i) => `${i ? "L" : "M"}${(PLANE * i / (frame.line.length - 1)).toFixed(1)} ${(PLANE * (1 - Math.max(-9, Math.min(9, y)))).toFixed(1)}`).join("");
  }
  function paintWords(own, frame) {
    const { names, ends, classes, outputs, heading: title } = view.shape, over = spoken(names.join(" and "));
    put(heading, "text", own ? capital(view.neuronName(view.neuron)) : title);
    put(plane, "aria-label", minus(own ? `What ${view.neuronName(view.neuron)} answers over ${over}. ${own.note ?? ""}` : `${title} over ${over}. ${frame.say}`));
    for (const [name, box] of boxes) box.checked = view[name];
    [points.some(p => p[3]), !frame.line].forEach((can, k) => { boxes[k][2].hidden = !can; });
    if (shown[0] === view.shape && shown[1] === view.theme) return;
    shown = [view.shape, view.theme];
    const here = new Set(points.map(p => p[2]));
    across.replaceChildren(h("span", {}, minus(ends[0][0])), h("span", {}, typed(names[0])), h("span", {}, minus(ends[1][0])));
    up.replaceChildren(h("span", {}, minus(ends[1][1])), h("span", {}, typed(names[1] ?? "target")), h("span", {}, minus(ends[0][1])));
    key.replaceChildren(...classes.flatMap((_, k) => outputs > 1 || here.has(k) ? [h("span", {}, markOf(color, k, outputs), className(classes, k))] : []), ...boxes.map(([, , label]) => label));
    about.replaceChildren(...typed(view.shape.about));
  }
  function paint() {
    const { shape, frame, neuron, theme } = view, { outputs } = shape;
    if (points !== shape.points) placeSamples();
    if (shaded !== `${theme} ${outputs}`) { shaded = `${theme} ${outputs}`; shades = [shadesOf(color, 1), shadesOf(color, outputs)]; }
    const own = neuron != null ? view.neuronMap(neuron) : null, field = own ? own.map : frame.map;
    canvas.hidden = !field;
    if (field) { const n = own ? 1 : outputs, [shade] = [shades[Number(!own)]]; inkMap(canvas, field, view.discrete ? shade.map((_, byte) => shade[decided(byte, n)]) : shade); }
    put(line, "d", own ? boundaryOf(own.map, true, 1) : edge());
    ghosts.replaceChildren(...(own ? [] : view.ghosts()).flatMap(({ d, name }) => { const at = /^M(\S+) (\S+)L/.exec(d); return [S("path", { class: "mgl-line ghost", d }), at && S("text", { x: Math.max(6, Math.min(PLANE - 12, +at[1])), y: Math.max(14, Math.min(PLANE - 6, +at[2] - 4)) }, name)]; }).filter(e => e));
    const bg = color("bg");
    dots.forEach((e, i) => {
      const [, , group, held, size] = points[i], c = size == null ? classColour(color, group, outputs) : inHex(mixed(bg, classColour(color, group, 1), .35 + .65 * Math.min(1, size)));
      put(e, "fill", held ? bg : c); put(e, "stroke", held ? c : bg);
      put(e, "class", `mgl-dot${held ? " held" : ""}${view.canShow(i) ? "" : " off"}${held && !view.show_held_out ? " gone" : ""}${i === view.sample ? " on" : ""}`);
    });
    paintWords(own, frame);
  }
  const box = h("div", { class: "mgl-output" }, head, h("div", { class: "mgl-plane" }, up, plane), across, key, about);
  return { box, plane, over, sampleName, edge, shades: () => shades[0], paint };
}
