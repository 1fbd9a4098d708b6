// Pulling: the number of a leaf is dragged sideways, changed with the arrow keys, typed and put back;
// everything that follows from it is computed and painted anew, the step stays. Where the page cannot
// compute, a notebook's kernel still takes a number that is typed.

const PULL = { pixel: .01, key: .05, range: 10, still: 3, quiet: 600 }; // of a unit, of a unit, units, pixels, milliseconds
const unitOf = x => Math.abs(x) <= 10 ? 1 : 10 ** Math.floor(Math.log10(Math.abs(x)));
const finer = e => e.shiftKey ? 10 : e.altKey ? .1 : 1;

PARTS.push(host => {
  const { D, root, live, address, model, alert, stage, app, on, called, typed, spoken } = host, { nodes } = D;
  const kernel = model.get("changes") !== undefined, allowed = model.get("editable") !== false, why = D.live?.why ?? "";
  const leaves = allowed && live ? live.leaves : new Set(), texts = nodes.map(n => n.text);
  const scrubs = new Map(), ghosts = h("div", { class: "mgs-ghosts", "aria-hidden": "true" });
  let before = null, was = null; // the numbers when the last pull began, and those that are shown beside the present ones
  let drag = null, field = null, frame = 0, wanted = null, waits = 0, refused = "";
  const rootName = called(root), short = i => typed(brief(called(i), host.width() < 520 ? 80 : 150, 14)), isLeaf = i => i != null && !nodes[i].sym && (leaves.has(i) || (allowed && kernel));
  stage.append(ghosts);
  host.tip = !allowed ? "" : live ? "Pull any dotted number sideways" : kernel ? "Double-click a leaf to type its number" : why;

  // ---- one pull: from its first change to the last
  function begin(i) {
    was = before = { i, k: host.k(), x: live.value(i), root: live.value(root), slope: live.grad(i), texts: nodes.map(n => n.text) };
    host.silent = true;
    host.select(i, "curve");
  }
  const same = i => before?.i === i && before.k === host.k();
  // Asks for a number; of those asked for within a frame the last counts.
  function ask(i, x) {
    wanted = [i, x];
    frame ||= requestAnimationFrame(apply);
  }
  function apply() {
    cancelAnimationFrame(frame); frame = 0;
    if (!wanted) return;
    const [i, x] = wanted;
    wanted = null;
    refused = live.set([[i, x]]);
    host.silent = true;
    host.paint();
    clearTimeout(waits);
    waits = setTimeout(settle, PULL.quiet);
  }
  function settle() { // nothing has moved for a while: it is said, once
    host.silent = false;
    if (!before) return;
    const { i, x, slope } = before, guess = before.root + slope * (live.value(i) - x);
    host.tell(refused || `${spoken(called(i))} ${minus(nodes[i].text)}, ${host.isLoss ? "loss" : spoken(rootName)} ${minus(nodes[root].text)}, predicted ${minus(numberText(guess))}`);
  }
  function end() { // the address and the notebook hear of it
    if (wanted) apply();
    host.kept.pulled = pairs();
    address.changed();
    if (!kernel) return;
    model.set("changes", Object.fromEntries(pairs())); model.save_changes();
  }
  const changed = () => [...leaves].filter(i => !Object.is(live.value(i), live.original(i))), pairs = () => changed().map(i => [i, live.value(i)]);
  function rounded4(x, unit) { return Number((Math.round(x / unit * 1e4) / 1e4 * unit).toPrecision(12)) || 0; } // no -0
  function move(i, from, by) { // within the range, which typing may leave
    const unit = unitOf(live.original(i)), most = Math.max(PULL.range * unit, Math.abs(from));
    ask(i, Math.max(-most, Math.min(most, rounded4(from + by * unit, unit))));
  }
  // What other parts change here: `ghosts` keeps the numbers of now to be shown later, or none.
  Object.assign(host, { moved: end, putBack: () => back(changed()), isPulled: () => before != null, ghosts(shown) { before = null; was = shown ? { k: host.k(), texts: nodes.map(n => n.text) } : null; } });
  function back(list) { // to the originals
    before = was = null; refused = ""; host.silent = true;
    live.set(list.map(i => [i, live.original(i)]));
    host.paint(); end();
    host.silent = false;
  }

  // ---- dragging: by the upper half of a card; with a finger by all of it
  const over = e => { const card = e.target.closest("[data-pull]"); return card ? +card.dataset.node : null; };
  const cardAt = (i, e) => host.cards().find(c => c.i === i && c.e === e) ?? host.card(i); // of a twin its own
  function isGrip(e, i) {
    const c = cardAt(i, e.target.closest("[data-pull]"));
    return c && (e.pointerType === "touch" || e.clientY - stage.getBoundingClientRect().top < c.y + c.top);
  }
  on(app, "pointerdown", e => {
    const i = over(e);
    drag = i != null && !e.button && !host.asking() && isGrip(e, i) ? { i, x0: e.clientX, from: live.value(i), fine: 1, moved: false } : null;
  });
  on(app, "pointermove", e => {
    if (!drag || drag.done) return;
    const { i } = drag, d = e.clientX - drag.x0;
    if (!drag.moved) {
      if (Math.abs(d) < PULL.still) return;
      drag.moved = true;
      app.setPointerCapture(e.pointerId); // the card itself may be drawn anew
      begin(i);
      scrubs.get(i).focus({ preventScroll: true });
      put(scrubs.get(i), "class", "mgs-pull drag");
    }
    // A key that is pressed meanwhile makes what follows coarser or finer: what was moved stays.
    if (drag.fine !== finer(e)) { Object.assign(drag, { from: wanted?.[1] ?? live.value(i), x0: e.clientX, fine: finer(e) }); return; }
    move(i, drag.from, d * PULL.pixel * drag.fine);
  });
  for (const event of ["pointerup", "pointercancel"]) on(app, event, () => {
    if (!drag?.moved || drag.done) { drag = null; return; }
    put(scrubs.get(drag.i), "class", "mgs-pull");
    drag = { done: true };
    end();
    setTimeout(() => { drag = null; });
  });
  on(app, "click", e => { if (drag?.done) { e.stopPropagation(); drag = null; } }, { capture: true });
  let hovered = null;
  on(app, "pointerover", e => {
    const e2 = scrubs.get(over(e));
    if (e2 === hovered) return;
    hovered?.classList.remove("hover");
    (hovered = e2)?.classList.add("hover");
  });

  // ---- the scrubbers, which lie over the numbers: for the keyboard and for screen readers
  function scrub(i) {
    const e = h("span", { class: "mgs-pull", role: "spinbutton", tabindex: -1, "aria-label": `${spoken(called(i))}, pull to change` });
    e.line = h("i"); e.append(e.line);
    e.addEventListener("focus", () => { if (!drag) fresh = true; });
    e.addEventListener("keydown", k => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[k.key];
      if (host.asking() || k.ctrlKey || k.metaKey) return;
      if (way) {
        if (fresh || !same(i)) begin(i);
        fresh = false;
        move(i, wanted?.[1] ?? live.value(i), way * PULL.key * finer(k)); end();
      } else if (k.key === "Enter" && !k.shiftKey) type(i);
      else if (k.key === "Escape" && !Object.is(live.value(i), live.original(i))) { drag = null; put(e, "class", "mgs-pull"); wanted = null; back([i]); } else return;
      k.preventDefault(); k.stopPropagation();
    });
    return e;
  }
  let fresh = true, stop = null; // which scrubber Tab reaches
  function place() {
    const cards = host.cards(), seen = new Set(), picked = host.selected();
    for (const c of cards) {
      if (!leaves.has(c.i)) continue;
      put(c.e, "data-pull", host.asking() ? null : "");
      if (seen.has(c.i)) continue; // a twin: it is pulled with the mouse, its scrubber is at the first
      seen.add(c.i);
      let e = scrubs.get(c.i);
      if (!e) scrubs.set(c.i, e = scrub(c.i));
      if (!e.parentNode) stage.append(e);
      for (const [side, x] of [["left", c.x], ["top", c.y], ["width", D.net ? c.w : Math.max(0, Math.min(c.w, host.width() - c.x))], ["height", c.top]]) put(e, `--${side}`, `${Math.round(x * 10) / 10}px`);
      const w = Math.min(c.w - 10, widthOf(c.text, c.size));
      put(e.line, "--width", `${Math.ceil(w)}px`); put(e.line, "--right", `${c.x + c.w - c.right}px`); put(e.line, "--top", `${c.middle - c.y + c.size * .5}px`);
      put(e, "aria-valuetext", minus(nodes[c.i].text)); put(e, "aria-valuenow", String(live.value(c.i)));
      const most = Math.max(PULL.range * unitOf(live.original(c.i)), Math.abs(live.value(c.i)));
      put(e, "aria-valuemin", String(-most)); put(e, "aria-valuemax", String(most));
      put(e, "aria-disabled", host.asking() ? "true" : null);
    }
    const focused = stage.getRootNode().activeElement;
    scrubs.forEach((e, i) => { if (!seen.has(i) && e !== focused && drag?.i !== i) e.remove(); });
    const tab = seen.has(picked) ? picked : seen.has(stop) ? stop : [...seen][0];
    if (tab !== stop && scrubs.has(stop)) put(scrubs.get(stop), "tabindex", "-1");
    if (tab != null) put(scrubs.get(stop = tab), "tabindex", "0");
    haunt(cards);
    if (field) { const c = field.k === host.k() && host.card(field.i); if (c) setAt(c); else close(false); }
  }
  // The numbers of before the pull, left of those of now; where there is no room an arrow.
  function haunt(cards) {
    const list = [];
    if (was && was.k !== host.k()) { was = null; if (before) before.k = null; } // gone with the step
    if (was && was.k === host.k()) for (const c of cards) {
      const then = minus(was.texts[c.i]), now = minus(nodes[c.i].text);
      if (then === now || c.text === "\u2013") continue;
      const right = c.right - widthOf(c.text, c.size) - 5, fits = widthOf(then, 12) + 7 <= c.free;
      if (!fits && c.free < 13) continue;
      list.push([right, c.middle, fits ? then : numberOf(now) > numberOf(then) ? "\u2191" : "\u2193", fits]);
    }
    while (ghosts.children.length < list.length) ghosts.append(h("span"));
    [...ghosts.children].forEach((e, j) => {
      const [x, y, text, struck] = list[j] ?? [];
      put(e, "--display", text ? "" : "none");
      if (!text) return;
      put(e, "text", text); put(e, "class", struck ? "" : "way");
      put(e, "--left", `${(x - (struck ? widthOf(text, 12) : 9)).toFixed(1)}px`); put(e, "--top", `${(y - 9).toFixed(1)}px`);
    });
  }
  host.painted.push(place);

  // ---- typing
  const setAt = c => { for (const [side, x] of [["left", c.x], ["top", c.y], ["width", c.w], ["height", Math.max(26, c.top)]]) put(field, `--${side}`, `${x}px`); };
  function close(focus = true) {
    const i = field?.i;
    if (i == null) return;
    const e = field;
    field = null; host.hold = null;
    e.remove();
    if (focus) (scrubs.get(i)?.parentNode ? scrubs.get(i) : { focus: () => host.focus(i) }).focus({ preventScroll: true });
  }
  function type(i) {
    if (!isLeaf(i) || host.asking()) return;
    close(false);
    host.hold = i;
    if (!host.card(i)) host.select(i);
    const c = host.card(i);
    if (!c) return;
    field = h("input", { inputmode: "decimal", "aria-label": `New value of ${spoken(called(i))}`, value: nodes[i].full, spellcheck: "false", autocomplete: "off", class: "mgs-typed" });
    field.i = i; field.k = host.k();
    setAt(c);
    field.addEventListener("keydown", e => {
      e.stopPropagation();
      if (e.key === "Escape") { alert.hidden = true; close(); }
      if (e.key !== "Enter") return;
      const text = typedNumber(e.target.value), ok = text != null && (!leaves.has(i) || Number.isFinite(numberOf(text)));
      alert.hidden = ok;
      if (!ok) { alert.textContent = noNumber(e.target.value); return; }
      close();
      if (leaves.has(i) && !(kernel && D.live.fractions)) { begin(i); ask(i, numberOf(text)); end(); return; }
      model.set("edit", { node: i, text, seq: `${performance.now()}` }); model.save_changes();
    });
    stage.append(field); field.focus({ preventScroll: true }); field.select();
  }
  const valueAt = e => { const card = e.target.closest("[data-node]"); return card ? +card.dataset.node : host.selected(); };
  // The second of two clicks, seen before the picture hears of it: it may draw the card anew.
  on(app, "click", e => {
    const card = e.detail === 2 && !e.target.closest("button, input") && e.target.closest("[data-node]");
    if (card) setTimeout(() => type(+card.dataset.node));
  }, { capture: true });
  if (leaves.size || (allowed && kernel)) host.hint("e", "type the picked leaf's number");
  if (leaves.size) host.hint("Tab \u2191 \u2193", "change it, Shift \u00d710, Alt \u00f710");
  host.keys.set("e", e => { const i = valueAt(e); if (!isLeaf(i)) return false; type(i); });

  // ---- the line below the picture
  host.legends.push(() => {
    if (refused) return [h("div", { class: "mgs-moved" }, h("span", { title: minus(refused) }, minus(refused)))];
    const list = live ? changed() : [], narrow = host.width() < 520;
    if (!list.length) return null;
    const first = list.includes(before?.i) ? [before.i, ...list.filter(i => i !== before.i)] : list;
    const what = narrow && list.length > 1 ? [`${list.length} numbers`] : first.slice(0, 2).flatMap((i, j) => [j ? ", " : "", ...short(i), ` ${minus(texts[i])} \u2192 ${minus(nodes[i].text)}`]);
    const rest = list.length > 2 && !narrow ? `, ${list.length - 2} more` : "", end = D.live.fractions ? "; exact fractions end here" : "";
    const button = h("button", { type: "button" }, "Back to the original");
    button.onclick = () => { const i = first[0]; back(list); host.focus(i); };
    return [h("div", { class: "mgs-moved" }, h("span", {}, ...what, rest, ": ", ...short(root), ` ${minus(texts[root])} \u2192 ${minus(nodes[root].text)}${end}`), button)];
  });
  if (!live) return address.add("set", () => "", () => why || false);

  host.pane("curve", "Curve", curveOf(host, () => before));
  const set = list => { const said = live.set(list.filter(([i]) => leaves.has(i))); if (said) refused = said; };
  address.add("set", () => drag ? host.kept.said ?? "" : host.kept.said = address.numbers(pairs()), text => { const [list, wrong] = address.readNumbers(text); set(list); host.kept.pulled = pairs(); return refused || wrong || undefined; });
  if (host.kept.pulled) set(host.kept.pulled);
  if (!kernel) return;
  const box = h("input", { type: "checkbox" }), own = h("label", { class: "mgs-own" }, box, " change my Values too");
  const lives = () => { box.checked = model.get("live"); };
  if (allowed) { host.top.append(own); lives(); host.listen("change:live", lives); on(box, "change", () => { model.set("live", box.checked); model.save_changes(); }); }
  const follow = () => { // another view of the widget, or Python
    const now = Object.entries(model.get("changes") ?? {}).map(([i, x]) => [+i, x]), named = new Set(now.map(([i]) => i));
    set([...changed().filter(i => !named.has(i)).map(i => [i, live.original(i)]), ...now.filter(([i, x]) => live.value(i) !== x)]);
    host.kept.pulled = pairs();
  };
  follow();
  host.listen("change:changes", () => { if (drag) return; follow(); host.paint(); });
});
