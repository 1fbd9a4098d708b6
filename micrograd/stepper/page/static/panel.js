// What stands below the picture: the sentence and the formula of a step, and what it leaves behind.
// Going forward that is what is saved for the backward pass, going back the terms of a gradient.

const SHOWN = 12; // rows of the table

// `light(edges)` highlights a path in the picture; null: none.
function panelOf(D, on, light, keep) {
  const { nodes, steps } = D, root = nodes.length - 1, forwards = steps.filter(s => s.k === "forward").length, back = steps.filter(s => s.turn && s.k !== "update").length;
  const contributions = nodes.map(() => []), into = nodes.map(() => []);
  D.edges.forEach(e => into[e.c].push(e));
  steps.forEach((s, j) => { if (s.k === "chain") contributions[s.p].push(j); });
  let byPath = keep?.byPath ?? false, pathsOf = null; // the value whose paths are shown: they are the same at every step
  let over = null, held = null; // the paths of the rows under the mouse and with the focus
  const phase = h("p", { class: "mgs-phase" });
  phase.style.minWidth = `${widthOf(`Backward ${D.walk} of ${D.walk}`, 15)}px`; // so that no step breaks the title row elsewhere
  const say = h("p", { class: "mgs-say", role: "status", "aria-live": "polite", "aria-atomic": "true" });
  const math = h("div", { class: "mgs-math" }), rule = h("p", { class: "mgs-rule" }), tiles = h("div", { class: "mgs-tiles" });
  const by = [["Steps", "One row a step"], ["Paths", "One row a path"]].map(([name, label]) => h("button", { type: "button", "aria-label": label, title: label }, name)), panes = new Map(), tabs = h("div", { class: "mgs-by", role: "group", "aria-label": "Sum" }, by);
  let shown = null; // the name of the pane that is shown; null: the sum, and at the update that
  const sHead = h("h3"), lHead = h("h3"), ledger = h("div");
  const columns = h("div", { class: "mgs-cols" }, h("div", { class: "mgs-card" }, sHead, say, h("div", { class: "mgs-how" }, math, rule), tiles),
    h("div", { class: "mgs-card" }, h("div", { class: "mgs-head" }, lHead, tabs), ledger));
  function pane(name, title, draw, chosen) { // one more of what the second pane can show
    const b = h("button", { type: "button", "aria-pressed": "false" }, title);
    panes.set(name, { b, draw }); tabs.append(b);
    on(b, "click", () => chosen(name));
  }

  // ---- sentence, formula, rule, tiles
  const formula = (...c) => make("m", "math", { displaystyle: "true" }, ...c); // one that is not broken: a longer one is several of them
  const id = name => make("m", "mi", { mathvariant: "normal" }, minus(name)); // a name is an identifier: upright, however long
  let most = 150; // pixels of a name
  const called = i => brief(minus(nodes[i].name), most, 16);
  const tight = i => called(i).includes(" ") ? [M("mo", "("), id(called(i)), M("mo", ")")] : [id(called(i))];
  const ratio = (a, b) => M("mfrac", M("mrow", M("mo", "\u2202"), ...tight(a)), M("mrow", M("mo", "\u2202"), ...tight(b)));
  const tile = (value, kind, ...captions) => h("div", { class: "mgs-tile" + (kind ? " " + kind : "") + (value.length > 7 ? " long" : ""), title: captions.join(" ") },
    h("b", { class: kind === "local" || kind === "lost" ? null : signOf(value) }, minus(value)), captions.map(c => h("span", {}, minus(c).split(/(?=\.grad$)/).flatMap(part => [h("wbr"), part])))); // a line ends before .grad, not within it
  const op = c => h("span", { class: "mgs-op", "aria-hidden": "true" }, c);
  const bound = i => called(i).includes(" ") ? `(${called(i)})` : called(i);
  const dLocal = (c, p) => `\u2202${bound(c)}/\u2202${bound(p)}`;
  const gradOf = i => gradNamed(nodes[i], called(i));
  function words(k) {
    const s = steps[k], name = nodes[s.n].name;
    math.replaceChildren(); tiles.replaceChildren();
    say.classList.toggle("long", s.say.length > 170);
    put(say, "text", minus(s.say)); put(rule, "text", minus(s.rule));
    if (s.show) { // of an update
      sHead.textContent = "Update"; phase.replaceChildren(h("b", {}, "Update"));
      return s.show(math);
    }
    phase.replaceChildren(h("b", {}, s.k === "forward" ? "Forward" : D.turns > 1 && s.turn === 2 ? "Second pass" : "Backward"), s.k === "forward" ? ` ${k + 1} of ${forwards}` : ` ${k + 1 - forwards} of ${back}`);
    if (s.k === "forward") {
      sHead.textContent = "Evaluate";
      const sides = [...(name === s.before ? [] : [name]), s.before, s.up, s.after], joined = ["", ...Array(sides.length - 2).fill("= "), `${s.loc} `];
      math.append(...sides.map((side, j) => h("span", {}, (joined[j] + minus(side)).replace("\u2248 \u2248", "\u2248 "))));
      return;
    }
    if (s.k === "seed") {
      sHead.textContent = "Start";
      math.append(formula(ratio(root, root), M("mo", "="), M("mn", "1")));
      return;
    }
    sHead.textContent = s.asked ?? "Chain rule";
    const wide = (a, b) => Math.max(...[a, b].map(i => widthOf(called(i), 16))), isLong = wide(root, s.p) + wide(root, s.n) + wide(s.n, s.p) > 270;
    math.classList.toggle("long", isLong); // smaller and shorter, so that it stays on one line
    if (isLong) most = 115;
    const adds = D.assigns ? make("m", "mo", { class: "broken" }, "=") : M("mo", "+=");
    math.append(formula(ratio(root, s.p), adds), formula(ratio(root, s.n), M("mo", "\u00b7")), formula(ratio(s.n, s.p)));
    most = 150;
    tiles.append(tile(s.before, D.assigns ? "lost" : "", D.assigns && s.i > 1 ? "lost" : "before", gradOf(s.p)), op(D.assigns ? "\u2192" : "+"), tile(s.up, "", "upstream", gradOf(s.n)), op("\u00d7"),
      tile(s.loc, "local", "local", dLocal(s.n, s.p)), op(s.equals), tile(s.after + (s.correct ? "!" : ""), "now", "now", s.correct ? `correct: ${s.correct}` : gradOf(s.p)));
  }

  // ---- the table
  const table = (heads, body, foot, cls) => h("table", { class: cls }, h("thead", {}, h("tr", {}, heads.map(t => h("th", { scope: "col" }, t)))), h("tbody", {}, body), foot ? h("tfoot", {}, foot) : null);
  const note = text => ledger.append(h("p", { class: "mgs-note" }, text));
  const part = (rows, start, all) => { if (all > rows) note(`Rows ${start + 1} to ${start + rows} of ${all}.`); };
  // Of value `i`, whose state after step `k` is `q`. `one`: it was picked, and is not just that of the step.
  function book(k, i, q, one, picked) {
    const now = shown ?? (steps[k].k === "update" && !picked ? "update" : null), own = panes.get(now);
    panes.forEach(({ b }, name) => b.setAttribute("aria-pressed", name === now));
    if (own) { by.forEach(b => b.setAttribute("aria-pressed", "false")); pathsOf = null; return own.draw(ledger, lHead); }
    lHead.textContent = byPath || steps[k].k !== "forward" ? `Where ${minus(gradOf(i))} comes from` : "Saved for the backward pass";
    by.forEach((b, j) => b.setAttribute("aria-pressed", byPath === (j === 1)));
    if (byPath && steps[k].asked) { pathsOf = null; return fill(h("p", { class: "mgs-note" }, "Not shown while a number is asked for.")); }
    if (byPath) return pathBook(i);
    pathsOf = null;
    if (steps[k].k === "forward") savedBook(k, one ? i : -1); else sumBook(k, i, q);
  }
  function savedBook(k, only) {
    const all = steps.slice(0, k + 1).flatMap((s, j) => s.k !== "forward" || (only >= 0 && s.n !== only) ? [] : into[s.n].map(e => [e, j]));
    const start = Math.max(0, all.length - SHOWN), rows = all.slice(start);
    if (!rows.length) return fill(h("p", { class: "mgs-note" }, only < 0 ? "Nothing yet." : nodes[only].sym ? "Nothing yet: it is not computed." : "Nothing: it is not computed from others."));
    fill(table(["of", "local derivative", "is"], rows.map(([e, j]) => h("tr", { class: j === k ? "cur" : null }, h("td", {}, minus(nodes[e.c].name)), h("td", {}, minus(dLocal(e.c, e.p))), h("td", {}, minus(nodes[e.c].loc[e.arg]))))));
    part(rows.length, start, all.length);
  }
  function sumBook(k, i, q) {
    const s = steps[k], all = contributions[i].filter(j => D.turns < 2 || steps[j].turn === Math.max(1, s.turn)), at = all.findIndex(j => j >= k);
    const start = Math.max(0, Math.min(all.length - SHOWN, (at < 0 ? all.length : at) - SHOWN / 2)), rows = all.slice(start, start + SHOWN);
    const body = rows.map(j => {
      const c = steps[j], todo = j > k;
      return h("tr", { class: j === k ? "cur" : todo ? "todo" : null }, h("td", {}, called(c.n)), h("td", {}, todo ? "not yet" : c.asked ? "your guess" : `${minus(c.up)} \u00d7 ${/^[-\u2248]/.test(c.loc) ? `(${minus(c.loc)})` : c.loc}`), h("td", {}, todo ? "" : minus(c.con)));
    });
    if (i === root) body.unshift(h("tr", { class: s.k === "seed" ? "cur" : null }, h("td", {}, "seed"), h("td", {}, minus(dLocal(i, i))), h("td", {}, "+1")));
    const foot = q.text === "?" ? `${q.got - 1} of ${q.of} so far` : q.text === null ? `0 of ${Math.max(1, contributions[i].length)}` : q.got === 0 ? "left over" : q.got === q.of ? "final" : `${q.got} of ${q.of} so far`;
    fill(table(["through", "upstream \u00d7 local", "adds"], body,
      h("tr", {}, h("td", {}, minus(gradOf(i))), h("td", {}, foot), h("td", { class: q.text === null ? null : q.correct ? "bad" : signOf(q.text) }, q.text === null ? "\u2013" : minus(q.text) + (q.correct ? "!" : "")))));
    if (q.correct) note(`${minus(q.correct)} would be correct.`);
    part(rows.length, start, all.length);
  }
  function pathBook(i) {
    if (pathsOf === i) return;
    pathsOf = i;
    light(null);
    if (!D.paths) return fill(h("p", { class: "mgs-note" }, `A page lists the paths of smaller graphs. In Python, explain(${called(root)}, value) gives those of this one.`));
    const { rows, count, total } = D.paths[i];
    fill(table(["path", "local derivatives", "product"], rows.map(({ way, factors, product, edges: list }) => {
      const row = h("tr", list.length ? { tabindex: 0 } : {}, h("td", {}, minus(way)), h("td", {}, minus(factors)), h("td", { class: signOf(product) }, minus(product)));
      if (list.length) {
        for (const [event, lit] of [["pointerenter", list], ["pointerleave", null]]) on(row, event, () => { over = lit; light(lit ?? held); });
        for (const [event, lit] of [["focus", list], ["blur", null]]) on(row, event, () => { held = lit; light(lit ?? over); });
      }
      return row;
    }), h("tr", {}, h("td", {}, minus(gradOf(i))), h("td", {}, count), h("td", { class: signOf(total) }, minus(total))), "mgs-paths"));
    if (D.rule) note("The sum over all paths is correct, whichever rule the pass breaks.");
  }
  function fill(...children) { // replaces the table; if one of its rows had the focus, the new row gets it
    const rows = () => [...ledger.querySelectorAll("[tabindex]")], at = rows().indexOf(ledger.getRootNode().activeElement);
    over = held = null;
    ledger.replaceChildren(...children);
    if (at >= 0) (rows()[at] ?? by[byPath ? 1 : 0]).focus({ preventScroll: true });
  }
  return { columns, phase, say, by, words, book, pane, contributions, get byPath() { return byPath; }, turn(paths, name = null) { byPath = paths; shown = name; pathsOf = null; }, renew() { pathsOf = null; }, has: name => panes.has(name), get shown() { return shown; } };
}
