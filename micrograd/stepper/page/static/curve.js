// The root as a curve over one leaf, with the tangent at its number of before: how far the gradient
// tells the truth.

const CURVE = { points: 80, left: 48, right: 12, top: 8, bottom: 20, least: 1.5, beyond: 1.35 };

// Returns what draws the pane. `begun()`: the numbers of before the last pull, or null.
function curveOf(host, begun) {
  const { D, root, live, app, on, called, typed, spoken } = host, { nodes } = D;
  const path = cls => S("path", { class: cls }), text = (cls, anchor) => S("text", { class: cls, "text-anchor": anchor });
  const [axis, tangent, line, gap] = ["ax", "tangent", "line", "gap"].map(path), old = S("circle", { class: "was", r: 5 }), now = S("circle", { class: "now", r: 6 });
  const [name, low, high, left, at, right] = [text("", "end"), text("", "end"), text("", "end"), text("", "start"), text("ink", "middle"), text("", "end")];
  const svg = S("svg", { class: "mgs-curve", role: "img" }, axis, tangent, line, gap, old, now, name, low, high, left, at, right), below = h("div");
  const shown = live && ([...live.leaves].find(i => nodes[i].role === "param") ?? [...live.leaves][0]), rootName = called(root), short = widthOf(rootName, 13) < CURVE.left - 8 ? rootName : "";
  const rounded = x => minus(String(Number(x.toPrecision(3)))), row = (...cells) => h("tr", {}, cells.map(c => h("td", { class: c.cls }, c.nodes ?? c)));
  const number = (x, plus = true) => minus(numberText(x, 4, plus)), tinted = x => ({ cls: x > 0 ? "pos" : x < 0 ? "neg" : null, nodes: number(x) });

  let W = 380, measured = null; // read only when the page has another width: reading it forces a layout

  return (body, head) => {
    if (measured !== host.width()) { measured = host.width(); W = Math.max(200, body.clientWidth || 380); }
    const was = begun(), picked = host.selected(), i = live.leaves.has(picked) ? picked : was?.i ?? shown;
    const x1 = live.value(i), pulled = was?.i === i, x0 = pulled ? was.x : x1, y0 = pulled ? was.root : live.value(root), slope = pulled ? was.slope : live.grad(i), y1 = live.value(root);
    const half = Math.max(CURVE.least * unitOf(x0), CURVE.beyond * Math.abs(x1 - x0)), most = Number.MAX_VALUE, lo = Math.max(-most, x0 - half), hi = Math.min(most, x0 + half), guess = y0 + slope * (x1 - x0);
    const xs = Array.from({ length: CURVE.points + 1 }, (_, j) => lo * (1 - j / CURVE.points) + hi * (j / CURVE.points)), ys = live.curve(i, xs), inside = [...ys, y0, y1, guess].filter(Number.isFinite);
    const least = Math.min(...inside), largest = Math.max(...inside), pad = (largest / 2 - least / 2) * .2 || Math.abs(largest) * .1 || 1, bottom = Math.max(-most, least - pad), top = Math.min(most, largest + pad);
    const H = host.curve(), { left: L, right: R, top: T, bottom: B } = CURVE;
    const share = (x, from, to) => (x / 2 - from / 2) / (to / 2 - from / 2); // by halves: the distance of two floats may be infinite
    const X = x => L + (W - L - R) * share(x, lo, hi), Y = y => T + (H - T - B) * (1 - share(y, bottom, top)), dot = (x, y) => `${X(x).toFixed(1)} ${Y(y).toFixed(1)}`;
    // The tangent as far as it lies within the picture.
    const ends = slope ? [bottom, top].map(y => x0 + (y - y0) / slope).sort((a, b) => a - b) : [lo, hi], [from, to] = [Math.max(lo, ends[0]), Math.min(hi, ends[1])];
    put(svg, "viewBox", `0 0 ${W} ${H}`); put(svg, "--height", `${H}px`);
    put(axis, "d", `M${L} ${T - 4}V${H - B}H${W - R}`);
    put(tangent, "d", [y0, y0 + slope * (from - x0), y0 + slope * (to - x0)].every(Number.isFinite) ? `M${dot(from, y0 + slope * (from - x0))}L${dot(to, y0 + slope * (to - x0))}` : "");
    put(line, "d", ys.map((y, j) => !Number.isFinite(y) ? "" : `${Number.isFinite(ys[j - 1]) ? "L" : "M"}${dot(xs[j], y)}`).join(""));
    put(gap, "d", x1 !== x0 && Number.isFinite(y1) && Number.isFinite(guess) ? `M${dot(x1, y1)}L${dot(x1, guess)}` : "");
    for (const [e, x, y] of [[old, x0, y0], [now, x1, y1]]) { put(e, "visibility", Number.isFinite(y) && (e === old || x1 !== x0) ? "visible" : "hidden"); if (Number.isFinite(y)) { put(e, "cx", X(x).toFixed(1)); put(e, "cy", Y(y).toFixed(1)); } }
    for (const [e, x, y, t] of [[name, L - 6, T + 8, minus(short)], [low, L - 6, H - B, rounded(bottom)], [left, L, H - 5, rounded(lo)], [at, X(x0), H - 5, number(x0, false)], [right, W - R, H - 5, rounded(hi)]]) { put(e, "x", x.toFixed(1)); put(e, "y", y); put(e, "text", t); }
    put(svg, "aria-label", `${spoken(rootName)} over ${spoken(called(i))}, with the tangent at ${number(x0, false)}`);
    head.replaceChildren(...typed(brief(rootName, 120, 14)), " over ", ...typed(brief(called(i), 120, 14)));
    if (body.firstChild !== svg) body.replaceChildren(svg, below);
    const by = number(x1 - x0, false), times = by.startsWith("\u2212") ? `(${by})` : by;
    below.replaceChildren(x1 === x0 ? h("p", { class: "mgs-note" }, `The slope here is the gradient, ${number(slope)}. Pull `, ...typed(called(i)), " and see how far the straight line holds.")
      : h("table", {}, h("tbody", {}, row({ nodes: typed(called(i)) }, `${number(x0, false)} \u2192 ${number(x1, false)}`, number(x1 - x0)),
        row("the gradient predicted", `${number(slope)} \u00d7 ${times}`, tinted(guess - y0)), row({ nodes: [...typed(rootName), " moved"] }, `${number(y0, false)} \u2192 ${number(y1, false)}`, tinted(y1 - y0)))));
  };
}
