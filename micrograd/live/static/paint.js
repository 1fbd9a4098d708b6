// Points painted into the plane by hand: a click adds one of the chosen class, Shift one of the next,
// a drag sprays. By keyboard a cross is moved and a digit adds a point of its class.

const SPRAY = 24, SPREAD = .045; // milliseconds between two sprayed points; how far they scatter

function livePainter(view) {
  const { on, source, button } = view, { plane, over } = view.map;
  if (!source.runs) return null;
  const toggle = button("Paint points", () => turn(!view.painting), null, { "aria-pressed": "false" }), undo = button("Undo", () => takeBack(sizes.pop() ?? 1)), clear = button("Clear", () => { sizes = []; takeBack(Infinity); });
  const colours = h("div", { class: "mgl-chips", role: "radiogroup", "aria-label": "Class of a painted point" }), hint = h("p", { class: "mgl-note" }), tools = h("div", { class: "mgl-tools", hidden: "" }, colours, h("div", { class: "mgl-chips" }, undo, clear), hint);
  const cross = S("path", { class: "mgl-cross", d: "M-9 0H-3M3 0H9M0 -9V-3M0 3V9" });
  const box = h("div", { class: "mgl-painter" }, toggle, tools);
  let group = 1, at = [.5, .5], drag = null, sprayed = 0, waits = 0, pending = [], built = "", sizes = []; // of each stroke, for Undo
  const classes = () => source.shape.classes.length || 2, painted = () => source.settings.painted;
  const coordinates = ([x, y]) => { const { low, high } = source.runs.plane; return [low[0] + x * (high[0] - low[0]), low[1] + y * (high[1] - low[1])].map(v => Number(v.toFixed(3))); };

  // Points are added a frame at a time: each change of the data begins the run anew.
  function add(spot, k, stroke) {
    pending.push([...coordinates(spot), k]);
    if (stroke) sizes.push(1); else sizes[sizes.length - 1]++;
    waits ||= requestAnimationFrame(() => { waits = 0; const more = pending; pending = []; view.change({ painted: [...painted(), ...more] }); });
  }
  const spotOf = e => { const box = plane.getBoundingClientRect(); return [(e.clientX - box.left) / box.width, 1 - (e.clientY - box.top) / box.height].map(v => Math.max(0, Math.min(1, v))); };
  const other = k => (k + 1) % classes();
  on(plane, "pointerdown", e => {
    if (!view.painting || e.button) return;
    e.preventDefault(); plane.focus({ preventScroll: true }); plane.setPointerCapture(e.pointerId);
    drag = e.shiftKey ? other(group) : group;
    add(at = spotOf(e), drag, true); sprayed = e.timeStamp; paint();
  });
  on(plane, "pointermove", e => {
    if (drag == null || e.timeStamp - sprayed < SPRAY) return;
    const near = () => (Math.random() + Math.random() - 1) * SPREAD, [x, y] = spotOf(e);
    sprayed = e.timeStamp;
    add([x + near(), y + near()].map(v => Math.max(0, Math.min(1, v))), drag, false);
  });
  for (const type of ["pointerup", "pointercancel"]) on(plane, type, () => { drag = null; });
  function takeBack(n) {
    const left = painted().slice(0, Math.max(0, painted().length - n));
    if (left.length !== painted().length) view.change({ painted: left });
    view.tell(`${left.length} painted points`);
  }
  on(plane, "keydown", e => {
    if (!view.painting || e.ctrlKey || e.metaKey || e.altKey) return;
    const by = e.shiftKey ? .01 : .05, moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, by], ArrowDown: [0, -by] }, class_ = /^[1-9]$/.test(e.key) ? +e.key - 1 : e.key === "Enter" ? group : -1;
    if (moves[e.key]) { at = at.map((v, i) => Math.max(0, Math.min(1, v + moves[e.key][i]))); view.tell(minus(`cross at ${coordinates(at).map(v => numberText(v, 3)).join(", ")}`)); }
    else if (class_ >= 0 && class_ < classes()) { add(at, class_, true); view.tell(`a point of class ${name(class_)}`); }
    else if (e.key === "Backspace" || e.key === "u") takeBack(sizes.pop() ?? 1);
    else return;
    e.preventDefault(); e.stopPropagation(); paint();
  });
  const name = k => className(source.shape.classes, k);
  function turn(yes) {
    view.painting = yes;
    put(toggle, "aria-pressed", String(yes)); tools.hidden = !yes; plane.classList.toggle("painting", yes);
    if (yes) { plane.tabIndex = 0; plane.focus({ preventScroll: true }); } else plane.removeAttribute("tabindex");
    view.paint();
  }
  function build() {
    const wanted = JSON.stringify([source.shape.classes, view.theme]);
    if (wanted === built) return;
    built = wanted; group = Math.min(group, classes() - 1);
    colours.hidden = !source.shape.classes.length;
    colours.replaceChildren(...Array.from({ length: classes() }, (_, k) =>
      button([markOf(view.color, k, source.shape.outputs), name(k)], () => { group = k; paint(); plane.focus({ preventScroll: true }); }, null, { role: "radio" })));
  }
  function paint() {
    box.hidden = !source.shape.classes.length && source.shape.names.length > 1; // a target has no place on the plane
    if (box.hidden && view.painting) return turn(false);
    build();
    [...colours.children].forEach((b, k) => put(b, "aria-checked", String(k === group)));
    put(hint, "text", colours.hidden ? "Click: a point; drag: many. Keys: arrows move the cross, Enter adds a point, Backspace takes the last back." : `Click: a point of class ${name(group)}; with Shift: of class ${name(other(group))}; drag: many. Keys: arrows move the cross, 1 to ${classes()} add a point, Backspace takes the last back.`);
    for (const b of [undo, clear]) put(b, "aria-disabled", String(!painted().length));
    over.replaceChildren(...view.painting ? [cross] : []);
    put(cross, "transform", `translate(${(PLANE * at[0]).toFixed(1)} ${(PLANE * (1 - at[1])).toFixed(1)})`);
  }
  return { box, paint };
}
