// A picture of an element of the page as it stands there: its boxes, lines and texts, drawn on a
// canvas from their computed styles. (A canvas with a foreignObject in it cannot be saved in Safari.)

function canvasOf(frame, background, scale = 2) {
  const area = frame.getBoundingClientRect(), zoom = frame.currentCSSZoom ?? 1, canvas = h("canvas", { width: Math.ceil(area.width * scale), height: Math.ceil(area.height * scale) }), c = canvas.getContext("2d");
  const px = length => (parseFloat(length) || 0) * zoom, seen = colour => colour && !/^transparent$|^none$|^rgba\(.*, *0\)$|\/ *0\)$/.test(colour);
  const fontOf = s => `${s.fontStyle} ${s.fontWeight} ${px(s.fontSize)}px ${s.fontFamily}`;
  const rounded = (x, y, w, height, r, grow = 0) => c.roundRect(x - grow, y - grow, Math.max(0, w + 2 * grow), Math.max(0, height + 2 * grow), Math.max(0, Math.min(r + grow, w / 2 + grow, height / 2 + grow)));
  function stroke(colour, width, dashes, draw) {
    if (!seen(colour) || !width) return;
    c.strokeStyle = colour; c.lineWidth = width; c.setLineDash(dashes);
    c.beginPath(); draw(); c.stroke(); c.setLineDash([]);
  }
  function box(s, x, y, w, height) { // shadows without blur, background, border, outline
    const corner = s.borderTopLeftRadius, r = corner.endsWith("%") ? w * parseFloat(corner) / 100 : px(corner), line = px(s.borderTopWidth), inner = [];
    for (const shadow of s.boxShadow === "none" ? [] : s.boxShadow.split(/,(?![^(]*\))/)) {
      const lengths = shadow.replace(/^\s*\w+\([^)]*\)/, "").match(/-?[\d.]+(?=px)/g).map(px), colour = shadow.match(/\w+\([^)]*\)/)[0];
      if (shadow.includes("inset")) { inner.push([colour, lengths[3]]); continue; }
      c.fillStyle = colour; c.beginPath(); rounded(x, y, w, height, r, lengths[3]); rounded(x, y, w, height, r); c.fill("evenodd");
    }
    if (seen(s.backgroundColor)) { c.fillStyle = s.backgroundColor; c.beginPath(); rounded(x, y, w, height, r); c.fill(); }
    const dashes = style => style === "dashed" ? [4 * zoom, 3 * zoom] : style === "dotted" ? [zoom, 2 * zoom] : [];
    if (s.borderTopStyle !== "none") stroke(s.borderTopColor, line, dashes(s.borderTopStyle), () => rounded(x, y, w, height, r, -line / 2));
    for (const [colour, width] of inner) stroke(colour, width, [], () => rounded(x, y, w, height, r, -line - width / 2));
    const wide = px(s.outlineWidth);
    if (s.outlineStyle !== "none") stroke(s.outlineColor, wide, dashes(s.outlineStyle), () => rounded(x, y, w, height, r, px(s.outlineOffset) + wide / 2));
  }
  function words(node, s) {
    const range = document.createRange();
    c.font = fontOf(s); c.fillStyle = s.color; c.textAlign = "left"; c.textBaseline = "alphabetic";
    for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
      range.setStart(node, index); range.setEnd(node, index + word.length);
      const r = range.getBoundingClientRect(), m = c.measureText(word), middle = r.top + r.height / 2, y = middle + (m.fontBoundingBoxAscent - m.fontBoundingBoxDescent) / 2;
      if (!r.width) continue;
      c.fillText(word, r.left, y);
      if (s.textDecorationLine.includes("line-through")) c.fillRect(r.left, middle, r.width, Math.max(1, px(s.fontSize) / 12));
      if (s.textDecorationLine.includes("underline")) stroke(s.textDecorationColor, zoom, s.textDecorationStyle === "dotted" ? [zoom, 2 * zoom] : [], () => { c.moveTo(r.left, y + 3 * zoom); c.lineTo(r.right, y + 3 * zoom); });
    }
  }
  function shape(e, s) {
    // In a view that is zoomed, Firefox has the place in the screen's matrix alone, and the size in none.
    const of = name => +e.getAttribute(name), at = e.getScreenCTM(), m = e.getCTM();
    c.transform(m.a * zoom, m.b * zoom, m.c * zoom, m.d * zoom, at.e, at.f);
    if (e.tagName === "text") {
      c.font = `${s.fontStyle} ${s.fontWeight} ${s.fontSize} ${s.fontFamily}`; c.textBaseline = "alphabetic"; c.textAlign = { middle: "center", end: "right" }[s.textAnchor] ?? "left"; c.lineJoin = s.strokeLinejoin;
      const drawn = [e.textContent, of("x"), of("y"), ...(e.hasAttribute("textLength") ? [of("textLength")] : [])];
      if (seen(s.stroke)) { c.strokeStyle = s.stroke; c.lineWidth = parseFloat(s.strokeWidth); c.strokeText(...drawn); }
      c.fillStyle = s.fill;
      return c.fillText(...drawn);
    }
    const path = new Path2D(e.tagName === "path" ? e.getAttribute("d") : undefined);
    if (e.tagName === "rect") path.roundRect(of("x"), of("y"), of("width"), of("height"), Math.min(of("rx"), of("height") / 2));
    if (e.tagName === "circle") path.arc(of("cx"), of("cy"), of("r"), 0, 2 * Math.PI);
    if (e.tagName === "line") { path.moveTo(of("x1"), of("y1")); path.lineTo(of("x2"), of("y2")); }
    const alpha = c.globalAlpha;
    if (seen(s.fill)) { c.fillStyle = s.fill; c.globalAlpha = alpha * s.fillOpacity; c.fill(path); }
    if (!seen(s.stroke)) return;
    c.strokeStyle = s.stroke; c.globalAlpha = alpha * s.strokeOpacity; c.lineWidth = parseFloat(s.strokeWidth); c.lineCap = s.strokeLinecap; c.lineJoin = s.strokeLinejoin;
    c.setLineDash(s.strokeDasharray === "none" ? [] : s.strokeDasharray.match(/[\d.]+/g).map(Number));
    c.stroke(path);
  }
  function draw(e) {
    const s = getComputedStyle(e), inSvg = e.ownerSVGElement != null;
    if (s.display === "none" || e.tagName === "title") return;
    c.save();
    c.globalAlpha *= s.opacity;
    const shown = s.visibility === "visible", r = e.getBoundingClientRect();
    if (inSvg && e.tagName !== "g") { if (shown) shape(e, s); return c.restore(); }
    if (!inSvg) {
      if (shown) box(s, r.left, r.top, r.width, r.height);
      if (s.overflowX !== "visible" && (r.width || e !== frame)) { c.beginPath(); rounded(r.left, r.top, r.width, r.height, px(s.borderTopLeftRadius)); c.clip(); }
    }
    const layer = child => child.nodeType === 1 && +getComputedStyle(child).zIndex || 0, children = [...e.childNodes].map(child => [layer(child), child]).sort((a, b) => a[0] - b[0]);
    for (const [, child] of children) if (child.nodeType === 1) draw(child); else if (child.nodeType === 3 && shown) words(child, s);
    const after = inSvg ? null : getComputedStyle(e, "::after");
    if (after && after.content !== "none" && after.position === "absolute") box(after, r.left + px(after.left), r.top + px(after.top), px(after.width), px(after.height));
    c.restore();
  }
  c.scale(scale, scale); c.translate(-area.left, -area.top);
  c.fillStyle = background; c.fillRect(area.left, area.top, area.width, area.height);
  draw(frame);
  return canvas;
}
