// Two walks on one slider: each is a page of its own, of which only the picture is shown; the
// controls are those of the first, and both show the same step, neuron and picked value.

// What is known after a step: the text of each value, and of its gradient; null: nothing yet.
function shownAfter(D, k) {
  const data = D.nodes.map(n => n.sym ? null : n.text), last = D.nodes.map(() => null);
  for (const s of D.steps.slice(0, k + 1)) {
    if (s.k === "forward") data[s.n] = D.nodes[s.n].text;
    if (s.k === "seed" && s.turn > 1) D.nodes.forEach((n, i) => { if (n.sym) last[i] = null; });
    if (s.k === "seed" || s.k === "chain") last[s.k === "seed" ? s.n : s.p] = s;
  }
  return { data, grads: last.map(s => s && s.after) };
}

function mountCompare(model, el, keep) {
  const { as, compare, heads, names, says } = model.get("data"), quit = new AbortController(), hosts = [], own = el.id === "mgs";
  const on = listening(quit);
  const cells = heads.map(text => h("div", { class: "mgc-cell", role: "group", "aria-label": capital(text) }, h("h3", {}, capital(text)), h("div")));
  const say = h("p", { class: "mgs-say", role: "status", "aria-live": "polite", "aria-atomic": "true" }), body = h("div", { class: "mgc-table", tabindex: 0, role: "group", "aria-label": "What differs so far" });
  const controls = h("div"), below = h("div"), above = h("div");
  const app = h("section", { class: `mgs mgc${compare[0].net ? " mgn" : ""}`, "aria-label": `Two walks compared: ${heads.join(" and ")}`, dir: "ltr" }, above, h("div", { class: "mgc-pair" }, cells), controls,
    h("div", { class: "mgs-cols mgc-words" }, h("div", { class: "mgs-card" }, h("h3", {}, "This step"), say), h("div", { class: "mgs-card" }, h("h3", {}, "What differs so far"), body)), below);
  el.replaceChildren(app);
  const leave = [followTheme(app, el, model, on, () => {})];
  const ownKeys = address => {
    address.add("compare", () => as, text => text === as ? undefined : `This link compares with ${cutShort(text)}, this page with ${as}.`);
    for (const key of ["guess", "lr", "optimizer", "zero_grad"]) address.add(key, () => "", () => "Two walks side by side ask for no guesses and make no updates: the page of one walk does.");
  };
  const longer = +(compare[0].steps.length < compare[1].steps.length); // it has the controls and the address
  compare.map(data => ({ ...data, guess: null, update: null })).forEach((data, j) => { // nothing is asked for: the other picture shows it
    const one = pageModel({ data, step: model.get("step"), theme: model.get("theme"), editable: true, error: "", start: j === longer ? model.get("start") : {}, owns: own && j === longer, joined: host => { hosts.push(host); if (j === longer) ownKeys(host.address); } });
    leave.push((data.net ? mountLens : mount)(one, cells[j].lastChild, null, () => {}));
  });
  const [A, B] = hosts, lead = hosts[longer], follower = hosts[1 - longer];
  hosts.forEach(host => { host.silent = true; });
  above.append(lead.top, lead.alert); controls.append(lead.legend, lead.bar); below.append(...lead.app.querySelectorAll(".mgs-share, .mgs-keys"));
  [...below.querySelectorAll("kbd")].find(e => e.textContent === "f")?.parentElement.remove();
  lead.keys.delete("f"); // one picture is presented, not two
  lead.picture = app.querySelector(".mgc-pair");

  // ---- both show the same
  let busy = false, due = false;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  function joined(from, to) {
    const wanted = from.shared(), last = from.D.steps.length - 1, k = wanted.k === last && to.k() > last ? to.k() : Math.min(wanted.k, to.D.steps.length - 1);
    if (busy || same({ ...wanted, k }, to.shared())) return;
    busy = true; to.follow({ ...wanted, k }); busy = false;
  }
  for (const [from, to] of [[A, B], [B, A]]) {
    from.painted.push(() => { joined(from, to); if (!due) { due = true; queueMicrotask(() => { due = false; paint(); }); } });
    if (!from.live || !to.live) continue;
    const { set, reset } = from.live, repainted = act => { if (!busy) { busy = true; act(); to.paint(); busy = false; } };
    from.live.set = changes => { const said = set(changes); if (!said) repainted(() => to.live.set([...changes].map(([i, x]) => [i, x === from.live.original(i) ? to.live.original(i) : x]))); return said; };
    from.live.reset = () => { reset(); repainted(() => to.live.reset()); };
  }

  // ---- what differs
  function sentence() {
    const k = lead.k(), at = { step: k + 1, first: names[0], second: names[1], First: capital(names[0]), Second: capital(names[1]) };
    const gone = hosts.findIndex(host => k >= host.D.steps.length);
    if (gone >= 0) return worded(says.ended, { Name: capital(names[gone]) });
    const stop = lead.D.sections.flatMap(section => section.groups).find(g => g.steps[0] <= k && k <= g.steps[1])?.steps[0] ?? k, whole = lead.shared().open === null ? stop : k;
    const pair = j => hosts.map(host => host.D.steps[j]), number = s => s.k === "update" ? s.up : s.after, place = s => [s.k, s.n, s.p, s.i].join();
    let j = k; // of a stop of several steps the last one that differs
    while (j > whole && number(pair(j)[0]) === number(pair(j)[1])) j--;
    const [a, b] = pair(j), numbers = { left: number(a), right: number(b) };
    if (place(a) !== place(b)) return worded(says.other, { ...at, left: a.say, right: b.say });
    if (number(a) === number(b)) return worded(says.same, { ...at, ...numbers });
    return worded(says.apart, { ...at, step: j + 1, ...numbers }) + (B.D.assigns && b.k === "chain" && numberOf(b.before) ? worded(says.lost, { lost: b.before }) : "");
  }
  function paint() {
    const [a, b] = hosts.map(host => shownAfter(host.D, host.k())), rows = [], apart = new Set();
    A.D.nodes.forEach((n, i) => {
      for (const [key, plus] of [["data", false], ["grads", true]]) {
        const x = a[key][i], y = b[key][i];
        if (x == null || y == null || x === y) continue;
        apart.add(i);
        const name = A.typed(plus ? gradNamed(n, A.called(i)) : A.called(i));
        rows.push(h("tr", {}, h("td", {}, name), h("td", {}, minus(x)), h("td", { class: B.D.rule ? "bad" : null }, minus(y)), h("td", {}, minus(numberText(numberOf(y) - numberOf(x), 4, true)))));
      }
    });
    put(app, "data-differs", apart.size ? "" : null);
    hosts.forEach((host, j) => host.cards().forEach(({ e, i }) => put(e, "data-apart", apart.has(i) ? j && host.D.rule ? "wrong" : "right" : null)));
    say.replaceChildren(...A.typed(sentence()));
    const cell = (tag, text) => h(tag, tag === "th" ? { scope: "col" } : {}, text);
    body.replaceChildren(rows.length ? h("table", {}, h("thead", {}, h("tr", {}, ["", names[0], names[1], "difference"].map(text => cell("th", text)))), h("tbody", {}, rows)) : h("p", { class: "mgs-note" }, "Nothing: all numbers are the same so far."));
  }
  joined(lead, follower);
  if (A.live && B.live && lead.live.changed().size) { follower.live.set([...lead.live.changed()]); follower.paint(); } // of the link
  hosts.forEach(host => host.resize());
  paint();

  // ---- keys and size: what is pressed outside of the two pictures is for the lead
  hearKeys(app, el, on, e => {
    const t = e.target;
    if (hosts.some(host => host.app.contains(t)) || t.closest?.("input, select") || (t.closest?.("button") && /^(Enter| )$/.test(e.key))) return;
    e.preventDefault();
    lead.app.dispatchEvent(new KeyboardEvent("keydown", { key: e.key, shiftKey: e.shiftKey, cancelable: true }));
  });
  return () => { quit.abort(); leave.forEach(f => f()); return null; };
}
