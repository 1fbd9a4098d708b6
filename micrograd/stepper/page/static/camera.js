// What part of the drawing the pane shows. It moves only when it must: while the boxes that a step
// is about lie in the inner 85 % of the pane it stays; else it moves as little as brings them there.

const INNER = .85; // of the pane
const LEAST = .834; // the scale at which the smallest text, of 12, is 10 pixels high
const around = (...boxes) => [0, 1, 2, 3].map(i => (i < 2 ? Math.min : Math.max)(...boxes.map(box => box[i])));
const meets = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

// How large a drawing is shown in a pane of this width, and how high the pane is for it: so that the
// sentence and the formula below it are on the screen, too.
const followed = w => w < 520 ? .9 : 1; // the scale of a drawing of which a part is shown
const leastOf = presents => presents ? .93 : LEAST;
function paneFor([GW, GH], w, presents = false) {
  const most = presents ? 520 : w < 520 ? 300 : Math.max(240, w < 1200 ? Math.min(361, .43 * innerHeight) : Math.min(520, .52 * innerHeight)), f = Math.min(1.25, w / GW, most / GH);
  return [f, Math.ceil(f >= leastOf(presents) ? Math.max(160, GH * f) : Math.max(220, Math.min(w < 520 ? most : most - 31, GH * followed(w))))];
}
// Whether the places for a narrower page are taken.
function isNarrow(data, width, was = false, presents = false) {
  if (!data.narrow || !width) return was;
  const w = Math.min(1500, width) - 2;
  const fits = (size, w) => paneFor(size, w, presents)[0] >= leastOf(presents);
  if (fits(data.size, was ? w - 20 : w)) return false;
  return w < 760 || fits(data.narrow.size, w);
}

// `look(view, pane, settled)` shows a view `{ scale, cx, cy }`; `calm()` says whether to glide, `presents()` whether it is for the back row.
function cameraOf(svg, on, [GW, GH], look, calm, kept, presents) {
  let at = kept?.at ?? null, byHand = kept?.byHand ?? false, seen = null, raf = 0, wanted = null;
  const fit = () => Math.min(seen.width / GW, seen.height / GH, 1.25);
  const whole = () => ({ scale: fit(), cx: GW / 2, cy: GH / 2 });
  const bounded = (c, half, length) => 2 * half >= length ? length / 2 : Math.max(half, Math.min(length - half, c));
  function shifted(from, to, c, half, inner) { // along one axis
    const least = to - from <= 2 * inner ? inner : half;
    return to - from > 2 * least ? null : Math.max(to - least, Math.min(from + least, c));
  }
  function bring(view, { cards, main, all, own }) {
    const [hw, hh] = [seen.width / view.scale / 2, seen.height / view.scale / 2];
    if (view.cx - hw <= 1 && view.cy - hh <= 1 && view.cx + hw >= GW - 1 && view.cy + hh >= GH - 1) return view; // all is in view
    const along = (i, c, half) => {
      const next = shifted(cards[i], cards[i + 2], c, half, half * INNER) ?? shifted(main[i], main[i + 2], c, half, half * INNER) ?? (main[i] + main[i + 2]) / 2;
      return shifted(all[i], all[i + 2], next, half, half) ?? shifted(own[i], own[i + 2], next, half, half) ?? next;
    };
    return { scale: view.scale, cx: along(0, view.cx, hw), cy: along(1, view.cy, hh) };
  }
  function start({ main }) {
    if (fit() >= leastOf(presents())) return whole();
    const scale = followed(seen.width), middle = [(main[0] + main[2]) / 2, (main[1] + main[3]) / 2];
    return { scale, cx: bounded(middle[0], seen.width / scale / 2, GW), cy: bounded(middle[1], seen.height / scale / 2, GH) };
  }
  function to(view, glide) {
    const from = at, still = from && from.cx === view.cx && from.cy === view.cy && from.scale === view.scale;
    if (still && glide && raf) return; // it is on its way there
    cancelAnimationFrame(raf); raf = 0;
    at = view;
    if (!glide || !from || still || calm()) return look(view, seen, true);
    const begun = performance.now();
    const tick = now => {
      const u = Math.min(1, Math.max(0, (now - begun) / 300)), v = u * u * (3 - 2 * u), mix = key => from[key] + (view[key] - from[key]) * v;
      look({ scale: mix("scale"), cx: mix("cx"), cy: mix("cy") }, seen, u === 1);
      raf = u < 1 && svg.isConnected ? requestAnimationFrame(tick) : 0;
    };
    look(from, seen, false);
    raf = requestAnimationFrame(tick);
  }
  const hand = view => { if (seen) { byHand = true; to(view); } };
  const camera = {
    fit, get at() { return at; }, get kept() { return { at, byHand }; }, stop: () => cancelAnimationFrame(raf),
    // The boxes of the cards that take part, of the one that matters most if they do not fit, and
    // `all` and `own`: the same with the arithmetic, which needs no margin.
    // `stays`: no card takes part, the view is left as it is.
    show(boxes, glide, stays = false) { if (!stays) wanted = boxes; wanted ??= boxes; if (seen) to(stays && at ? at : bring(at ?? start(boxes), boxes), glide); },
    resize(width, height) {
      if (seen?.width === width && seen.height === height) return;
      if (!byHand && seen) at = null;
      seen = { width, height };
    },
    scaleBy(f) { if (at) hand({ ...at, scale: Math.max(.05, Math.min(4, at.scale * f)) }); },
    reset() { byHand = false; at = null; if (seen) camera.show(wanted); },
    toggle() { // between the whole drawing and the part of the step
      const all = whole();
      if (at && fit() < leastOf(presents()) && Math.abs(at.scale - all.scale) > .001) hand(all); else camera.reset();
    },
  };
  on(svg, "wheel", e => { if (!e.ctrlKey && !e.metaKey) return; e.preventDefault(); camera.scaleBy(Math.exp(-e.deltaY / 200)); }, { passive: false });
  const fingers = new Map(), spread = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); };
  let drag = null, pinch = 0;
  on(svg, "pointerdown", e => {
    fingers.set(e.pointerId, e);
    if (fingers.size === 2) { pinch = spread(); drag = null; return; }
    if (!e.target.closest(".node")) { drag = [e.clientX, e.clientY, at]; svg.setPointerCapture(e.pointerId); svg.classList.add("drag"); }
  });
  on(svg, "pointermove", e => {
    if (!fingers.has(e.pointerId)) return;
    fingers.set(e.pointerId, e);
    if (fingers.size === 2 && pinch) { const d = spread(); camera.scaleBy(d / pinch); pinch = d; return; }
    if (drag) hand({ ...at, cx: drag[2].cx - (e.clientX - drag[0]) / at.scale, cy: drag[2].cy - (e.clientY - drag[1]) / at.scale });
  });
  for (const event of ["pointerup", "pointercancel", "lostpointercapture"]) on(svg, event, e => { fingers.delete(e.pointerId); drag = null; pinch = 0; svg.classList.remove("drag"); });
  return camera;
}
