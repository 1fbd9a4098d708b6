// Guessing: the number of a chain step is asked for before it is shown. While it is, the step holds
// "?" in place of its texts, so that nothing that reads the step can show or say it. What is said
// comes from Python (sentences/mistakes.py), as do the mistakes: formulas of the step's numbers.

// The number of a formula of + - * / on names and numbers.
function formulaOf(text, names) {
  const tokens = text.match(/[\w.]+|[-+*/()]/g);
  const atom = () => { const t = tokens.shift(); if (t === "-") return -atom(); if (t !== "(") return names[t] ?? Number(t); const x = sum(); tokens.shift(); return x; };
  const product = () => { let x = atom(); while (/^[*/]$/.test(tokens[0])) x = tokens.shift() === "*" ? x * atom() : x / atom(); return x; };
  const sum = () => { let x = product(); while (/^[-+]$/.test(tokens[0])) x = tokens.shift() === "+" ? x + product() : x - product(); return x; };
  return sum();
}

// What was typed as a number, and half a unit of its last digit; null if it is none.
function guessTyped(typed) {
  const text = typedNumber(typed.trim().replace(/^\+(?=[\d.])/, ""));
  if (text == null || !Number.isFinite(numberOf(text))) return null;
  const x = numberOf(text), [digits, exponent] = text.toLowerCase().split("e");
  return { x, half: text.includes("/") || x === 0 ? 0 : Number(`0.5e${(exponent | 0) - (digits.split(".")[1] ?? "").length}`) };
}

// Whether a guess is right, null if it is no number; and what is said of the mistake, "" of one without a name.
function guessJudged(G, asked, typed, local = false) {
  const guess = guessTyped(typed);
  if (!guess) return [null, G.said["no number"]];
  const { x, half } = guess, close = (a, right) => Math.abs(a - right) <= .01 * Math.abs(right) * (1 + 1e-9);
  const a = local ? { ...asked, up: 1, con: asked.local, before: 0, after: asked.local, given: [], probability: null } : asked;
  if (close(x, a.after)) return [true, ""];
  const away = Math.abs(x - a.after), isRounded = away <= half * (1 + 1e-9), [, one, pairs, gate, slips] = a.op;
  const unlike = list => list.filter(([wrong]) => !close(wrong, a.local)), once = [[0]], off = gate && a.local === 0 ? [[1]] : [];
  const lists = {
    once, off: one ? off : [], unchosen: one ? [] : off, class: a.probability == null ? [] : [[a.probability]],
    pair: unlike(a.operand < 2 * pairs ? [[a.own]] : []), other: unlike(a.locals.filter((_, i) => i !== a.operand).map(x => [x])),
    slip: unlike(slips.filter(([i]) => i == null || i === a.operand).map(([, formula, says]) => [formulaOf(formula, a), says])),
    more: a.before ? once : [], given: a.before ? [...a.given, a.con].map(x => [x]) : [],
  };
  for (const [, each, formulas, sentence, ofLocal] of G.mistakes) {
    if (local && !ofLocal) continue;
    for (const [number, says] of lists[each]) for (const formula of formulas) {
      const wrong = formulaOf(formula, { ...a, x: number });
      for (const w of [wrong, a.before + wrong]) {
        if (close(w, a.after)) continue; // it cannot be told from the right number
        const d = Math.abs(x - w);
        if (d <= Math.max(.01 * Math.abs(w), half) * (1 + 1e-9) && !(isRounded && away <= d)) return [false, says || sentence];
      }
    }
  }
  return [isRounded, ""];
}

PARTS.push(host => {
  const { D, on, app, model, address } = host, G = D.guess, nodes = D.nodes;
  if (!G) return;
  const kept = host.kept.guess ??= { level: G.level, open: new Map(), shown: new Set(), texts: new Map() }; // of questions: what is said, what is known, what was typed
  const said = (key, names = {}) => worded(G.said[key], names);
  const answers = () => model.get("answers") ?? [];

  // ---- the question of a step: its numbers, exact where the page computes them
  const bound = name => name.includes(" ") ? `(${name})` : name;
  function gradient(i) {
    const name = host.called(i), root = host.called(host.root);
    if (D.net) return `\u2202${bound(withoutSample(root, root))}/\u2202${bound(withoutSample(name, root))}`;
    return name.includes(" ") ? `the gradient of ${name}` : `${name}.grad`;
  }
  const arg = s => D.edges[s.e].arg ?? D.edges[s.e][2];
  const localOf = (n, j) => host.live?.local(n, j) ?? numberOf(nodes[n].loc[j]), dataOf = i => host.live?.value(i) ?? numberOf(nodes[i].text);
  const conOf = s => host.live ? host.live.grad(s.n) * localOf(s.n, arg(s)) : numberOf(s.con);
  const isAsked = s => s.k === "chain" && G.of[s.n] >= 0 && G.of[s.p] > -2;
  function questionAt(k) {
    const s = D.steps[k];
    if (!kept.level || !isAsked(s) || !host.single() || ![s.before, s.up, s.loc, s.con, s.after].every(text => Number.isFinite(numberOf(text)))) return null;
    return { k, s, key: `${k} ${s.after}` };
  }
  function numbersOf({ k, s }) {
    const earlier = D.steps.slice(0, k).filter(q => q.k === "chain" && q.p === s.p), given = earlier.map(conOf), before = host.live ? given.reduce((sum, x) => sum + x, 0) : numberOf(s.before);
    const term = s.i === s.of && D.net?.loss?.terms.find(t => t.right != null && t.p && t.outputs[t.right] === s.p), of = term && D.steps.find(q => q.k === "seed" ? q.n === term.node : q.k === "chain" && q.p === term.node && q.i === q.of);
    const locals = nodes[s.n].loc.map((_, j) => localOf(s.n, j)), con = conOf(s);
    return { op: G.ops[G.of[s.n]], operand: arg(s), up: host.live ? host.live.grad(s.n) : numberOf(s.up), local: locals[arg(s)], locals, con, before, after: host.live ? before + con : numberOf(s.after), given,
      own: dataOf(s.p), out: dataOf(s.n), probability: of ? numberOf(term.p[term.right]) * numberOf(of.after) : null };
  }

  // ---- what is hidden while a number is asked for
  let asked = null, restore = () => {};
  const hidesLocal = q => kept.level === 2 && !kept.shown.has(`${q.key} local`);
  function uncover() { restore(); restore = () => {}; asked = null; }
  function cover() {
    uncover();
    const q = questionAt(host.k());
    if (!q || kept.shown.has(q.key)) return;
    const { k, s } = q, numbers = numbersOf(q), loc = nodes[s.n].loc, hides = hidesLocal(q);
    asked = { ...q, numbers, hides, names: { node: host.called(s.n), parent: host.called(s.p), gradient: gradient(s.p), before: minus(s.before), op: numbers.op[0], where: "in the tiles" } };
    const shown = { asked: G.said.title, say: said(numbers.before ? "ask more" : "ask", asked.names), con: "?", after: "?", sum: "", correct: "", tc: null, tg: null, ...(hides ? { loc: "?", rule: "" } : {}) };
    D.steps[k] = Object.create(s, Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, { value }])));
    if (hides) nodes[s.n].loc = loc.map((text, j) => j === numbers.operand ? "?" : text);
    restore = () => { D.steps[k] = s; nodes[s.n].loc = loc; };
  }
  host.asking = () => asked != null;
  host.guesses = () => kept.level > 0;
  host.painting.push(cover);
  for (const name of ["set", "reset"]) if (host.live) { const change = host.live[name]; host.live[name] = (...a) => { uncover(); return change(...a); }; }

  // ---- the fields, the line below them, and the switch
  const field = (name, label) => h("input", { class: "mgs-guess-field", "data-asks": name, inputmode: "decimal", autocomplete: "off", spellcheck: "false", size: 5, placeholder: "?", "aria-label": label });
  const now = field("now", ""), local = field("local", "");
  const button = (text, label) => h("button", { type: "button", "aria-label": label }, text);
  const toggle = button("Guess"), check = button("Check"), show = button("Show"), level = button("Hide local", "Ask for the local derivative too"), copy = button("Copy answers"), score = h("span", { class: "mgs-score" });
  const hint = h("span", { class: "mgs-hint", "aria-live": "polite", "aria-atomic": "true" }), line = h("div", { class: "mgs-guess", role: "group", "aria-label": "Guess", hidden: "" }, hint, check, show, level, score, copy);
  host.top.append(toggle);
  app.querySelector(".mgs-tiles").after(line);
  let held = null, last = null, started = false, pressed = false; // the field with the focus; the question that was painted last; whether there was a first paint; whether a pointer is down
  host.painting.push(() => { const active = app.getRootNode().activeElement; held = active === now || active === local ? active : null; });
  function place(field, kind, caption) {
    const tile = app.querySelector(`.mgs-tile.${kind}`);
    if (!tile || tile.contains(field)) return;
    tile.querySelector("b").replaceWith(field);
    tile.querySelector("span").textContent = caption;
    tile.removeAttribute("title");
  }
  function paint() {
    const q = asked, mine = answers(), first = new Map();
    for (const a of mine) if (!first.has(a.step)) first.set(a.step, a.right);
    put(toggle, "aria-pressed", String(kept.level > 0));
    line.hidden = !kept.level;
    if (!kept.level) { last = null; return; }
    const done = q ? null : questionAt(host.k()), message = q ? kept.open.get(q.key) : done ? kept.open.get(done.key) : null;
    const [strong, words] = message ?? ["", q ? said("type") : done ? "" : said("only")];
    const text = `${strong} ${words}`;
    if (hint.dataset.text !== text) { hint.dataset.text = text; hint.replaceChildren(...(strong ? [h("b", {}, strong), " "] : []), ...host.typed(words)); }
    check.hidden = !q; show.hidden = !q || !mine.some(a => a.step === q.k + 1);
    level.hidden = !q; put(level, "aria-pressed", String(kept.level === 2));
    score.hidden = copy.hidden = !mine.length;
    score.textContent = said("score", { right: [...first.values()].filter(right => right).length, asked: first.size });
    if (!q) { last = null; return; }
    now.setAttribute("aria-label", `Your guess: ${host.spoken(gradient(q.s.p))}`);
    local.setAttribute("aria-label", `Your guess of the local derivative of ${host.spoken(q.names.node)} in ${host.spoken(q.names.parent)}`);
    place(now, "now", "your guess");
    if (q.hides) place(local, "local", "your local");
    if (last !== q.key) { now.value = kept.texts.get(q.key) ?? ""; local.value = ""; }
    const active = app.getRootNode().activeElement, fresh = started && last !== q.key && !pressed && (app.contains(active) || active === document.body);
    if (held?.isConnected || fresh) focusField(held?.isConnected ? held : q.hides ? local : now);
    last = q.key; held = null;
  }
  const focusField = field => queueMicrotask(() => { if (field.isConnected) field.focus({ preventScroll: true }); });
  let group = null; // what the closed network shows
  host.painted.push(() => { // in the backward pass a neuron is opened, once: it may be closed again
    const was = group;
    group = host.first();
    if (kept.level && host.closed() && group !== was && D.steps[group].k !== "forward") host.show(was == null ? model.get("step") : group, started);
    else paint();
    started = true;
  });
  on(app, "pointerdown", () => { pressed = true; }, { capture: true });
  for (const event of ["pointerup", "pointercancel"]) on(window, event, () => { pressed = false; }, { capture: true });

  // ---- answering
  function open(q, text) { kept.open.set(q.key, text); }
  function answer(field) {
    const q = asked, typed = field.value.trim();
    if (!q) return;
    const names = { ...q.names, typed };
    let [isRight, sentence] = guessJudged(G, q.numbers, typed), ofLocal = false;
    if (field === local) { [isRight, sentence] = guessJudged(G, q.numbers, typed, true); ofLocal = true; }
    const unnamed = ofLocal ? "local" : q.hides ? "none, local hidden" : "none";
    open(q, isRight ? [said("right"), ""] : isRight == null ? ["", worded(sentence, names)] : sentence ? [said("wrong"), worded(sentence, names)] : ["", said(unnamed, names)]);
    if (isRight != null && !ofLocal) {
      kept.texts.set(q.key, typed);
      model.set("answers", [...answers(), { step: q.k + 1, value: plainName(nodes[q.s.p].name), answer: typed, right: isRight, correct: q.numbers.after }]);
      model.save_changes();
    }
    if (isRight) kept.shown.add(ofLocal ? `${q.key} local` : q.key);
    host.paint();
    if (!isRight) { field.focus({ preventScroll: true }); field.select(); }
    else if (ofLocal) focusField(now);
    else app.querySelector('[aria-label="Step forward"]').focus({ preventScroll: true });
  }
  for (const field of [now, local]) on(field, "keydown", e => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (e.key === "Enter") { e.preventDefault(); answer(field); }
    else if (e.key === "Escape") { e.stopPropagation(); host.focus(asked.s.p); }
    else if (way && !field.value && !e.shiftKey) { e.preventDefault(); host.go(host.k() + way); }
  });
  on(check, "click", () => answer(local.isConnected && (local.value || !now.value) ? local : now));
  on(show, "click", () => { open(asked, [said("shown"), ""]); kept.shown.add(asked.key).add(`${asked.key} local`); host.paint(); app.querySelector('[aria-label="Step forward"]').focus({ preventScroll: true }); });
  on(level, "click", () => { kept.level = 3 - kept.level; host.paint(); });
  on(copy, "click", () => host.copy(answersText(answers()), copy, line, "Answers"));
  function switchTo(wanted) {
    kept.level = wanted;
    if (wanted) {
      const from = host.single() ? host.k() : host.first(), all = D.steps.map((_, j) => j).filter(j => isAsked(D.steps[j])), j = all.find(j => j >= from) ?? all[0];
      if (j != null && (j !== host.k() || !host.single())) host.show(j);
    }
    last = null;
    host.paint();
    address.changed();
  }
  on(toggle, "click", () => { switchTo(kept.level ? 0 : G.level || 1); if (asked) focusField(asked.hides ? local : now); });
  host.keys.set("g", () => toggle.click());
  address.add("guess", () => kept.level || "", text => /^[12]$/.test(text) ? void (kept.level = Number(text)) : false);
});

function answersText(answers) {
  const cell = value => /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value;
  return ["step,value,answer,right,correct", ...answers.map(a => [a.step, a.value, a.answer, a.right, a.correct].map(cell).join(","))].join("\n") + "\n";
}
