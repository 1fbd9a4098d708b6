// The lens, in a picture: cards are HTML over one drawing of lines, and every place is a pixel of
// the pane, so that no text is ever scaled. A plan is tried in full size, then with compact cards;
// where neither fits, one layer is shown at a time.

const LENS_SIZES = {
  full: { card: 44, input: 104, weight: 122, neuron: 126, loss: 126, gap: 22, near: 12, row: 112, product: 104, tail: 118, op: 24 },
  compact: { card: 60, input: 72, weight: 72, neuron: 82, loss: 100, gap: 20, near: 10, row: 76, product: 72, tail: 82, op: 15 },
  tiny: { card: 60, input: 64, weight: 66, neuron: 72, loss: 92, gap: 14, near: 8, row: 76, product: 72, tail: 76, op: 15 },
};
const EDGE = 8; // between the picture and its border
const MOST_LINES = 400; // of one layer; above, only those of one neuron

function lensPicture(V, on) {
  const { D, nodes, net, root, into, outOf } = V;
  const gAll = S("g"), gHalo = S("g"), gLit = S("g"), svg = S("svg", { "aria-hidden": "true" }, gAll, gHalo, gLit), stage = h("div", { class: "mgn-stage", role: "group" }), over = h("div", { class: "mgs-over" });
  let cards = [], lines = [], boxes = [], dots = [], probabilities = [], flats = [], stubs = [], anchors = new Map(), tag = null, rowsEnd = 0, single = false, T = LENS_SIZES.full, compact = false;
  const inPicture = name => name.replace(/#\d+$/, "");
  const weightScale = Math.max(1e-12, ...net.layers.flatMap(L => L.neurons.flatMap(n => n.w.map(w => Math.abs(numberOf(nodes[w].text)) || 0))).filter(Number.isFinite));
  const size = x => Math.abs(x) > 0 ? Math.max(.02, Math.min(1, Math.sqrt(Math.abs(x) / weightScale))) * Math.sign(x) : 0;
  const at = (e, x, y, w, height) => { e.style.left = `${x}px`; e.style.top = `${y}px`; if (w) e.style.width = `${w}px`; if (height) e.style.height = `${height}px`; return e; };

  // ---- pieces
  function card(i, x, y, w, extra = "", short = null) {
    const n = nodes[i], label = short ?? shortName(V.called(i, inPicture), compact ? w - 22 : w * .55 - 12, 15), name = h("span", { class: "name" }, typed(label)), data = h("span", { class: "num d" }), cap = h("span", { class: "cap" }, "grad"), g = h("span", { class: "num" });
    const again = n.role === "param" && cards.some(c => c.i === i);
    const e = at(h("div", { class: "", role: "button", tabindex: -1, "data-node": i },
      compact ? [h("div", { class: "r one" }, name), h("div", { class: "r" }, data)] : h("div", { class: "r" }, name, data), h("div", { class: "r g" }, cap, g)), x, y, w, T.card);
    stage.append(e);
    const nameWidth = compact ? 0 : 14 + typedWidth(label, 15);
    const c = { e, i, x, y, w, h: T.card, data, cap, g, room: w - 12 - Math.min(nameWidth, w * .55), extra: `mgn-card ${n.role}${compact ? " compact" : ""}${again ? " twin" : ""} ${extra}` };
    cards.push(c);
    return c;
  }
  const inBox = (box, i, x, y, w) => { const c = card(i, x, y, w, "bare"); box.append(c.e); c.x += box.offset[0]; c.y += box.offset[1]; c.box = box; return c; };
  const neuronHeight = n => T.card + 34 + (n.x == null ? 0 : T.card + 2);
  function neuronCard(n, x, cy, w) {
    const height = neuronHeight(n), y = Math.round(cy - height / 2), box = at(h("div", { class: "mgn-neuron", role: "group" }), x, y, w, height);
    box.offset = [x, y];
    stage.append(box);
    const s = inBox(box, n.s, 3, 3, w - 8), symbol = SYMBOL[n.activation] ?? n.activation, linear = n.x == null;
    const b = h("button", { type: "button", "aria-label": `Open neuron ${n.neuron} of ${V.layerName(n.layer)}` }, h("span", {}, widthOf(symbol, 13) < w - 63 ? symbol : ""), h("span", { class: "o" }, "open"));
    b.onclick = () => V.show({ layer: n.layer, neuron: n.neuron });
    at(b, 4, T.card + 5, w - 11);
    box.append(b);
    const out = linear ? s : inBox(box, n.x, 3, T.card + 32, w - 8);
    boxes.push({ e: box, layer: n.layer, neuron: n.neuron, label: () => box.setAttribute("aria-label", `neuron ${n.neuron} of ${V.layerName(n.layer)}`) });
    boxes.at(-1).label();
    const middle = out.y + T.card / 2;
    anchors.set(linear ? n.s : n.x, { x: x + w, y: middle });
    return { x, y, w, h: height, cy, left: x, spread: cy };
  }
  function dot(i, x, y, r, place) {
    const e = at(h("div", { class: "", role: "button", tabindex: -1, "data-node": i, title: inPicture(nodes[i].name) }), x - r - 2, y - r - 2, 2 * r + 4, 2 * r + 4);
    stage.append(e);
    dots.push({ e, i, x, y, r, place });
    return e;
  }
  const wire = (x0, y0, x1, y1) => { const b = Math.max(8, Math.abs(x1 - x0) * .45); return `M${x0.toFixed(1)} ${y0.toFixed(1)}C${(x0 + b).toFixed(1)} ${y0.toFixed(1)} ${(x1 - b).toFixed(1)} ${y1.toFixed(1)} ${x1.toFixed(1)} ${y1.toFixed(1)}`; };
  function line(x0, y0, x1, y1, what) {
    const d = wire(x0, y0, x1, y1);
    lines.push({ p: S("path", { d }), d, halo: null, hovered: false, dense: false, ...what });
  }
  const edgeTo = (n, i) => [n.s, ...n.parts].flatMap(c => into[c]).find(e => e.p === i); // how an input or a bias enters a neuron

  // ---- columns of the network
  const most = 16, side = n => Math.ceil(Math.sqrt(n));
  function columnOf(count, height, pitchWanted) { // places of many dots: rows, columns, pitch
    const grid = count > 64, rows = grid ? side(count) : Math.min(count, most), columns = Math.ceil(count / rows), pitch = pitchWanted ?? (grid ? 13 : Math.max(15, Math.min(22, (height - 2 * EDGE) / rows)));
    return { rows, columns, pitch, r: Math.min(7, pitch / 2 - 1.2), width: columns * pitch };
  }
  const allWeights = L => L.neurons.length * L.neurons[0].w.length <= 8 && tall(L, true) <= (compact ? 440 : 480);
  const pitchOf = (L, withWeights) => Math.max(neuronHeight(V.neuron(L.number, 1)), withWeights ? (L.neurons[0].w.length + 1) * (T.card + 3) - 3 : 0);
  const tall = (L, withWeights) => L.neurons.length * (pitchOf(L, withWeights) + 12) - 12;
  const insetRows = n => Math.min(n.w.length, n.w.length <= 4 ? 4 : 3);
  const insetHeight = n => (insetRows(n) + (n.b == null ? 0 : 1)) * (T.card + 3) - 3 + (n.w.length > 4 ? 27 : 0);
  function shapeOf(L) {
    const n = L.neurons.length, every = allWeights(L), kind = every || tall(L, false) <= 430 ? "cards" : n <= 8 && T !== LENS_SIZES.tiny ? "slim" : "dots", one = V.neuron(L.number, 1);
    const height = Math.max(kind === "cards" ? tall(L, every) : kind === "slim" ? n * (T.card + 6) : 0, every ? 0 : insetHeight(one), kind === "cards" ? 0 : neuronHeight(one), 0);
    return { L, kind, every, height };
  }
  // The neuron of a layer that is shown as a card, with its weights: the current one, else the picked one.
  function chosen(l) {
    const g = V.groupAt[V.k], picked = V.sel == null ? null : V.placeOf.get(V.sel);
    if (picked?.layer === l) return picked.neuron;
    return !V.isRest(V.k) && g.layer === l ? g.neuron : 0;
  }
  function inputShape(list, height, W) {
    const n = list.length, asCards = n <= 8 && n * (T.card + 5) <= Math.max(height, 380);
    if (asCards) return { cards: true, width: T.input, height: n * (T.card + 5) };
    const c = columnOf(n, height, n > most ? (W < 600 ? 8 : W < 900 ? 13 : 16) : undefined);
    if (n > most) { c.rows = c.columns = side(n); c.columns = Math.ceil(n / c.rows); c.width = c.columns * c.pitch; c.byRow = true; c.r = Math.min(7, c.pitch / 2 - .8); }
    return { ...c, height: c.rows * c.pitch };
  }
  function drawInputs(list, shape, x, H) {
    const from = (i, y, seen = new Set()) => { // also through what is not drawn
      for (const e of into[i]) { const a = anchors.get(e.p); if (a) line(a.x, a.y, x, y, { e }); else if (!seen.has(e.p)) { seen.add(e.p); from(e.p, y, seen); } }
    };
    list.forEach((i, j) => {
      if (shape.cards) {
        const y = Math.round(H * (j + .5) / list.length - T.card / 2);
        from(i, y + T.card / 2);
        card(i, x, y, T.input);
        anchors.set(i, { x: x + T.input, y: y + T.card / 2 });
        return;
      }
      const q = shape.byRow ? [j % shape.columns, Math.floor(j / shape.columns)] : [Math.floor(j / shape.rows), j % shape.rows];
      const px = x + (q[0] + .5) * shape.pitch, py = H / 2 + (q[1] + .5 - Math.min(shape.rows, Math.ceil(list.length / (shape.byRow ? shape.columns : 1))) / 2) * shape.pitch;
      from(i, py);
      dot(i, px, py, shape.r, null);
      anchors.set(i, { x: shape.columns > 1 ? x + shape.width : px + shape.r, y: py });
    });
  }
  function inputLines(n, j, target, placed, dense) { // the lines into one neuron, through its weights where these are shown
    const spread = y => target.cy - (target.cy - y) * .2;
    n.w.forEach((w, i) => {
      const a = anchors.get(n.in[i]), e = edgeTo(n, n.in[i]) ?? edgeTo(n, w), c = placed?.get(w), what = { e, w, n, dense, thin: n.w.length > 6, many: n.w.length > 16 };
      if (!a) return;
      if (!c) { line(a.x, a.y, target.left, dense ? target.cy : spread(a.y), what); return; }
      line(a.x, a.y, c.x, c.y + c.h / 2, what);
      line(c.x + c.w, c.y + c.h / 2, target.left, spread(c.y + c.h / 2), what);
    });
    const c = placed?.get(n.b);
    if (c) line(c.x + c.w, c.y + c.h / 2, target.left, spread(c.y + c.h / 2), { e: edgeTo(n, n.b), w: n.b, n });
  }
  function inset(n, x, H) { // the weights of one neuron: all of a few, else the largest
    const placed = new Map(), rows = insetRows(n), few = rows === n.w.length;
    const order = n.w.map((_, i) => i).sort((a, b) => Math.abs(numberOf(nodes[n.w[b]].text)) - Math.abs(numberOf(nodes[n.w[a]].text)) || a - b);
    let shown = few ? n.w.map((_, i) => i) : order.slice(0, rows);
    const picked = n.w.indexOf(V.sel);
    if (picked >= 0 && !shown.includes(picked)) shown[shown.length - 1] = picked;
    shown.sort((a, b) => a - b);
    let y = Math.round((H - insetHeight(n)) / 2);
    for (const i of shown) { placed.set(n.w[i], card(n.w[i], x, y, T.weight)); y += T.card + 3; }
    if (!few) {
      const b = h("button", { type: "button", class: "mgn-chip", title: "Open the neuron: all of its weights" }, `\u2026 ${n.w.length - rows} more`);
      b.onclick = () => V.show({ layer: n.layer, neuron: n.neuron });
      stage.append(at(b, x, y, T.weight, 24));
      y += 27;
    }
    if (n.b != null) placed.set(n.b, card(n.b, x, y, T.weight));
    return placed;
  }
  function layerParts(shape, H) { // from left to right: gap, width, and what is drawn there
    const { L, kind, every } = shape, l = L.number, all = L.neurons.map((_, j) => V.neuron(l, j + 1)), count = all.length, now = chosen(l), middle = j => H * (j + .5) / count;
    const dense = kind === "dots" || count * all[0].w.length > 60, many = count * all[0].w.length > MOST_LINES;
    let weightX = 0, cardX = 0;
    const placedOf = j => {
      if (!every) return now === j + 1 ? inset(all[j], weightX, H) : null;
      const n = all[j], placed = new Map(), rows = [...n.w, ...(n.b == null ? [] : [n.b])];
      let y = Math.round(middle(j) - (rows.length * (T.card + 3) - 3) / 2);
      for (const i of rows) { placed.set(i, card(i, weightX, y, T.weight)); y += T.card + 3; }
      return placed;
    };
    const parts = [[T.gap, T.weight, x => {
      weightX = x;
      if (many && !now) stage.append(at(h("div", { class: "mgn-note" }, `${(count * all[0].w.length).toLocaleString("en")} weights`), x, H / 2 - 10, T.weight));
    }]];
    if (kind === "cards") parts.push([T.near, T.neuron, x => all.forEach((n, j) => { const placed = placedOf(j); inputLines(n, j, neuronCard(n, x, middle(j), T.neuron), placed, dense && !placed); })]);
    else {
      const slim = kind === "slim", c = slim ? { rows: count, columns: 1, pitch: Math.min(H / count, T.card + 16), width: T.input } : columnOf(count, H);
      parts.push([T.near, T.neuron, x => { cardX = x; }], [10, c.width, x => all.forEach((n, j) => {
        const i = n.x ?? n.s, row = j % c.rows, rows = Math.min(c.rows, count), cy = H / 2 + (row + .5 - rows / 2) * c.pitch, px = x + (Math.floor(j / c.rows) + .5) * c.pitch, place = { layer: l, neuron: j + 1 };
        let target = { left: slim ? x : px - c.r, cy };
        const placed = placedOf(j);
        if (now === j + 1) {
          const detail = neuronCard(n, cardX, H / 2, T.neuron);
          line(cardX + T.neuron, H / 2, target.left, cy, { out: i, n, link: true });
          target = { left: detail.left, cy: H / 2 };
        }
        if (!many || now === j + 1) inputLines(n, j, target, placed, dense && !placed);
        if (slim) { card(i, x, Math.round(cy - T.card / 2), c.width).place = place; anchors.set(i, { x: x + c.width, y: cy }); }
        else { dot(i, px, cy, c.r, place); anchors.set(i, { x: x + c.width, y: cy }); }
      })]);
    }
    return parts;
  }
  const lossRows = () => { const term = V.term(); return !term ? 0 : term.p ? term.p.length > 6 ? 5 : term.p.length : term.target != null ? 1 : 0; };
  const lossCells = () => { const term = V.term(); return term && term.node !== root ? 2 : 1; };
  const lossHeight = () => lossCells() * (T.card + 2) + 14 + lossRows() * 28;
  function lossCard(x, H, w) {
    const height = lossHeight(), y = Math.round((H - height) / 2), term = V.term(), box = at(h("div", { class: "mgn-neuron loss", role: "group", "aria-label": "loss" }), x, y, w, height);
    box.offset = [x, y];
    stage.append(box);
    boxes.push({ e: box, loss: true });
    let top = 4;
    for (const i of lossCells() === 2 ? [term.node, root] : [root]) { inBox(box, i, 4, top, w - 11); top += T.card + 2; }
    top += 4; // the ring around a card
    if (term?.p) {
      const order = term.p.map((_, j) => j), list = order.length <= 6 ? order : [term.right, ...order.filter(j => j !== term.right).sort((a, b) => numberOf(term.p[b]) - numberOf(term.p[a])).slice(0, 3)].sort((a, b) => a - b);
      for (const j of list) {
        const bar = h("i"), v = h("span"), e = at(h("div", { class: `mgn-prob${j === term.right ? " right" : ""}`, title: `${minus(term.name)}; p${j + 1} = ${term.p[j]}` }, h("span", {}, typed(`p${lowered(j + 1)}`), j === term.right ? " \u2713" : ""), v, bar), 8, top);
        box.append(e); probabilities.push({ v, bar, term, j, node: term.node, room: w - 62 }); top += 28;
      }
      if (list.length < order.length) box.append(at(h("div", { class: "mgn-prob none" }, `\u2026 ${order.length - list.length} more`), 8, top));
    } else if (term?.target != null) box.append(at(h("div", { class: "mgn-prob none", title: minus(term.name) }, h("span", {}, "target"), h("span", {}, minus(term.target))), 8, top));
    const inside = new Set(V.after()), outs = V.reads();
    outs.forEach((i, j) => { const a = anchors.get(i), e = outOf[i].find(q => inside.has(q.c)) ?? outOf[i][0]; if (a) line(a.x, a.y, x, H / 2 + (j - (outs.length - 1) / 2) * Math.min(22, height / (outs.length + 1)), { e, loss: true, dense: outs.length > 8 }); });
  }
  // Draws parts from left to right if they fit; the gaps share what is left over.
  function row(parts, W, H) {
    const need = parts.reduce((sum, [gap, w]) => sum + gap + w, 0), wideGaps = parts.reduce((sum, [gap]) => sum + (gap > 10 ? gap : 0), 0), left = Math.max(0, W - 2 * EDGE - need);
    const grow = wideGaps ? Math.min(left, wideGaps * 3.4) / wideGaps : 0;
    let x = (W - need - grow * wideGaps) / 2;
    for (const [gap, w, draw] of parts) { x += gap + (gap > 10 ? gap * grow : 0); draw(Math.round(x)); x += w; }
    stage.style.height = `${H}px`;
  }
  function fits(parts, W) { return parts.reduce((sum, [gap, w]) => sum + gap + w, 0) <= W - 2 * EDGE; }
  function network(W, layers, loss) {
    const shapes = layers.map(shapeOf), source = layers.length > 1 || layers === net.layers ? V.inputs() : [...new Set(layers[0].neurons.flatMap((_, j) => V.neuron(layers[0].number, j + 1).in))];
    const H0 = Math.max(compact ? 220 : 250, ...shapes.map(s => s.height), loss ? lossHeight() : 0, ...shapes.map(s => s.kind === "dots" ? Math.min(most, s.L.neurons.length) * 20 : 0));
    const shape = inputShape(source, H0, W), H = Math.max(H0, shape.height ?? 0) + 2 * EDGE, before = loss && layers[0].number === 1 ? net.before.slice(0, 6) : [];
    const between = s => { // what is computed between two layers stands in a column of its own
      const one = V.neuron(s.L.number, 1), last = s.L.number > 1 ? net.layers[s.L.number - 2].neurons.map((_, j) => { const n = V.neuron(s.L.number - 1, j + 1); return n.x ?? n.s; }) : V.inputs(), list = one.in.filter(i => !last.includes(i) && !source.includes(i));
      if (!list.length) return [];
      const c = inputShape(list, H, W);
      return [[T.gap, c.width, x => drawInputs(list, c, x, H)]];
    };
    return { H, parts: [
      ...(before.length ? [[0, T.input, x => before.forEach((i, j) => { const y = Math.round(H * (j + .5) / before.length - T.card / 2); card(i, x, y, T.input); anchors.set(i, { x: x + T.input, y: y + T.card / 2 }); })], [T.gap, shape.width, x => drawInputs(source, shape, x, H)]] : [[0, shape.width, x => drawInputs(source, shape, x, H)]]),
      ...shapes.flatMap(s => [...between(s), ...layerParts(s, H)]), ...(loss ? [[T.gap, T.loss, x => lossCard(x, H, T.loss)]] : [])] };
  }

  // ---- the loss: outputs, what is computed of them, and ℓ
  function lossPicture(W) {
    const s = V.steps[V.k], lone = V.groupAt[V.k].kind === "operation"; // one operation outside of network and loss
    const outs = lone ? into[s.n].map(e => e.p) : V.reads(), after = lone ? [s.n] : V.after().filter(i => i !== root && i !== V.term()?.node), depth = new Map();
    const level = i => { if (!depth.has(i)) { depth.set(i, 0); depth.set(i, 1 + Math.max(0, ...into[i].filter(e => after.includes(e.p)).map(e => level(e.p)))); } return depth.get(i); };
    after.forEach(level);
    const current = new Set([s.n, s.p]), pickSix = (list, n) => list.length <= n ? list : [...list.filter(i => current.has(i)), ...list.filter(i => !current.has(i))].slice(0, n - 1).sort((a, b) => list.indexOf(a) - list.indexOf(b));
    const all = [...new Set(after.map(i => depth.get(i)))].sort((a, b) => a - b).map(d => after.filter(i => depth.get(i) === d));
    const columns = [outs, ...all].map(list => ({ list: pickSix(list, 6), left: list.length - pickSix(list, 6).length }));
    const w = compact ? 92 : 124, tall = c => c.list.length * (T.card + 26) + (c.left ? 24 : 0), fit = lone ? 2 : Math.max(1, Math.floor((W - 2 * EDGE - T.loss - T.gap) / (w + T.gap)));
    while (columns.length > fit && columns.length > 1) columns.splice(columns.findIndex((c, j) => j > 0 || columns.length === 2), 1);
    const H = Math.max(220, lossHeight() + 64, ...columns.map(tall)) + 2 * EDGE;
    const parts = columns.map((c, q) => [q ? T.gap : 0, w, x => {
      let y = (H - tall(c)) / 2;
      for (const i of c.list) { card(i, x, Math.round(y), w); anchors.set(i, { x: x + w, y: y + T.card / 2 }); for (const e of q ? into[i] : []) { const a = anchors.get(e.p); if (a && a.x < x) line(a.x, a.y, x, y + T.card / 2, { e }); } y += T.card + 26; }
      if (c.left) stage.append(at(h("div", { class: "mgn-note" }, `\u2026 ${c.left} more`), x, y, w));
    }]);
    if (!lone) parts.push([T.gap, T.loss, x => {
      const drawn = new Set(lines); lossCard(x, H, T.loss);
      lines = lines.filter(q => drawn.has(q)); // here the lines into the loss come from what is computed of the outputs
      const ends = new Set([root, V.term()?.node]);
      for (const i of columns.flatMap(c => c.list)) for (const e of outOf[i]) if (ends.has(e.c)) { const a = anchors.get(i); line(a.x, a.y, x, H / 2, { e }); }
    }]);
    return { H, parts };
  }

  // ---- an open neuron: rows of w × x, their sum, the activation
  function openRows(n) { // which inputs are shown
    if (n.w.length <= 8) return n.w.map((_, i) => i);
    const s = V.steps[V.k], product = i => Math.abs(numberOf(nodes[n.w[i]].text) * numberOf(nodes[n.in[i]].text)), order = n.w.map((_, i) => i).sort((a, b) => product(b) - product(a) || a - b), list = order.slice(0, 6);
    const here = [s.p, s.n, V.sel].map(i => Math.max(n.w.indexOf(i), n.in.indexOf(i), n.parts.length ? n.w.findIndex((w, q) => productOf(n, q) === i) : -1)).find(i => i >= 0 && !list.includes(i));
    list.push(here ?? order[6]);
    return list.sort((a, b) => a - b);
  }
  const productOf = (n, i) => n.parts.find(p => into[p].some(e => e.p === n.w[i]));
  const soFarOf = (n, i) => { const p = productOf(n, i); return p == null ? null : n.parts.find(q => q !== p && into[q].some(e => e.p === p)); };
  function neuronPicture(n, W, narrow) {
    const rows = openRows(n), folds = rows.length < n.w.length, atomic = n.parts.length > 0, roomy = rows.length <= 4, pitch = T.card + (roomy ? 28 : 6), more = folds ? 30 : 0;
    const tail = [n.s, ...(n.x == null ? [] : [n.x])], symbol = SYMBOL[n.activation] ?? n.activation, users = narrow ? [] : (V.gives[tail.at(-1)] ?? []).filter(j => V.steps[j].k === "chain");
    const stubWide = users.length && !compact && W > 880 ? 96 : 0, sums = atomic && !narrow && rows.some(i => soFarOf(n, i) != null), base = narrow ? Math.min(116, Math.floor((W - 16 - 2 * 18) / 3)) : T.row, product = narrow ? base : T.product, op = narrow ? 18 : T.op;
    const opWide = i => i === 0 ? 30 : Math.max(30, Math.round(widthOf(symbol, 15)) + 16);
    const tailWide = tail.reduce((sum, _, i) => sum + T.tail + opWide(i), 0), fixed = 2 * (base + op) + product + (sums ? product + op : 0) + tailWide + stubWide, gaps = 2 * tail.length + (stubWide ? 1 : 0);
    const gap = Math.max(6, Math.min(46, (W - 2 * 8 - fixed) / gaps)), rowsHigh = rows.length * pitch + more + (n.b == null ? 0 : T.card + (roomy ? 28 : 0));
    if (!narrow && fixed + gaps * 7 > W - 2 * 8) return null;
    const low = 10 + rowsHigh + (roomy ? 6 : 34) + T.card / 2, H = narrow ? low + T.card / 2 + 34 : Math.max(compact ? 300 : 290, rowsHigh + (roomy ? 20 : 48)), x0 = narrow ? 8 : Math.round(Math.max(8, (W - fixed - gap * gaps) / 2));
    return { H, draw() {
      const sign = (text, x, y, w) => { const e = at(h("span", { class: "mgn-sign", "aria-hidden": "true" }, text), x, y + T.card / 2 - 11, w); stage.append(e); return e; }, px = x0 + 2 * (base + op), ends = [];
      let y = Math.round(narrow ? 10 : (H - rowsHigh) / 2 + (roomy ? 8 : -14));
      rows.forEach(i => {
        const w = card(n.w[i], x0, y, base), p = productOf(n, i), so = sums ? soFarOf(n, i) : null;
        sign("\u00d7", x0 + base, y, op); card(n.in[i], x0 + base + op, y, base); const equals = sign("=", px - op, y, op);
        if (p != null) card(p, px, y, product, "", "w \u00b7 x");
        else { const v = h("span", { class: "num" }), e = at(h("div", { class: "mgn-card flat", title: "part of the weighted sum: no value of its own" }, h("div", { class: "r" }, product > 96 ? h("span", { class: "cap" }, "w \u00b7 x") : null, v)), px, y + T.card / 2 - 14, product, 28); stage.append(e); flats.push({ e, v, w: n.w[i], x: n.in[i], room: product - (product > 96 ? 44 : 12), row: [n.w[i], n.in[i]], dense: !roomy, place: { x: px - op, cy: y + T.card / 2, w: product + op, equals } }); }
        let end = px + product;
        if (so != null) { line(end, y + T.card / 2, end + op, y + T.card / 2, { e: into[so].find(e => e.p === p), n }); card(so, end + op, y, product, "", "so far"); end += op + product; }
        else if (sums) { line(end, y + T.card / 2, end + op, y + T.card / 2, { e: p == null ? null : outOf[p][0], n }); end += op + product; line(px + product + op, y + T.card / 2, end, y + T.card / 2, { e: p == null ? null : outOf[p][0], n }); }
        ends.push({ x: end, y: y + T.card / 2, e: so != null ? outOf[so][0] : p != null ? outOf[p][0] : edgeTo(n, n.in[i]), w: n.w[i], out: null, i: n.in[i] });
        y += pitch;
      });
      if (folds) {
        const rest = n.w.map((_, i) => i).filter(i => !rows.includes(i)), sum = rest.reduce((total, i) => total + numberOf(nodes[n.w[i]].text) * numberOf(nodes[n.in[i]].text), 0);
        stage.append(at(h("div", { class: "mgn-note more" }, `\u2026 ${rest.length} more, together \u2248 ${minus(numberText(sum))}`), x0, y - 1, px + product - x0));
        ends.push({ x: px + product, y: y + 10, e: null });
        y += more;
      }
      if (n.b != null) { const c = card(n.b, px, y, product); ends.push({ x: px + product, y: y + T.card / 2, e: edgeTo(n, n.b), w: n.b, i: n.b }); c.bias = true; }
      let x = px + product + (sums ? product + op : 0), cy = narrow ? low : H / 2;
      if (narrow) x = Math.max(8, W - 8 - tailWide - gap * gaps);
      tail.forEach((i, q) => {
        const ow = opWide(q), ox = narrow && q === 0 ? x : x + gap, nx = ox + ow + gap;
        if (q === 0 && !narrow) rowsEnd = ox - 3;
        stage.append(at(h("span", { class: "mgn-op", "aria-hidden": "true" }, q === 0 ? "\u03a3" : symbol), ox, cy - 15, ow, 30));
        if (q === 0) ends.forEach((end, j) => { if (narrow) return; line(end.x, end.y, ox, cy + Math.max(-12, Math.min(12, (j - (ends.length - 1) / 2) * 5)), { ...end, n, into: true }); });
        else line(x, cy, ox, cy, { e: into[i][0], n });
        line(ox + ow, cy, nx, cy, { out: i, n });
        const c = card(i, nx, cy - T.card / 2, T.tail);
        x = nx + T.tail;
      });
      if (stubWide) {
        const seen = users.filter(j => V.steps[j].turn === Math.max(1, V.steps[V.k].turn)), list = seen.length <= 4 ? seen : [...seen].sort((a, b) => Math.abs(numberOf(V.steps[b].con)) - Math.abs(numberOf(V.steps[a].con))).slice(0, 3);
        if (list.length < seen.length && seen.includes(V.k) && !list.includes(V.k)) list[2] = V.k;
        list.sort((a, b) => a - b);
        list.forEach((j, q) => {
          const sy = cy + (q - (list.length - 1) / 2) * 56, ex = x + gap, e = at(h("div", { class: "mgn-stub", title: nodes[V.steps[j].n].name }), ex + 6, sy - 18, 88);
          line(x, cy, ex, sy, { e: V.edges[V.steps[j].e], n });
          stage.append(e); stubs.push({ e, j });
        });
        if (seen.length > list.length) stage.append(at(h("div", { class: "mgn-note" }, `\u2026 ${seen.length - list.length} more`), x + gap + 6, cy + list.length * 28 + 2, 88));
      }
    } };
  }

  // ---- which picture, in which size
  function build(W) {
    cards = []; lines = []; boxes = []; dots = []; probabilities = []; flats = []; stubs = []; anchors = new Map(); tag = null; rowsEnd = 0; single = false;
    const active = stage.getRootNode().activeElement, focused = stage.contains(active) ? active.dataset.node ?? active.getAttribute("aria-label") : null;
    stage.replaceChildren(svg);
    for (const g of [gAll, gHalo, gLit]) g.replaceChildren();
    const sizes = W < 330 ? ["compact", "tiny"] : ["full", "compact", "tiny"], use = name => { compact = name !== "full"; T = LENS_SIZES[name]; };
    let plan = null;
    if (V.open && !V.open.loss) {
      const n = V.neuron(V.open.layer, V.open.neuron);
      for (const name of ["full", "compact"]) { use(name); if ((plan = neuronPicture(n, W, false))) break; }
      if (!plan) { use(W < 345 ? "tiny" : "full"); plan = neuronPicture(n, W, true); }
      stage.style.height = `${plan.H}px`; plan.draw();
    } else if (V.open) {
      for (const name of sizes) { use(name); plan = lossPicture(W); if (fits(plan.parts, W)) break; }
      row(plan.parts, W, plan.H);
    } else {
      for (const name of ["full", "compact"]) { use(name); plan = network(W, net.layers, true); if (fits(plan.parts, W) && (compact || plan.H <= 470)) break; plan = null; }
      if (!plan) {
        single = true;
        const page = V.pageNow();
        for (const name of sizes) { use(name); plan = page === "loss" ? lossPicture(W) : network(W, [net.layers[page - 1]], false); if (fits(plan.parts, W)) break; }
      }
      row(plan.parts, W, plan.H);
    }
    gAll.append(...lines.map(q => q.p));
    if (focused != null) (stage.querySelector(`[data-node="${CSS.escape(focused)}"]`) ?? stage.querySelector(`[aria-label="${CSS.escape(focused)}"]`) ?? cards[0]?.e)?.focus({ preventScroll: true });
  }

  // ---- painting: texts, classes and colours
  let built = "";
  function paint() {
    const W = V.paneWidth, s = V.steps[V.k], g = V.groupAt[V.k];
    const layers = V.open ? `${s.n}|${s.p}` : net.layers.map(L => chosen(L.number)).join();
    const key = [W, V.sample, JSON.stringify(V.open), layers, V.open || W < 1500 ? V.pageNow() : "", V.sel == null ? "" : V.sel].join("|");
    if (key !== built) { built = key; build(W); }
    stage.setAttribute("aria-label", V.open ? V.open.loss ? "The loss" : `Neuron ${V.open.neuron} of ${V.layerName(V.open.layer)}` : D.net.title);
    const inGroup = V.open ? [s] : V.isRest(V.k) ? [] : V.steps.slice(g.steps[0], Math.min(g.steps[1], V.k) + 1), giving = new Set(inGroup.filter(q => q.k === "chain").map(q => q.n)), taking = new Set(inGroup.map(q => q.k === "chain" ? q.p : q.n));
    const back = V.back();
    let tab = null;
    for (const c of cards) {
      const { i } = c, n = nodes[i], known = V.known(i), q = V.grad(i), text = q ? minus(q.text) + (q.correct ? "!" : "") : "\u2013", asked = q?.text === "?", part = q && !asked && !q.held && q.got < q.of, to = (V.open || g.kind === "operation") && taking.has(i), from = V.open && giving.has(i);
      put(c.e, "class", `${c.extra}${i === root ? " root" : ""}${q && !asked ? part ? " part" : "" : " wait"}${to ? " to" : from ? " from" : ""}${V.sel === i ? " sel" : ""}`);
      put(c.e, "title", [n.name, `= ${minus(n.full)}`, V.code(i)].filter(t => t).join("  "));
      put(c.data, "text", known ? fitted(n.text, compact ? c.w - 12 : c.room, compact ? 13.5 : 14) : "\u2013");
      put(c.data, "class", `num d${!known ? " off" : /!$/.test(n.text) ? " bad" : ""}`);
      const cap = part ? `${q.got}/${q.of}` : "grad", capped = !compact && widthOf(cap, 12) + widthOf(text, 13.5) + 18 < c.w;
      put(c.cap, "text", capped || (part && compact && widthOf(cap, 12) + widthOf(text, 13) + 14 < c.w) ? cap : "");
      put(c.g, "text", q ? fitted(q.text, c.w - 14, 13.5) + (q.correct ? "!" : "") : "\u2013");
      put(c.g, "class", `num${q && (q.correct || /!$/.test(q.text)) ? " bad" : ""}`);
      put(c.g.parentElement, "--background", q ? tint(q.correct || /!$/.test(q.text) ? 2 : q.t) : "");
      const state = asked ? "asked for" : q ? `${minus(q.text)}${q.held ? ", left over" : part ? `, ${q.got} of ${q.of} contributions` : ", final"}${q.correct ? `, ${minus(q.correct)} would be correct` : ""}` : "none yet";
      put(c.e, "aria-label", `${spoken(V.called(i, inPicture))}, ${known ? minus(n.text) : "not computed yet"}, gradient ${state}`);
      if (tab == null && (V.sel === i || to)) tab = c;
    }
    tab ??= cards[0];
    for (const c of cards) put(c.e, "tabindex", c === tab ? "0" : "-1");
    for (const b of boxes) put(b.e, "class", `mgn-neuron${b.loss ? " loss" : ""}${!V.open && !V.isRest(V.k) && (b.loss ? !g.layer && g.kind !== "operation" && g.kind !== "update" : b.layer === g.layer && b.neuron === g.neuron) ? " on" : ""}`);
    for (const d of dots) {
      const q = V.grad(d.i), known = V.known(d.i), value = known ? numberOf(nodes[d.i].text) : 0, now = d.place && !V.isRest(V.k) && d.place.layer === g.layer && d.place.neuron === g.neuron;
      put(d.e, "class", `mgn-dot${now ? " on" : ""}${V.sel === d.i ? " sel" : ""}${known ? "" : " off"}`);
      put(d.e, "--background", back && q ? tint(q.t) : !back && known ? tint(Math.max(-1, Math.min(1, value))) : "");
      put(d.e, "aria-label", `${spoken(inPicture(nodes[d.i].name))}, ${known ? minus(nodes[d.i].text) : "not computed yet"}, gradient ${q ? minus(q.text) : "none yet"}`);
    }
    for (const { v, bar, term, j, node, room } of probabilities) { const known = V.known(node), text = term.p[j]; put(v, "text", known ? fitted(text, room, 13) : "\u2013"); put(bar, "--width", known ? `${100 * Math.max(0, Math.min(1, numberOf(text)))}%` : "0"); }
    for (const f of flats) { const known = V.known(f.x); put(f.v, "text", known ? fitted(numberText(numberOf(nodes[f.w].text) * numberOf(nodes[f.x].text)), f.room, 14) : "\u2013"); }
    for (const { e, j } of stubs) {
      const q = V.steps[j], done = j <= V.k;
      e.replaceChildren(h("span", {}, back ? "from " : "to ", ...typed(shortName(V.called(q.n, inPicture), 54, 13))), h("span", { class: done ? signOf(q.con) : null }, done ? minus(q.con) : back ? "not yet" : ""));
      put(e, "class", `mgn-stub${j === V.k ? " cur" : ""}`);
    }
    paintLines(inGroup, s, back);
    paintTag(s);
    light(V.hover ?? V.sel);
  }
  function paintLines(inGroup, s, back) {
    const edges = new Set(inGroup.filter(q => q.k === "chain").map(q => q.e)), sums = new Set(inGroup.filter(q => q.k === "forward").map(q => q.n)), weights = new Set(inGroup.filter(q => q.k === "chain").map(q => q.p));
    for (const q of lines) {
      let t = null;
      if (q.link || q.out != null) { const g = back ? V.grad(q.out) : null; t = g ? g.t : null; }
      else if (back) { const step = V.passed(q.e); t = step ? step.tc : null; }
      else if (q.w != null && !V.open) t = size(numberOf(nodes[q.w].text));
      const lit = q.loss ? inGroup.some(p => p.k !== "forward" ? p.p === q.e?.p : V.after().includes(p.n) || p.n === root) : q.link || (q.out != null) ? false
        : back ? V.open ? q.e?.at === s.e || (q.w === s.p && q.w != null && q.n?.s === s.n) : edges.has(q.e?.at) || (weights.has(q.w) && inGroup.some(p => p.n === q.n?.s)) : sums.has(q.n?.s) && (q.e == null || q.n.parts.includes(q.e.c) || q.e.c === q.n.s) || (V.open && q.e && sums.has(q.e.c));
      put(q.p, "--stroke", t == null ? "" : `var(--${hue(t)})`);
      put(q.p, "--strokeWidth", t == null ? "" : (q.dense && !lit ? .6 + 1.6 * Math.min(1, Math.abs(t)) : 1.2 + (q.dense || q.thin ? 2.4 : 4.2) * Math.min(1, Math.abs(t))).toFixed(1));
      put(q.p, "--strokeDasharray", t === 0 ? "5 4" : "");
      put(q.p, "class", `mgn-edge${q.dense && !lit ? " faint" : ""}${q.hovered ? " hover" : ""}`);
      if (lit !== !!q.lit) {
        q.lit = lit;
        q.halo ??= S("path", { class: "mgn-halo", d: q.d });
        if (lit) { if (!q.many) put(q.halo, "--strokeWidth", q.dense || q.thin ? "6" : "12"); if (!q.many) gHalo.append(q.halo); gLit.append(q.p); } else { q.halo.remove(); gAll.append(q.p); }
      }
    }
  }
  function paintTag(s) { // the arithmetic of this step, below the value that it gives to
    tag?.remove(); tag = null;
    for (const f of flats) f.e.style.visibility = f.place.equals.style.visibility = "";
    if (!V.open || s.k === "seed" || s.asked) return;
    const text = minus(s.k === "chain" ? s.sum || `${s.up} \u00d7 ${inParens(s.loc)} ${s.equals || "="} ${s.con}` : s.up.length < 26 && V.placeOf.get(s.n) && s.n === V.neuron(V.open.layer, V.open.neuron)?.x ? `${s.up.replace("sigmoid", "\u03c3")} ${s.loc} ${s.after}` : "");
    const i = s.k === "chain" ? s.p : s.n, c = cards.find(q => q.i === i);
    if (!text || !c) return;
    const limit = V.paneWidth - 4, flat = flats.find(f => f.dense && f.row.includes(i)), right = rowsEnd && c.x < rowsEnd ? rowsEnd : limit;
    let w = Math.ceil(widthOf(text, 13) + 14);
    tag = h("div", { class: "mgn-tag", "aria-hidden": "true" }, text.replace(/([\u00d7=\u2248+\u2212]) /g, "$1\u00a0"));
    if (flat) { // between close rows it takes the place of the product
      flat.e.style.visibility = flat.place.equals.style.visibility = "hidden";
      const one = w <= right - flat.place.x;
      w = one ? w : flat.place.w - 2;
      at(tag, flat.place.x + 2, flat.place.cy - (one ? 11 : T.card / 2), 0, one ? 0 : T.card);
      tag.classList.toggle("lines", !one);
    } else {
      const r = c.box && c.i === root | c.i === V.term()?.node ? c.box.offset[1] + parseFloat(c.box.style.height) : c.y + c.h;
      w = Math.min(w, right - 4);
      at(tag, Math.max(4, Math.min(right - w, c.x + c.w / 2 - w / 2)), r + 5);
    }
    tag.style.width = `${w}px`;
    stage.append(tag);
  }
  function light(i) { for (const q of lines) { const yes = i != null && q.w === i; if (yes !== q.hovered) q.p.classList.toggle("hover", q.hovered = yes); } }

  // ---- mouse and focus
  const valueOf = e => { const c = e.target.closest?.("[data-node]"); return c && stage.contains(c) ? +c.dataset.node : null; };
  on(stage, "click", e => { const i = valueOf(e); if (i != null && !e.target.closest("button, input")) V.select(V.sel === i ? null : i); });
  on(stage, "pointerover", e => { if (e.pointerType === "mouse") V.light(valueOf(e)); });
  on(stage, "pointerleave", () => V.light(null));
  // Where the cards are, and in each the number: its right end, its middle, its room to the left.
  const spots = () => cards.map(c => {
    const text = c.data.textContent, size = compact ? 13.5 : 14;
    return { i: c.i, e: c.e, x: c.x, y: c.y, w: c.w, h: c.h, top: compact ? 40 : 23, right: c.x + c.w - 6, middle: c.y + (compact ? 32 : 12), text, size, free: (compact ? c.w - 12 : c.room) - widthOf(text, size) };
  });
  const cardOf = i => cards.find(c => c.i === i) ?? null;
  return {
    stage, over, paint, light, cardOf, spots,
    pages: () => single,
    order: () => [...new Set([...cards.map(c => c.i), ...dots.map(d => d.i)])],
    focusValue(i) { (cardOf(i)?.e ?? dots.find(d => d.i === i)?.e)?.focus({ preventScroll: true }); },
    focus(place, was) {
      if (place) { (stage.querySelector('[tabindex="0"]') ?? stage.querySelector("[data-node]"))?.focus({ preventScroll: true }); return; }
      (was && boxes.find(b => b.layer === was.layer && b.neuron === was.neuron)?.e.querySelector("button") || stage.querySelector('[tabindex="0"]'))?.focus({ preventScroll: true });
    },
  };
}
