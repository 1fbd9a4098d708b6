// What is wrong with the page as it is drawn now. Only measured: nothing is known of its code.
() => {
  const faults = [], stage = document.querySelector(".mgn-stage"), frame = stage.getBoundingClientRect();
  const seen = e => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 0;
  const what = e => `${e.className} ${e.textContent.slice(0, 30)}`;
  if (document.documentElement.scrollWidth > innerWidth)
    faults.push(`the page scrolls sideways: ${document.documentElement.scrollWidth}`);
  if (stage.scrollWidth > stage.clientWidth + 1) faults.push(`the picture is cut off: ${stage.scrollWidth} > ${stage.clientWidth}`);
  const pieces = [...stage.children].filter(e => e.tagName !== "svg" && seen(e));
  const boxes = pieces.map(e => ({ e, r: e.getBoundingClientRect() }));
  for (const { e, r } of boxes) {
    if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1 || r.bottom > frame.bottom + 1) faults.push(`outside: ${what(e)}`);
  }
  boxes.forEach((a, i) => boxes.slice(0, i).forEach(b => {
    const wide = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left), high = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
    if (wide > 1 && high > 1 && !a.e.matches(".mgn-dot") && !b.e.matches(".mgn-dot")) faults.push(`overlap: ${what(a.e)} | ${what(b.e)}`);
  }));
  for (const card of document.querySelectorAll(".mgn-card:is(.to, .from)")) {
    const { left, right, top, bottom } = card.getBoundingClientRect(), style = getComputedStyle(card), by = Math.max(parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset), +(/(\d+)px$/.exec(style.boxShadow)?.[1] ?? 0)); // and the one of the focus
    for (const text of document.querySelectorAll(".mgn-prob > span")) {
      const r = text.getBoundingClientRect();
      if (seen(text) && Math.min(r.right, right + by) > Math.max(r.left, left - by) && Math.min(r.bottom - 3, bottom + by) - Math.max(r.top + 3, top - by) > 1) faults.push(`under a ring: ${what(text)}`);
    }
  }
  for (const e of document.querySelectorAll(".mgn :is(.r, .num, .seg > span, .mgs-tile, .mgs-tile b, .mgn-neuron button, .mgn-prob, .mgn-tag, .mgn-chip, .mgs-say, .mgs-card, .mgn-crumbs, td)")) {
    if (seen(e) && e.scrollWidth > e.clientWidth + 1 && e.clientWidth) faults.push(`text cut off: ${what(e)} ${e.scrollWidth} > ${e.clientWidth}`);
  }
  const floors = [[".mgn-ix", 10], [".mgn-card .cap, .mgn-strip span, .mgn-chip", 12], [".mgn-card .num, .mgn-prob, .mgn-tag, .mgn-stub", 13], [".mgs-say", 16], [".mgs-tile > span, .mgs-note, .mgn-legend, .mgs-keys", 12]];
  for (const [kind, floor] of floors) for (const e of document.querySelectorAll(kind)) if (seen(e) && parseFloat(getComputedStyle(e).fontSize) < floor) faults.push(`small: ${what(e)}`);
  return [...new Set(faults)];
}
