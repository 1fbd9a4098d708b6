// The loss curves of the live view, with those of pinned runs behind them: on a linear axis, where 0
// is 0, or on a logarithmic one, below which a 0 is marked as such.

const powerOfTwo = (v, round) => 2 ** Math.min(1023, round(Math.log2(v)));
function curveAxes(losses, log) { // their ends are powers of two, so that they rarely move
  const above = losses.filter(v => v > 0 && Number.isFinite(v)), most = Math.max(...above, 1e-12), least = Math.max(Math.min(...above, most), 1e-6 * most);
  const high = powerOfTwo(most, Math.ceil), low = log ? powerOfTwo(least, Math.floor) / (least === most ? 2 : 1) : 0;
  if (!log) return { low, high, ticks: [0, high / 2, high] };
  const [from, to] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))], every = Math.ceil((to - from + 1) / 4);
  const ticks = Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => from + k).filter(k => (k - from) % every === 0).map(k => Number(`1e${k}`));
  return { low, high, ticks: ticks.length > 1 ? ticks : [low, high] };
}

function liveCurve(view) {
  const svg = S("svg", { role: "img" }), most = 1e30;
  const scale = view.button("log", flip, null, { "aria-pressed": "false", title: "A logarithmic axis (l)" });
  view.log = null; // as the losses want it, until the reader says
  const isLog = losses => { const above = losses.filter(v => v > 0); return view.log ?? (above.length > 0 && Math.max(...above) > 100 * Math.min(...above)); };
  let shown = false;
  function flip() { view.log = !shown; view.paint(); view.address?.changed(); }

  function paint() {
    const { frame } = view, w = svg.clientWidth, H = svg.clientHeight || 150;
    if (!w) return;
    const ghosts = view.pinned(), curves = [frame.points, frame.held, ...ghosts.map(pin => pin.points)].map(points => points.map(([n, v]) => [n, Math.min(v, most)]));
    const losses = curves.flatMap(points => points.map(p => p[1])), log = shown = isLog(losses), { low, high, ticks } = curveAxes(losses, log), last = Math.max(view.source.most(), ...ghosts.map(pin => pin.n));
    put(scale, "aria-pressed", String(log));
    const zero = log && losses.some(v => v <= 0) ? 14 : 0; // room for the mark of 0
    const left = 50, right = w - 74, top = 8, bottom = H - 26 - zero, X = n => left + (right - left) * n / last;
    const Y = v => log ? v <= 0 ? bottom + zero : bottom - (bottom - top) * Math.log(Math.max(v, low) / low) / Math.log(high / low) : bottom - (bottom - top) * v / high;
    const path = points => points.map(([n, v], i) => `${i ? "L" : "M"}${X(n).toFixed(1)} ${Y(v).toFixed(1)}`).join("");
    const grid = (y, text) => [S("path", { class: "grid", d: `M${left} ${y.toFixed(1)}H${right}` }), S("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, minus(text))];
    const parts = ticks.flatMap(v => grid(Y(v), numberText(v, 3)));
    if (zero) parts.push(...grid(bottom + zero, "0"));
    // Each curve has its name at its end, the names moved apart where they would touch.
    const ends = [], draw = (points, kind, name) => { if (points.length) { parts.push(S("path", { class: `mgl-line ${kind}`, d: path(points) })); const [n, v] = points.at(-1); ends.push({ x: X(n), y: Y(v), kind, name }); } };
    curves.slice(2).forEach((points, i) => draw(points, "ghost", ghosts[i].name));
    const within = v => Math.max(low, Math.min(high, v));
    if (frame.batches?.length) parts.push(S("path", { class: "mgl-line batches", d: path(frame.batches.map(([n, v]) => [n, within(v)])) }));
    draw(curves[0], "now", curves[1].length || ghosts.length || frame.batches?.length ? "train" : ""); draw(curves[1], "held", "held out");
    let floor = -Infinity;
    for (const end of ends.sort((a, b) => a.y - b.y)) { end.at = Math.max(end.y, floor); floor = end.at + 14; }
    for (let i = ends.length - 1, roof = H - 8; i >= 0; i--) { ends[i].at = Math.min(ends[i].at, roof); roof = ends[i].at - 14; }
    for (const { x, y, at, kind, name } of ends) parts.push(frame.stopped && kind === "now" ? S("path", { class: "stop", d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10` }) : S("circle", { cx: x, cy: y, r: 4, class: kind }), S("text", { x: x + 9, y: at + 4, class: kind }, frame.stopped && kind === "now" ? "stopped here" : name));
    svg.replaceChildren(...parts, S("text", { x: left, y: H - 5 }, "0"), S("text", { x: right, y: H - 5, "text-anchor": "end" }, `step ${last}`));
    put(svg, "aria-label", minus(`Loss curve, ${log ? "logarithmic" : "linear"}. ${frame.say}`));
  }
  return { box: h("div", { class: "mgl-curve" }, h("div", { class: "mgl-head" }, h("h3", {}, "Loss"), scale), svg), flip, paint };
}
