// The graph of a walk as it is drawn: where everything stands, and the card of a value.

// A long horizontal line bends below the cards between its ends.
const hang = (x0, y0, x1, y1) => x1 - x0 > 180 && Math.abs(y1 - y0) < 60 ? 100 : 0;
const bendOf = (x0, x1) => Math.max(24, Math.abs(x1 - x0) * .4);
function curve(x0, y0, x1, y1) {
  const bend = bendOf(x0, x1), low = hang(x0, y0, x1, y1);
  return `M${x0} ${y0}C${x0 + bend} ${y0 + low} ${x1 - bend} ${y1 + low} ${x1} ${y1}`;
}
// Where a text stands beside the middle of such a curve: on its outer side, right of a steep one.
function besideCurve(x0, y0, x1, y1, text) {
  const run = Math.max(1, x1 - x0 - bendOf(x0, x1)), rise = y1 - y0, length = Math.hypot(run, rise);
  const right = Math.abs(rise) / length, down = (rise < 0 ? run : -run) / length, away = right * (widthOf(text, 13) / 2 + 6) + Math.abs(down) * 14;
  return [(x0 + x1) / 2 + right * away, (y0 + y1) / 2 + .75 * hang(x0, y0, x1, y1) + down * away + 4];
}

function decoded(data, narrow = false) {
  const [D, text] = unpacked(data);
  if (narrow && D.narrow) { // the places for a narrower page
    D.nodes.forEach((n, i) => { [n.x, n.y, n.ox, n.oy, n.d] = n.sym ? D.narrow.nodes[i] : D.narrow.nodes[i].slice(0, 2); });
    D.edges.forEach((e, j) => e.splice(3, 4, ...D.narrow.edges[j]));
    [D.size, D.box] = [D.narrow.size, D.narrow.box];
  }
  const [W] = D.box;
  D.paths = D.paths?.map(([rows, count, total]) => ({ rows: rows.map(([way, factors, product, edges]) => ({ way: text(way), factors: text(factors), product: text(product), edges })), count: text(count), total: text(total) }));
  D.edges = D.edges.map(([p, c, arg, d, lx, ly, lean]) => {
    const a = D.nodes[p], b = D.nodes[c], x0 = a.x + W / 2, x1 = b.ox - b.ow / 2, label = () => `\u2202 ${b.loc[arg]}`, first = label();
    return { p, c, arg, d: d ?? curve(x0, a.y, x1, b.oy),
      // A number that is pulled may get longer: away from the line.
      get l() { return d ? [lx + lean * (widthOf(label(), 13) - widthOf(first, 13)) / 2, ly] : besideCurve(x0, a.y, x1, b.oy, label()); } };
  });
  return D;
}

// ---- cards

// Writes a number as large as there is room for. Its caption gives way to a long one.
function writeNumber(text, caption, words, W) {
  const room = W - 16, beside = room - 32, width = size => widthOf(words, size) * (/!$/.test(words) ? 1.09 : 1);
  const [size, place] = [...(caption ? [[14, beside], [12.5, beside]] : []), [14, room], [13, room], [12, room]].find(([size, place]) => width(size) <= place) ?? [12, room];
  put(text, "text", words);
  put(text, "--fontSize", size === 14 ? "" : `${size}px`);
  put(text, "textLength", width(size) > place ? room : null);
  put(text, "lengthAdjust", width(size) > place ? "spacingAndGlyphs" : null);
  if (caption) put(caption, "visibility", place === room ? "hidden" : "visible");
}

// Makes the card of a value: name, data, gradient. `due` is how many contributions it gets.
function cardOf(n, [W, H], due) {
  const name = minus(n.name), corner = Math.max(20, due > 1 ? widthOf(`${due}/${due}`, 12) + 5 : 0), middle = widthOf(name, 15) <= W - 12 - 2 * corner, room = W - 14 - corner;
  const size = [15, 13.5].find(size => widthOf(name, size) <= room) ?? 12.5, captions = W > 100;
  n.card = S("text", { class: "name", x: middle ? W / 2 : 10, y: 18.5 }, brief(name, room, size));
  n.card.style.fontSize = middle ? "" : `${size}px`; n.card.style.textAnchor = middle ? "" : "start";
  n.g = S("g", { transform: `translate(${n.x - W / 2} ${n.y - H / 2})`, role: "button", tabindex: -1 },
    S("rect", { class: "ring", x: -5, y: -5, width: W + 10, height: H + 10, rx: 13 }), S("rect", { class: "box", width: W, height: H, rx: 9 }),
    S("rect", { class: "head", x: 4, y: 4, width: W - 8, height: 19, rx: 6 }), n.card,
    n.badge = S("text", { class: "badge", x: W - 8, y: 18 }), n.tick = S("path", { class: "tick", d: `M${W - 19} 13.5l4 4 7-8`, visibility: "hidden" }),
    n.dC = captions ? S("text", { class: "cap", x: 10, y: 37 }, "data") : null, n.dT = S("text", { class: "num d", x: W - 8, y: 37 }),
    n.chip = S("rect", { class: "chip", x: 4, y: 42, width: W - 8, height: 18, rx: 6 }), n.gC = captions ? S("text", { class: "cap g", x: 10, y: 55.5 }, "grad") : null, n.gT = S("text", { class: "num g", x: W - 8, y: 56 }),
    n.title = S("title"), n.sym ? null : S("rect", { class: "grip", x: 0, y: 0, width: W, height: 41 }));
  return n.g;
}

// The arithmetic of a step as lines that are at most so wide, if they can be.
function arithmeticLines(text, room) {
  const whole = minus(text);
  return widthOf(whole, 13) + 12 <= room ? [whole] : whole.split(/ (?=[=\u2248\u2192] )/);
}
