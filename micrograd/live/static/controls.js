// The controls of the live view: training, its settings, data and inputs. Those that cannot work,
// because a kernel trains or a run was recorded, are not there.

const SPEEDS = [["1 a second", 1], ["5 a second", 5], ["30 a second", 30], ["200 a second", 200], ["full", 0]]; // steps
const STRENGTHS = [0, .0001, .0003, .001, .003, .01, .03, .1, .3, 1], BATCHES = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256];
const inputText = name => name.replace(/(?<![\p{L}_])x(\d+)(?=$|\W|x\d)/gu, (_, n) => `x${lowered(n)}`); // x1x2 as x₁x₂

const setName = name => ({ own: "my own", none: "painted only" })[name] ?? name.replace("_", " ");

function liveControls(view) {
  const { on, source, button } = view, paints = [], settings = () => source.settings, choices = () => source.choices ?? {};
  const labelled = (name, ...parts) => h("label", {}, h("span", {}, name), ...parts);
  // A choice among values; the one of now is among them.
  function choice(name, values, now, text, act) {
    const s = h("select", {});
    let listed = "";
    on(s, "change", () => act(list()[s.selectedIndex]));
    const list = () => { const all = values(); return all.includes(now()) ? all : [...all, now()].sort((a, b) => typeof a === "number" ? a - b : 0); };
    paints.push(() => {
      const all = list(), key = JSON.stringify(all);
      if (key !== listed) { listed = key; s.replaceChildren(...all.map(v => h("option", {}, text(v)))); }
      if (s.selectedIndex !== all.indexOf(now())) s.selectedIndex = all.indexOf(now());
    });
    return labelled(name, s);
  }
  // A number that is typed. `valid(x)` is a sentence where it cannot be.
  function field(name, now, valid, act, attributes = {}) {
    const e = h("input", { class: "mgl-number", inputmode: "decimal", autocomplete: "off", ...attributes });
    on(e, "change", () => {
      const x = numberOf(typedNumber(e.value)), wrong = typedNumber(e.value) == null ? noNumber(e.value) : valid(x);
      view.say(wrong);
      if (wrong) e.value = numberText(now(), 6); else act(x);
    });
    paints.push(() => { if (view.active() !== e) put(e, "title", null), e.value = numberText(now(), 6); });
    return attributes["aria-label"] ? e : labelled(name, e);
  }
  const whole = (low, high) => x => Number.isInteger(x) && x >= low && x <= high ? "" : `A whole number from ${low} to ${high} can stand here.`;
  function slider(low, high, step, now, act, text, name) { // over powers of ten or over the numbers
    const e = h("input", { type: "range", min: low, max: high, step, "aria-label": name });
    on(e, "input", () => act(+e.value));
    paints.push(() => { const at = String(now()); if (view.active() !== e || Math.abs(e.value - at) > step) e.value = at; put(e, "aria-valuetext", minus(text())); });
    return e;
  }

  // Rarely used controls, behind a button; open where one of them is not as it was at first.
  function folded(name, controls, keys) {
    if (!controls.length) return [];
    const box = h("div", { class: "mgl-rare", hidden: "" }, controls), toggle = button(name, () => turn(box.hidden), `${name} settings`, { "aria-expanded": "false", class: "mgl-more" });
    const turn = yes => { box.hidden = !yes; put(toggle, "aria-expanded", String(yes)); };
    let asked = false;
    paints.push(() => { if (asked) return; asked = true; const first = source.defaults(settings().data); if (keys.some(key => settings()[key] !== first[key])) turn(true); });
    return [toggle, box];
  }

  // ---- the run
  const runButton = button("", view.run), stepButton = button("Step", view.forward), resetButton = button("Reset", view.reset), backButton = source.back ? button("Back", view.backward) : null;
  runButton.className = "mgl-run";
  const moment = source.go ? slider(0, source.last, 1, () => source.at, k => { source.run(false); source.go(k); }, () => view.frame.say, "Moment of the run") : null;
  const speed = source.kind === "kernel" ? null : choice("speed", () => SPEEDS.map(s => s[1]), () => view.speed, v => SPEEDS.find(s => s[1] === v)?.[0] ?? `${v} a second`, v => { view.speed = v; view.changed(); });
  let painted = null;
  paints.push(() => {
    const r = source.running;
    if (r !== painted) { painted = r; runButton.replaceChildren(icon(r ? ICON.pause : ICON.play), r ? "Pause" : source.go ? "Play" : "Run"); }
    if (source.go) { put(stepButton, "aria-disabled", String(source.at === source.last)); put(backButton, "aria-disabled", String(source.at === 0)); }
    else put(runButton, "aria-disabled", String(Boolean(view.frame.stopped)));
  });
  const run = h("div", { class: "mgl-bar", role: "group", "aria-label": "Training" }, runButton, backButton, stepButton, resetButton, speed, moment);

  // ---- how it is trained
  const parts = [], rare = [], set = part => view.change(part);
  if (settings()?.lr != null) {
    const rate = slider(-5, 1, .05, () => Math.log10(source.rate), v => set({ lr: Number((10 ** v).toPrecision(2)) }), () => numberText(source.rate), "Learning rate");
    parts.push(h("span", { class: "mgl-rate" }, labelled("learning rate", field("", () => source.rate, x => x > 0 && x <= 1e6 ? "" : "A learning rate above 0 and up to 1e6 can stand here.", lr => set({ lr }), { "aria-label": "Learning rate, typed" })), rate));
  }
  const picked = (key, name, text = String) => { if (choices()[key]?.length) parts.push(choice(name, () => choices()[key], () => settings()[key], text, v => set({ [key]: v }))); };
  picked("activation", "activation");
  if (source.runs) {
    const strength = (name, key) => choice(name, () => STRENGTHS, () => settings()[key], v => v ? numberText(v) : "none", v => set({ [key]: v }));
    picked("optimizer", "optimizer");
    rare.push(choice("loss", () => choices().loss, () => settings().loss, String, loss => set({ loss })), strength("L1", "l1"), strength("L2", "l2"), field("seed", () => settings().seed, whole(0, 2 ** 32 - 1), seed => set({ seed })));
    parts.push(choice("batch", () => BATCHES.filter(b => b < source.runs.data.training), () => settings().batch, v => v ? String(v) : "all", batch => set({ batch })));
  }
  const training = parts.length ? h("div", { class: "mgl-bar mgl-settings", role: "group", "aria-label": "Settings" }, parts, folded("More", rare, ["loss", "l1", "l2", "seed"])) : null;

  // ---- data and inputs
  const data = h("div", { class: "mgl-data" });
  if (source.runs) {
    const made = h("div", { class: "mgl-made" }), { task } = source.runs, noise = labelled("noise", slider(0, 1, .05, () => settings().noise, x => set({ noise: x }), () => numberText(settings().noise), "Noise"));
    const held = choice("held out", () => choices().held_out, () => settings().held_out, v => v ? `${numberText(100 * v)} %` : "none", v => set({ held_out: v }));
    const samples = field("samples", () => settings().n, x => whole(...sizesOf(task, settings().data, settings().held_out))(x), n => set({ n })), fresh = button("New data", () => set({ dataSeed: (settings().dataSeed + 1) % 2 ** 32 }));
    const seeds = h("div", { class: "mgl-seeds" }, fresh, labelled("seed", field("", () => settings().dataSeed, whole(0, 2 ** 32 - 1), dataSeed => set({ dataSeed }), { "aria-label": "data seed" })));
    made.append(noise, samples, held, seeds);
    paints.push(() => {
      const own = settings().data === "own", painted = settings().data === "none";
      made.hidden = painted || (own && choices().held_out.length < 2); samples.hidden = own; noise.hidden = own || isReal(task, settings().data); seeds.hidden = own && !settings().held_out;
      put(fresh, "text", own ? "New split" : "New data");
    });
    data.append(h("h3", {}, "Data"), choice("set", () => choices().data, () => settings().data, setName, v => set({ data: v })), made);
  }
  if (source.runs) {
    const chips = h("div", { class: "mgl-chips", role: "group", "aria-label": "Inputs of the network" });
    let listed = "";
    paints.push(() => {
      const all = choices().features, key = JSON.stringify(all);
      if (key !== listed) { listed = key; chips.replaceChildren(...all.map(chipOf)); }
      all.forEach((name, i) => put(chips.children[i], "aria-pressed", String(settings().features.includes(name))));
    });
    data.append(h("h3", {}, "Inputs"), chips);
  }
  function chipOf(name) {
    return button(inputText(name), () => {
      const chosen = settings().features, next = choices().features.filter(f => f === name ? !chosen.includes(f) : chosen.includes(f));
      if (next.length) set({ features: next }); else view.say("The network needs an input: choose another before this one goes.");
    });
  }
  return { run, training, data, moment, paint: () => paints.forEach(f => f()) };
}
