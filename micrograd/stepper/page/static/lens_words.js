// The lens, in words: names with stacked indices, and the panes under the picture.

const UP = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", LOW = "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089";
const NAMED = new RegExp(`([wbsx])\u207d([${UP}]+)\u207e([${LOW}]+(?:,[${LOW}]+)?)?|([p])([${LOW}]+)`, "g");
const plainDigits = text => [...text].map(c => UP.includes(c) ? UP.indexOf(c) : LOW.includes(c) ? LOW.indexOf(c) : c).join("");
const raised = n => [...String(n)].map(c => UP[c]).join(""), lowered = n => [...String(n)].map(c => LOW[c] ?? c).join("");
const nameText = (letter, layer, low = "") => `${letter}\u207d${raised(layer)}\u207e${lowered(low)}`;
function spokenName(letter, layer, low) {
  if (!layer) return `${letter} ${low}`;
  if (!low) return `${letter}, layer ${layer}`;
  const [to, from] = low.split(",");
  return from ? `w, layer ${layer}, to neuron ${to} from ${from}` : letter === "x" && layer === "0" ? `input ${to}` : `${letter}, layer ${layer}, neuron ${to}`;
}
const parts = found => found[1] ? [found[1], plainDigits(found[2]), found[3] ? plainDigits(found[3]) : ""] : [found[4], "", plainDigits(found[5])];
const spoken = text => minus(text).replace(NAMED, (...found) => spokenName(...parts(found)));
// Returns a text as nodes: each name of the network with its indices one above the other.
function typed(text) {
  const out = [], t = minus(text ?? "");
  let at = 0;
  for (const found of t.matchAll(NAMED)) {
    const [letter, layer, low] = parts(found);
    out.push(t.slice(at, found.index), h("span", { class: "mgn-nm", role: "img", "aria-label": spokenName(letter, layer, low) }, letter,
      h("span", { class: layer && low ? "mgn-ix" : layer ? "mgn-ix up" : "mgn-ix low" }, layer ? h("span", {}, `(${layer})`) : null, low ? h("span", {}, low) : null)));
    at = found.index + found[0].length;
  }
  return [...out, t.slice(at)].filter(part => part !== "");
}
// The width of a typed text in the picture.
const typedWidth = (text, size) => widthOf(text.replace(NAMED, "$1$4"), size) + [...text.matchAll(NAMED)].reduce((sum, found) => { const [, layer, low] = parts(found); return sum + 2 + Math.max(widthOf(layer && `(${layer})`, 10), widthOf(low, 10)); }, 0);
// A name that is longer than its room, with a shorter name of the network: its letter and its indices stay.
function shortName(name, room, size) {
  const found = typedWidth(name, size) > room && name.match(/^(.{2,})\.([wbsx]\u207d.*)$/u);
  if (!found) return name;
  const [, whole, own] = found, letters = [...whole];
  for (let n = letters.length - 1; n; n--) { const short = `${letters.slice(0, n).join("")}\u2026.${own}`; if (typedWidth(short, size) <= room) return short; }
  const least = `${letters[0]}.${own}`;
  return typedWidth(least, size) <= room ? least : own;
}
function ident(name) { // the same in a formula
  const mi = text => make("m", "mi", { mathvariant: "normal" }, text), out = [], t = minus(name);
  let at = 0;
  for (const found of t.matchAll(NAMED)) {
    const [letter, layer, low] = parts(found), top = M("mrow", M("mo", "("), M("mn", layer), M("mo", ")"));
    if (found.index > at) out.push(mi(t.slice(at, found.index)));
    out.push(layer && low ? M("msubsup", mi(letter), M("mn", low), top) : layer ? M("msup", mi(letter), top) : M("msub", mi(letter), M("mn", low)));
    at = found.index + found[0].length;
  }
  if (at < t.length) out.push(mi(t.slice(at)));
  return out.length === 1 ? out[0] : M("mrow", ...out);
}

function fitted(text, room, size) { // as many digits as there is room for
  const t = minus(text);
  if (widthOf(t, size) <= room || !/\d/.test(t)) return t;
  for (const n of [3, 2, 1]) {
    const short = minus(numberText(numberOf(text), n, text.startsWith("+")));
    if (widthOf(short, size) <= room) return short;
  }
  return "\u2026";
}
const inParens = t => /^[-\u2212\u2248]/.test(t) ? `(${minus(t)})` : minus(t);
const SYMBOL = { sigmoid: "\u03c3" };

function lensWords(V, on) {
  const { D, nodes, steps, net, root } = V;
  const stepHead = h("h3"), say = h("p", { class: "mgs-say" }), math = h("div", { class: "mgs-math" }), rule = h("p", { class: "mgs-rule" }), tiles = h("div", { class: "mgs-tiles" }), intro = h("p", { class: "mgs-note" });
  const stepPane = h("div", { class: "mgs-card mgn-step" }, stepHead, say, math, rule, tiles, intro);
  const tabs = new Map(), tabList = h("div", { class: "mgs-by", role: "tablist", "aria-label": "Details" }), head = h("h3"), body = h("div", { class: "mgn-body" });
  const detail = h("div", { class: "mgs-card mgn-detail" }, h("div", { class: "mgs-head" }, head, tabList), body);
  const layerHead = h("h3"), layerBody = h("div", { class: "mgn-body" }), layerPane = h("div", { class: "mgs-card mgn-layer", hidden: "" }, layerHead, layerBody);
  function pane(name, title, draw) { // a tab of the second pane
    const tab = h("button", { type: "button", role: "tab", tabindex: -1 }, title);
    tabs.set(name, { tab, draw }); tabList.append(tab);
    on(tab, "click", () => V.choose(name));
  }
  pane("sum", "Sum", () => { const i = V.sumOf(); if (i == null) paintSaved(); else paintSum(i); });
  pane("layer", "Layer", () => paintLayer(head, body));

  const { called } = V, rootName = called(root);
  const bound = name => { const short = withoutSample(name, rootName); return short.includes(" ") ? `(${short})` : short; }; // of the sample that is shown
  const partial = (a, b) => typed(`\u2202${bound(a)}/\u2202${bound(b)}`), gradOf = i => nodes[i].role === "const" ? typed(gradNamed(nodes[i], called(i))) : partial(rootName, called(i));
  const formula = (...c) => make("m", "math", { displaystyle: "true" }, ...c);
  const ratio = (a, b) => M("mfrac", M("mrow", M("mo", "\u2202"), ident(bound(a))), M("mrow", M("mo", "\u2202"), ident(bound(b))));
  const tile = (value, kind, caption, under) => h("div", { class: `mgs-tile${kind ? ` ${kind}` : ""}${value.length > 7 ? " long" : ""}` },
    h("b", { class: kind === "local" || kind === "lost" ? null : signOf(value) }, minus(value)), h("span", {}, caption), h("span", {}, under));
  const op = c => h("span", { class: "mgs-op", "aria-hidden": "true" }, c);
  const text = i => i == null || i < 0 ? "" : D.strings[i];

  function chainTiles(s, words = ["upstream", "local", "now"]) {
    const several = s.of > 1 || D.assigns, t = [];
    if (several && (s.i > 1 || numberOf(s.before))) t.push(tile(s.before, D.assigns ? "lost" : "", D.assigns ? "lost" : "before", gradOf(s.p)), op(D.assigns ? "\u2192" : "+"));
    t.push(tile(s.up, "", words[0], gradOf(s.n)), op("\u00d7"), tile(s.loc, "local", words[1], partial(called(s.n), called(s.p))), op(s.equals || "="),
      tile(s.after + (s.correct ? "!" : ""), "now", words[2], s.correct ? `correct: ${minus(s.correct)}` : gradOf(s.p)));
    tiles.append(...t);
    tiles.classList.toggle("four", t.length > 5);
  }
  function weightedSum(at) { // with the numbers of at most four inputs
    const shown = at.w.slice(0, 4).map((w, i) => [nodes[w].text, nodes[at.in[i]].text]), rest = at.w.length - shown.length;
    const total = shown.reduce((sum, [a, b]) => sum + numberOf(a) * numberOf(b), at.b == null ? 0 : numberOf(nodes[at.b].text)), given = nodes[at.s].text;
    return typed(`${nodes[at.s].name} = ${shown.map(([a, b], i) => `${i ? inParens(a) : a} \u00b7 ${inParens(b)}`).join(" + ")}${rest > 0 ? ` + \u2026 ${rest} more` : ""}${at.b == null ? "" : ` + ${inParens(nodes[at.b].text)}`} ${!rest && numberText(total) === given ? "=" : "\u2248"} ${given}`);
  }
  const expression = s => typed(s.before === nodes[s.n].name ? `${called(s.n)} = ${s.up} ${s.loc} ${s.after}` : `${called(s.n)} = ${s.before} = ${s.up} ${s.loc} ${s.after}`);

  // ---- the step, or the whole stop of a network
  function paintStep() {
    const k = V.k, s = steps[k], group = V.groupAt[k], back = V.back();
    for (const e of [math, rule, tiles, intro]) e.replaceChildren();
    let sentence = s.say, title = V.sectionTitle(k);
    if (V.open) {
      if (s.k === "chain") {
        title = s.asked ?? `${title}: chain rule`;
        oneStep(s); rule.append(...typed(s.rule));
      } else if (s.k === "seed") math.append(formula(ratio(rootName, rootName), M("mo", "="), M("mn", "1")));
      else {
        const at = V.placeOf.get(s.n), whole = at && s.n === V.neuron(at.layer, at.neuron)?.s;
        math.append(h("span", { class: "mgn-line" }, whole && !V.neuron(at.layer, at.neuron).parts.length ? weightedSum(V.neuron(at.layer, at.neuron)) : expression(s)));
        rule.append(...typed(s.rule));
      }
    } else {
      if (group.say) sentence = group.say;
      const [a, b] = group.steps, inside = steps.slice(a, Math.min(b, k) + 1), at = group.layer && V.neuron(group.layer, group.neuron);
      if (V.isRest(k)) sentence = V.restText();
      else if (at && !back) {
        const x = inside.find(q => q.n === at.x);
        math.append(h("span", { class: "mgn-line" }, weightedSum(at)));
        if (x) { math.append(h("span", { class: "mgn-line" }, expression(x))); rule.append(...typed(x.rule)); }
      } else if (at) {
        const q = inside.find(q => q.p === at.s) ?? inside.find(q => at.w.includes(q.p));
        if (q) oneStep(q);
      } else if (s.show) s.show(math);
      else if (group.kind === "operation" && back) passedOn();
      else lossGroup(inside, back);
    }
    stepHead.textContent = title;
    say.replaceChildren(...typed(sentence));
    V.tell(`${title}. ${spoken(sentence)}`);
    intro.hidden = V.pos() > 0;
    if (V.pos() === 0) intro.append(V.introduction());
  }
  const moreOf = n => h("span", { class: "mgs-op mgn-more" }, `\u2026 ${n} more`);
  function oneStep(q) {
    const adds = D.assigns ? make("m", "mo", { class: "broken" }, "=") : M("mo", q.of > 1 ? "+=" : "=");
    math.append(formula(ratio(rootName, called(q.p)), adds, ratio(rootName, called(q.n)), M("mo", "\u00b7"), ratio(called(q.n), called(q.p))));
    chainTiles(q);
  }
  function passedOn() {
    const given = V.passedOn(), targets = [...new Set(given.map(q => q.p))];
    if (given.length === 1) return oneStep(given[0]);
    const shown = targets.length > 4 ? targets.slice(0, 3) : targets;
    shown.forEach(i => tiles.append(tile(V.grad(i).text, "now", "gradient", gradOf(i))));
    if (targets.length > shown.length) tiles.append(moreOf(targets.length - shown.length));
  }
  // The rule p - y, times what the loss of the sample gets; whole where nothing else is added to an output.
  function outputRule(term) {
    const given = V.grad(term.node)?.text, f = given == null ? 1 / net.samples : numberOf(given), is = (a, b) => !(Math.abs(a - b) > 2e-3 * Math.abs(f));
    const whole = V.outputs().every((i, j) => !V.grad(i) || is(numberOf(V.grad(i).text), f * (numberOf(term.p[j]) - (j === term.right ? 1 : 0))));
    return { one: f === 1, whole, share: is(f, 1) ? "" : is(f, 1 / net.samples) ? `/ ${net.samples}` : `${minus(given).replace("+", "")} \u00b7` };
  }
  function lossGroup(inside, back) {
    const last = inside.at(-1), term = V.term();
    if (!back) {
      if (!last) return;
      if (last.before.length < 90) math.append(h("span", { class: "mgn-line" }, expression(last)));
      if (last.rule.length < 160) rule.append(...typed(last.rule));
      return;
    }
    const outs = V.outputs().filter(i => V.grad(i)), shown = outs.length > 4 ? outs.slice(0, 3) : outs;
    if (!shown.length) return;
    if (term?.p && term.p.length === V.outputs().length && outputRule(term).one && outputRule(term).whole) {
      math.append(formula(M("mfrac", M("mrow", M("mo", "\u2202"), ident(rootName)), M("mrow", M("mo", "\u2202"), ident(V.layerText("s", net.layers.length)))), M("mo", "="), M("mi", "p"), M("mo", "\u2212"), M("mi", "y")));
      shown.forEach(i => { const j = V.outputs().indexOf(i); tiles.append(tile(V.grad(i).text, "now", `${minus(term.p[j])} \u2212 ${j === term.right ? 1 : 0}`, gradOf(i))); });
    } else if (shown.length === 1) { const q = inside.findLast(q => q.p === shown[0]); if (q) oneStep(q); }
    else shown.forEach(i => tiles.append(tile(V.grad(i).text, "now", "gradient", gradOf(i))));
    if (outs.length > shown.length) tiles.append(moreOf(outs.length - shown.length));
  }

  // ---- sum: where a gradient comes from; in the forward pass what is saved for it
  const table = (heads, rows, foot) => h("table", {}, h("thead", {}, h("tr", {}, heads.map(t => h("th", { scope: "col" }, t)))), h("tbody", {}, rows), foot ? h("tfoot", {}, foot) : null);
  const cells = (...c) => c.map(content => h("td", {}, content));
  function paintSaved() {
    head.textContent = "Saved for the backward pass";
    const rows = [], done = V.saved();
    for (const group of done) for (let j = group.steps[0]; j <= Math.min(group.steps[1], V.k); j++) {
      const s = steps[j], n = nodes[s.n], at = V.placeOf.get(s.n), whole = at && V.neuron(at.layer, at.neuron);
      if (whole?.parts.includes(s.n) || (whole?.parts.length && s.n === whole.s)) continue;
      const list = n.loc.length > 4 ? [...n.loc.slice(0, 3), `\u2026 ${n.loc.length - 3} more`] : n.loc;
      const [what, numbers] = whole && s.n === whole.s ? [typed(`\u2202${n.name}/\u2202w: its inputs`), whole.in.slice(0, 3).map(i => nodes[i].text).concat(whole.in.length > 3 ? [`\u2026 ${whole.in.length - 3} more`] : [])]
        : whole ? [typed(`${SYMBOL[whole.activation] ?? whole.activation}\u2032 at ${nodes[whole.s].name}`), n.loc] : ["local derivatives", list];
      rows.push(h("tr", { class: j > V.lastStop() && j <= V.k ? "cur" : null }, cells(typed(called(s.n)), what, numbers.map(minus).join(", "))));
    }
    const shown = rows.slice(-7);
    body.replaceChildren(table(["value", "local derivative", ""], shown));
    if (rows.length > shown.length) body.append(h("p", { class: "mgs-note" }, `And ${rows.length - shown.length} value${rows.length - shown.length > 1 ? "s" : ""} before.`));
  }
  function paintSum(i) {
    const s = steps[V.k], q = V.grad(i), n = nodes[i], turn = Math.max(1, s.turn), all = V.gives[i].filter(j => D.turns < 2 || steps[j].turn === turn);
    head.replaceChildren("Where ", ...gradOf(i), " comes from");
    if (!all.length) {
      body.replaceChildren(h("p", { class: "mgs-note" }, ...typed(`No gradient reaches ${called(i)}: ${rootName} does not depend on it.`)));
      return;
    }
    const size = j => Math.abs(numberOf(steps[j].con)) || 0, now = all.findLast(j => j <= V.k);
    let rows = all;
    if (all.length > 6) { const kept = new Set([...all].sort((a, b) => size(b) - size(a)).slice(0, 4)); if (now != null) kept.add(now); rows = all.filter(j => kept.has(j)); }
    const tr = rows.map(j => {
      const c = steps[j], todo = j > V.k, jump = h("button", { type: "button", class: "mgn-jump", "aria-label": `Go to step ${j + 1}`, title: `Go to step ${j + 1}` }, `${j + 1}`);
      jump.onclick = () => V.showStep(j);
      return h("tr", { class: V.isNow(j) ? "cur" : todo ? "todo" : null }, cells(c.k === "seed" ? "it is the start" : typed(called(c.n)), todo ? "not yet" : c.asked ? "your guess" : c.k === "seed" ? "" : `${minus(c.up)} \u00d7 ${inParens(c.loc)}`, todo ? "" : c.k === "seed" ? "+1" : minus(c.con), jump));
    });
    const rest = all.filter(j => !rows.includes(j)), done = rest.filter(j => j <= V.k);
    if (rest.length) tr.push(h("tr", { class: done.length ? null : "todo" }, cells(`and ${rest.length} more`, done.length < rest.length ? `${done.length} of ${rest.length} so far` : "together", done.length ? minus(numberText(done.reduce((sum, j) => sum + numberOf(steps[j].con), 0), 4, true)) : "", "")));
    const foot = q?.text === "?" ? `${q.got - 1} of ${q.of} so far` : !q ? `0 of ${all.length}` : q.held ? "left over" : q.got === q.of ? "final" : `${q.got} of ${q.of} so far`;
    body.replaceChildren(table(["through", "upstream \u00d7 local", "adds", "step"], tr,
      h("tr", {}, h("td", {}, gradOf(i)), h("td", {}, foot), h("td", { class: q ? signOf(q.text + (q.correct ? "!" : "")) : null }, q ? minus(q.text) + (q.correct ? "!" : "") : "\u2013"), h("td"))));
    if (q?.correct) body.append(h("p", { class: "mgs-note" }, `${minus(q.correct)} would be correct.`));
    else if (q && q.got === q.of && !n.sym && net.loss && Number.isFinite(numberOf(q.text))) body.append(h("p", { class: "mgs-note" }, ...typed(`If ${n.role === "const" ? "the number " : ""}${called(i)} grows by 0.01, ${rootName} changes by about ${numberText(numberOf(q.text) * .01, 4, true)}.`)));
    const code = V.code(i);
    if (code) body.append(h("p", { class: "mgs-note" }, "In Python: ", h("code", {}, code)));
  }

  // ---- layer: the rules in matrices, with the numbers of this sample
  function folded(n, now) { // of many rows the first, the current and the last; -1 stands for what is left out
    if (n <= 6) return Array.from({ length: n }, (_, i) => i);
    const keep = [...new Set([0, Math.max(0, now), n - 1])];
    return keep.flatMap((i, j) => j && i > keep[j - 1] + 1 ? [-1, i] : [i]);
  }
  function matrix(rows, columns, cell) {
    const e = h("span", { class: "mgn-mat" }, rows.flatMap(r => columns.map(c => r < 0 || c < 0 ? h("span", { class: r < 0 ? "dim gap" : "dim" }, r < 0 && c < 0 ? "\u22f1" : r < 0 ? "\u22ee" : "\u22ef") : cell(r, c))));
    e.style.gridTemplateColumns = `repeat(${columns.length}, auto)`;
    return e;
  }
  function paintLayer(headE, bodyE) {
    const k = V.k, s = steps[k], group = V.groupAt[k], back = V.back(), layer = V.layerNow();
    const on = new Set((V.open ? [s] : V.isRest(k) ? [] : steps.slice(group.steps[0], Math.min(group.steps[1], k) + 1)).map(q => q.k === "chain" ? q.p : q.n));
    const three = t => t === "?" ? "\u2013" : minus(t.length > 5 ? numberText(numberOf(t), 3, t.startsWith("+")) : t);
    const data = (i, mark = true) => { const known = V.known(i); return h("span", { class: mark && !back && on.has(i) ? "cur" : known ? null : "dim" }, known ? three(nodes[i].text) : "\u2013"); };
    const grad = (i, mark = true) => { const q = V.grad(i); return h("span", { class: mark && back && on.has(i) ? "cur" : !q || q.got < q.of ? "dim" : q.correct ? "bad" : null }, q ? three(q.text) : "\u2013"); };
    const line = (now, name, ...c) => captioned("", now, name, ...c), captioned = (caption, now, name, ...c) => h("div", { class: "mgn-rule" + (now ? " cur" : "") }, caption ? h("span", { class: "mgn-caption" }, caption) : null, h("span", { class: "f" }, typed(name)), c);
    const d = (letter, l) => `\u2202${rootName}/\u2202${V.layerText(letter, l)}`, lone = [0];
    if (!layer) {
      const term = V.term(), l = net.layers.length, outs = V.outputs(), rows = folded(outs.length, term?.right ?? -1);
      headE.textContent = term?.p ? "The loss in vectors" : "The loss";
      const p = term?.p, known = V.known(term?.node ?? root), number = t => h("span", { class: known ? null : "dim" }, known ? three(t) : "\u2013");
      const kids = [], apart = group.kind !== "loss"; // then the loss is shown, but not now
      const { share, whole } = p?.length === outs.length ? outputRule(term) : {}, rest = whole === false ? D.rule ? ", if nothing is broken" : " + \u2026" : "";
      if (p && p.length === outs.length) kids.push(
        line(!back && !apart, `p = softmax(${V.layerText("s", l)})`, matrix(rows, lone, r => number(p[r])), "= softmax", matrix(rows, lone, r => data(outs[r], false))),
        line(back && !apart, `${d("s", l)} = ${!share ? "p \u2212 y" : share[0] === "/" ? `(p \u2212 y) ${share}` : `${share} (p \u2212 y)`}${rest}`, matrix(rows, lone, r => grad(outs[r])), "=", share ? share[0] === "/" ? "(" : `${share} (` : null, matrix(rows, lone, r => number(p[r])), "\u2212", matrix(rows, lone, r => h("span", {}, r === term.right ? "1" : "0")), share ? share[0] === "/" ? `) ${share}` : ")" : null, rest),
        h("p", { class: "mgs-note" }, "y is 1 for the right class and 0 for the others. Three digits here."));
      else kids.push(h("p", { class: "mgs-note" }, ...typed([net.loss?.says, term?.name].filter(t => t).join("; "))),
        line(false, `${d(V.outputLetter(), l)}`, matrix(rows, lone, r => grad(outs[r]))));
      bodyE.replaceChildren(...kids);
      return;
    }
    const L = net.layers[layer - 1], all = L.neurons.map((_, j) => V.neuron(layer, j + 1)), first = all[0], now = group.layer === layer ? group.neuron - 1 : V.open?.layer === layer ? V.open.neuron - 1 : -1;
    const inNow = V.open && s.k === "chain" && now >= 0 ? Math.max(all[now].in.indexOf(s.p), all[now].w.indexOf(s.p)) : -1;
    const rows = folded(all.length, now), cols = folded(first.in.length, inNow), has = first.x != null, sym = SYMBOL[L.activation] ?? L.activation;
    const column = (list, f) => matrix(list, lone, f), w = (f, ...a) => matrix(rows, cols, (r, c) => f(all[r].w[c], ...a)), x = f => column(cols, c => f(first.in[c]));
    headE.textContent = `${capital(V.layerName(layer))} in matrices`;
    if (!back) {
      bodyE.replaceChildren(h("div", { class: "mgn-rules" },
        line(!V.open || s.n === all[now]?.s, `${V.layerText("s", layer)} = ${V.layerText("w", layer)} ${V.inputText(layer)} + ${V.layerText("b", layer)}`, column(rows, r => data(all[r].s)), "=", w(data, false), x(i => data(i, false)), ...(first.b == null ? [] : ["+", column(rows, r => data(all[r].b, false))])),
        has ? line(!V.open || s.n === all[now]?.x, `${V.layerText("x", layer)} = ${sym}(${V.layerText("s", layer)})`, column(rows, r => data(all[r].x)), `= ${sym}`, column(rows, r => data(all[r].s, false))) : line(false, `${V.layerText("x", layer)} = ${V.layerText("s", layer)}: this layer is linear`)),
      h("p", { class: "mgs-note" }, "Row j of w belongs to neuron j. Three digits here."));
      return;
    }
    // A rule holds where what has been passed by it is the number shown; else more is added to it.
    const amount = i => numberOf(V.grad(i)?.text ?? "0"), more = new Set();
    const arrived = i => V.gives[i].filter(j => j <= k && steps[j].k === "chain" && V.turns[j] === V.turns[k]);
    function holds(i, terms) { // terms: who passes it on, and how much that is
      if (!V.grad(i) || !terms.length) return true;
      const given = arrived(i), passed = terms.filter(([from]) => given.some(j => from.includes(steps[j].n))).map(([, x]) => x), shown = amount(i);
      if (!(Math.abs(shown - passed.reduce((sum, x) => sum + x, 0)) > 2e-3 * passed.reduce((sum, x) => sum + Math.abs(x), Math.abs(shown)))) return true;
      for (const j of given.filter(j => !terms.some(([from]) => from.includes(steps[j].n)))) { const at = V.placeOf.get(i), by = V.placeOf.get(steps[j].n); more.add(at && by?.layer === at.layer && by.neuron === at.neuron ? "the other samples so far" : "other paths, such as a penalty, a skip connection or another use of a weight"); }
      return false;
    }
    const every = (list, f) => list.map(f).every(Boolean); // so that all of it is asked
    const sums = a => [a.s, ...a.parts], weight = a => numberOf(nodes[a].text), ruled = (ok, name) => ok ? [name, "=", null] : D.rule ? [name.replace(" = ", " \u2260 "), "\u2260", null] : [`${name} + \u2026`, "=", "+ \u2026"];
    const is = list => V.open != null && s.k === "chain" && list.includes(s.p), local = r => h("span", {}, three(nodes[all[r].x].loc[0])), ds = r => grad(all[r].s, false);
    const passedTo = V.below(layer);
    const [nameS, signS, restS] = ruled(every(all, a => !has || holds(a.s, [[[a.x], amount(a.x) * numberOf(nodes[a.x].loc[0])]])), `${d("s", layer)} = ${d("x", layer)} \u2299 ${sym}\u2032`);
    const [nameB] = ruled(every(all, a => a.b == null || holds(a.b, [[sums(a), amount(a.s)]])), `${d("b", layer)} = ${d("s", layer)}`);
    const [nameW, signW, restW] = ruled(every(all, a => every(a.w, (w, c) => holds(w, [[sums(a), amount(a.s) * weight(a.in[c])]]))), `${d("w", layer)} = ${d("s", layer)} ${V.inputText(layer)}\u1d40`);
    const [nameX, signX, restX] = ruled(every(first.in, (i, c) => holds(i, all.map(a => [sums(a), amount(a.s) * weight(a.w[c])]))), `\u2202${rootName}/\u2202${V.inputText(layer)} = ${V.layerText("w", layer)}\u1d40 ${d("s", layer)}`);
    const foot = more.size && !D.rule ? ` + \u2026: what is added by ${[...more].sort().reverse().join(" and ")}.` : D.rule && [signS, signW, signX].includes("\u2260") ? " \u2260: not the whole sum, or broken on purpose." : "";
    bodyE.replaceChildren(h("div", { class: "mgn-rules" },
      has ? line(is(all.map(a => a.s)), nameS, column(rows, r => grad(all[r].s)), signS, column(rows, r => grad(all[r].x, false)), "\u2299", column(rows, local), restS) : line(false, `${d("s", layer)}, from ${layer < net.layers.length ? V.layerName(layer + 1) : net.loss ? "the loss" : "the start"}`, column(rows, r => grad(all[r].s))),
      first.b == null ? null : line(is(all.map(a => a.b)), nameB, column(rows, r => grad(all[r].b))),
      line(is(all.flatMap(a => a.w)), nameW, w(grad), signW, column(rows, ds), matrix(lone, cols, (r, c) => data(first.in[c], false)), restW),
      captioned(`Passed back to ${passedTo}`, is(first.in), nameX, x(grad), signX, matrix(cols, rows, (r, c) => data(all[c].w[r], false)), column(rows, ds), restX)),
    h("p", { class: "mgs-note" }, `Yellow: this ${V.open ? "step" : "stop"}. \u2013: not yet. Three digits here.${foot}`));
  }

  const panes = () => [...tabs.keys()].filter(name => name !== "layer" || layerPane.hidden);
  const layout = () => { const both = V.width >= 1240; layerPane.hidden = !both; tabs.get("layer").tab.hidden = both; tabList.hidden = panes().length < 2; };
  function paint() {
    paintStep();
    const wanted = V.tabNow(), shown = panes().includes(wanted) ? wanted : "sum";
    tabs.forEach(({ tab }, name) => { put(tab, "aria-selected", String(name === shown)); put(tab, "tabindex", name === shown ? "0" : "-1"); });
    put(tabs.get("sum").tab, "text", V.sumOf() == null ? "Saved" : "Sum");
    if (!layerPane.hidden) paintLayer(layerHead, layerBody);
    tabs.get(shown).draw(body, head);
  }
  return { stepPane, detail, layerPane, paint, layout, pane, panes, has: name => tabs.has(name) };
}
