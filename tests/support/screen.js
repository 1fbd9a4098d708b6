// Measures a page of the stepper, or of a network, as a reader sees it.
{
// What is wrong with it: a list of [kind, what]. An element counts as far as it is visible.
// `places`: more than the colours, which alone depend on the theme.
faults(places) {
  const faults = [], app = document.querySelector(".mgs"), pane = document.querySelector(".mgs-view, .mgn-view");
  const fault = (kind, ...what) => faults.push([kind, what.join(" ").replace(/\s+/g, " ")]);
  const box = e => e.getBoundingClientRect();
  const shown = e => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && box(e).width > 0;
  const named = e => `${e.tagName.toLowerCase()}.${[...e.classList].join(".")} \u201c${e.textContent.trim().slice(0, 40)}\u201d`;
  const all = selector => [...app.querySelectorAll(selector)].filter(shown);
  const meet = (a, b, by = 1) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > by && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > by;
  const within = (a, b, by = 1) => a.left >= b.left - by && a.right <= b.right + by && a.top >= b.top - by && a.bottom <= b.bottom + by;
  const frame = box(pane), seen = e => meet(box(e), frame, 2);

  const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const written = all("*").filter(e => e.namespaceURI === "http://www.w3.org/1999/xhtml" && own(e) && parseFloat(getComputedStyle(e).fontSize) && !e.closest("[hidden], option"));
  if (places) {
    // ---- nothing is wider than its place
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) fault("sideways", `${wide} px`);
    for (const e of all("*")) {
      if (e.namespaceURI !== "http://www.w3.org/1999/xhtml" || e.matches("select, input")) continue;
      const style = getComputedStyle(e);
      if (style.display === "inline" || e.scrollWidth <= e.clientWidth + 1 || e.clientWidth === 0) continue;
      const scrolls = /auto|scroll/.test(style.overflowX) && e.offsetHeight - e.clientHeight > 2;
      if (!scrolls) fault("cut", named(e), e.scrollWidth, "in", e.clientWidth);
    }

    // ---- no short word is broken
    for (const e of all(".mgs-tile > span")) for (const text of [...e.childNodes].filter(n => n.nodeType === 3)) for (const word of text.data.matchAll(/[a-z]{2,8}/gi)) {
      const range = document.createRange();
      range.setStart(text, word.index); range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(r => r.top)).size > 1) fault("broken", word[0], "of", named(e));
    }

    // ---- the picture: nothing lies on anything else, each text is inside its card
    const outline = e => box(e.querySelector(".box") ?? e);
    const cards = all(".node").filter(seen), ops = all(".op rect").filter(seen), tags = all(".tag").filter(seen), labels = all(".loc").filter(seen);
    const things = [...cards.map(e => [e, outline(e)]), ...ops.map(e => [e, box(e)]), ...tags.map(e => [e, box(e.querySelector("rect"))]), ...labels.map(e => [e, box(e)])];
    things.forEach(([e, a], i) => things.slice(0, i).forEach(([o, b]) => { if (meet(a, b, 2)) fault("overlap", named(e), "and", named(o)); }));
    for (const card of cards) {
      const ring = card.querySelector(".ring"), style = getComputedStyle(ring), by = style.stroke === "none" ? 0 : parseFloat(style.strokeWidth) / 2 * ring.getScreenCTM().a;
      const { left, right, top, bottom } = box(ring), around = { left: left - by, right: right + by, top: top - by, bottom: bottom + by };
      if (by) for (const label of labels) if (meet(box(label), around)) fault("overlap", named(label), "and the ring of", named(card));
    }
    for (const line of app.querySelectorAll(".edge, .out")) { // no line goes through a local derivative
      const to = line.getScreenCTM(), points = [], length = line.getTotalLength();
      for (let at = 0; at <= length; at += 3) points.push(line.getPointAtLength(at).matrixTransform(to));
      for (const label of labels) {
        const { left, right, top, bottom } = box(label);
        if (points.some(p => p.x > left + 1 && p.x < right - 1 && p.y > top + 3 && p.y < bottom - 3)) fault("crossed", named(label));
      }
    }
    for (const tag of tags) {
      if (!within(box(tag.querySelector("rect")), frame)) fault("outside", named(tag));
      for (const text of tag.querySelectorAll("text")) if (!within(box(text), box(tag.querySelector("rect")))) fault("outside", named(text), "its tag");
    }
    for (const card of cards) {
      const texts = [...card.querySelectorAll("text")].filter(e => shown(e) && e.textContent);
      texts.forEach((text, i) => {
        if (!within(box(text), outline(card), 0)) fault("outside", named(text), "its card");
        for (const other of texts.slice(0, i)) if (meet(box(text), box(other))) fault("overlap", named(text), "and", named(other), "of one card");
        for (const tick of card.querySelectorAll(".tick")) if (shown(tick) && meet(box(text), box(tick))) fault("overlap", named(text), "and the tick");
      });
    }

    // ---- floors of the type
    for (const text of all("text").filter(seen)) {
      const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
      if (text.textContent && size < 9.99) fault("small", size.toFixed(1), named(text));
    }
    for (const e of written) if (parseFloat(getComputedStyle(e).fontSize) < 11.99) fault("small", getComputedStyle(e).fontSize, named(e));

    // ---- the cards of the step are in view
    for (const card of app.querySelectorAll(".node.to, .node.from, .node.arg")) if (!shown(card) || !within(outline(card), frame, 1)) fault("unseen", card.querySelector("title")?.textContent ?? named(card));
  }

  // ---- contrast of each text with what lies under it
  const ink = document.createElement("canvas").getContext("2d", { willReadFrequently: true }), known = new Map();
  const rgba = color => {
    if (!known.has(color)) {
      ink.clearRect(0, 0, 1, 1); ink.fillStyle = color; ink.fillRect(0, 0, 1, 1);
      known.set(color, [...ink.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(color);
  };
  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const under = (e, x, y) => {
    for (const o of document.elementsFromPoint(x, y)) {
      if ((o === e && e.ownerSVGElement) || o.tagName === "text" || o.tagName === "tspan") continue;
      const style = getComputedStyle(o), color = rgba(o.ownerSVGElement ? style.fill : style.backgroundColor);
      if (color[3] > 250 && style.visibility === "visible") return color;
    }
    return rgba(getComputedStyle(document.body).backgroundColor);
  };
  for (const e of [...all("text").filter(seen), ...written]) {
    const style = getComputedStyle(e), at = box(e), x = at.left + at.width / 2, y = at.top + at.height / 2;
    if (!e.textContent.trim() || e.closest("[aria-disabled=true]") || y > innerHeight - 12 || (e.ownerSVGElement && !within({ left: x, right: x, top: y, bottom: y }, frame, -2))) continue;
    const outlined = style.paintOrder.startsWith("stroke") && parseFloat(style.strokeWidth) >= 4; // it stands on its outline
    const found = ratio(rgba(e.ownerSVGElement ? style.fill : style.color), outlined ? rgba(style.stroke) : under(e, x, y));
    if (found < 4.5) fault("contrast", found.toFixed(2), named(e));
  }
  return faults;
},

// Walks to the end: how often the picture moved, in how many steps, and at which of them in vain.
camera() {
  const svg = document.querySelector(".mgs-view > svg"), wrong = [];
  const next = document.querySelector('[aria-label="Step forward"]');
  let moves = 0, steps = 0;
  while (next.getAttribute("aria-disabled") !== "true") {
    const before = svg.getAttribute("viewBox"), [x, y, w, h] = before.split(" ").map(Number);
    next.click();
    steps += 1;
    if (svg.getAttribute("viewBox") === before) continue;
    moves += 1;
    if (document.querySelector(".node.away")) continue; // not all of them fit
    const cards = [...document.querySelectorAll(".node.to, .node.from, .node.arg")].map(n => {
      const { e, f } = n.transform.baseVal[0].matrix, r = n.querySelector(".box");
      return [e, f, e + r.width.baseVal.value, f + r.height.baseVal.value];
    });
    const inside = (boxes, dx, dy) => boxes.every(([a, b, c, d]) => a >= x + dx && b >= y + dy && c <= x + w - dx && d <= y + h - dy);
    const tags = [...document.querySelectorAll(".tag rect")].map(r => r.getBBox()).map(b => [b.x, b.y, b.x + b.width, b.y + b.height]);
    if (inside(cards, .075 * w + 1, .075 * h + 1) && inside(tags, 0, 0))
      wrong.push(document.querySelector(".mgs-count").textContent);
  }
  return [moves, steps, wrong];
},
}
