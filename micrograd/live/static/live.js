// ---- the live view: uses h, S, put, minus, icon, ICON, followTheme, hearKeys and render of the scripts above

const BUDGET = 12; // milliseconds of training between two frames
const TELL_KERNEL = 1000; // milliseconds between two reports to the kernel while a run goes on

function renderLive({ model, el }) {
  const quit = new AbortController(), leaves = [];
  const on = (t, type, f, o = {}) => t.addEventListener(type, f, { ...o, signal: quit.signal });
  const listen = (event, f) => { model.on(event, f); leaves.push(() => model.off(event, f)); };
  const data = structuredClone(model.get("data")), app = h("section", { class: "mgs mgl", "aria-label": data.title, tabindex: "-1" });
  const status = h("p", { class: "mgl-say", "aria-hidden": "true" }), heard = h("p", { role: "status", "aria-live": "polite", class: "mgl-heard" }), alert = h("p", { role: "alert", class: "mgs-alert", hidden: "" });
  let seq = 0, complaint = "", mounted = false, colours = {}; // those of the theme, as they are read
  const ask = (what, given = null) => { say(""); model.set("command", { do: what, with: given, seq: `${++seq}-${performance.now()}` }); model.save_changes(); };

  // ---- what the parts are given
  const source = data.task && !data.task.why ? trained(data.task, changed) : data.frames ? recorded(data, changed) : pushed(data, model, ask, listen, changed);
  const view = {
    on, source, theme: "light", frame: null, neuron: null, kept: null, painting: false, sample: -1, discrete: data.discrete, show_held_out: data.show_held_out, speed: 30, until: null, // the step to which it trains as fast as it can
    get shape() { return source.shape; },
    color: name => colours[name] ||= getComputedStyle(app).getPropertyValue(`--${name}`).trim(), // "" before the page is shown
    button(text, act, name, attributes = {}) { const b = h("button", { type: "button", "aria-label": name, ...attributes }, text); on(b, "click", act); return b; },
    neuronMap: k => view.frame.neurons?.[k] ?? null,
    show(k) { const wanted = k ?? view.kept; if (wanted !== view.neuron) { view.neuron = wanted; if (mounted) view.map.paint(); } }, // null: the one that is kept, else the network
    keep(k) { view.kept = view.kept === k ? null : k; view.show(k); view.paint(); },
    canShow: i => !source.held || source.held.includes(String(i)),
    active: () => el.getRootNode().activeElement,
    // Gives the focus back to what has the same name once its place was built anew.
    focusedName(...places) {
      const name = places.some(p => p.contains(view.active())) && view.active().getAttribute("aria-label");
      return () => { if (name) places.map(p => p.querySelector(`[aria-label="${CSS.escape(name)}"]`)).find(e => e)?.focus({ preventScroll: true }); };
    },
    paint: () => { if (mounted) paint(); }, changed, say, tell,
    change(part) { act(() => source.change(part)); if (leaveLens && Object.keys(part).join() !== "lr") closeLens(false); }, // of a run that is gone
    run: () => act(() => { if (source.running || !view.frame.stopped) source.run(!source.running); }),
    forward: () => act(() => { if (!view.frame.stopped) source.step(); }), backward: () => act(() => source.back()), reset: () => act(() => source.reset()),
    pinned: () => [], ghosts: () => [], open,
  };
  function act(f) { say(""); view.until = null; f(); } // what the reader asks for
  function say(text) { complaint = text; paintAlert(); }
  function paintAlert() { const text = complaint || view?.frame?.stopped || ""; put(alert, "text", minus(text)); alert.hidden = !text; }
  function tell(text) { put(heard, "text", text); }

  // ---- the parts
  view.map = liveMap(view);
  const net = liveNet(view), curve = liveCurve(view), controls = liveControls(view), painter = livePainter(view), pins = source.runs ? livePins(view) : null;
  const openButton = view.button("Show its back-propagation", () => { const i = number.value.trim() ? Number(number.value) : NaN, n = view.shape.points.length; if (view.shape.points[i]) open(i); else view.say(n ? `Samples have numbers from 0 to ${n - 1}.` : "There are no samples yet: paint points."); }), steps = h("div", { class: "mgl-steps", role: "group", hidden: "" });
  const number = source.held ? h("select", { class: "mgl-held" }, source.held.map(i => h("option", { value: i }, view.map.sampleName(i).replace("sample ", "")))) : h("input", { type: "number", class: "mgl-number", min: 0, value: 0 });
  const canOpen = !source.held || source.held.length > 0, row = h("div", { class: "mgl-bar mgl-share" });
  const about = source.kind === "trained" ? "or click a point of the plane" : source.kind === "kernel" ? data.task?.why ?? "or click a point of the plane" : canOpen ? `or click its point. This page holds ${source.held.length} of ${data.points.length} samples; a notebook shows any.` : "The graph of one sample is too large for this page: a notebook shows it for small networks.";
  row.append(...[canOpen ? h("label", {}, "sample", number) : null, canOpen ? openButton : null, h("span", { class: "mgl-note" }, about)].filter(e => e));
  if (painter) controls.data.append(painter.box);
  if (pins) curve.box.firstChild.append(pins.button);
  const hasData = controls.data.childElementCount > 0;
  app.append(h("div", { class: "mgs-top" }, h("h2", {}, data.title), source.setting ? h("span", { class: "mgs-phase" }, source.setting) : ""),
    h("div", { class: controls.moment ? "" : "mgl-lead" }, controls.run, status), ...[controls.training].filter(e => e), heard, alert,
    h("div", { class: `mgl-parts${hasData ? " full" : ""}` }, ...[hasData ? controls.data : null, net.box, view.map.box].filter(e => e)),
    curve.box, ...[pins?.table].filter(e => e), row, steps,
    h("p", { class: "mgs-keys" }, ["Space run or pause", "\u2192 step", ...source.back ? ["\u2190 back", "Home End"] : [], "r reset", "l loss axis", ...pins ? ["p pin"] : []].map(text => h("span", {}, h("kbd", {}, text.split(" ")[0]), text.slice(text.indexOf(" "))))));
  el.replaceChildren(app);

  // ---- painting
  let spokenAt = -Infinity, speakLater = 0, waiting = 0;
  function changed() { // painted once a frame, however often it changes
    if (!mounted) return;
    if (!source.running || source.kind !== "trained") paint(); // what follows a click is there at once
    if (source.running && !waiting) { before = performance.now(); waiting = requestAnimationFrame(tick); }
    view.address?.changed(); report();
  }
  function paint() {
    view.frame = source.frame(!source.running);
    const { frame } = view;
    if (view.neuron >= view.shape.neurons.length) view.neuron = view.kept = null;
    put(app, "data-step", String(frame.n)); put(app, "data-loss", String(frame.loss));
    put(status, "text", capital(minus(frame.text)));
    clearTimeout(speakLater);
    const speak = () => { spokenAt = performance.now(); tell(minus(frame.say)); };
    if (performance.now() - spokenAt > 2000 || !source.running) speak(); else speakLater = setTimeout(speak, 2000);
    if (number.max !== undefined) number.max = view.shape.points.length - 1;
    paintAlert(); view.map.paint(); net.paint(); curve.paint(); controls.paint(); painter?.paint();
  }

  // ---- the run: so many steps a second, or in each frame as many as there is time for
  let before = 0, due = 0;
  function tick(now) {
    waiting = 0;
    if (!source.running) return;
    if (!app.isConnected) { source.run(false); return; }
    if (source.kind !== "kernel") {
      due += view.speed ? Math.max(0, Math.min(250, now - before)) / 1000 * view.speed : Infinity;
      const n = view.until == null ? Math.floor(due) : view.until - view.frame.n;
      due = view.speed && view.until == null ? due - n : 0; before = now;
      if (n > 0) { source.advance(n, performance.now() + BUDGET); paint(); }
      if (view.until != null && view.frame.n >= view.until) { view.until = null; source.run(false); };
    }
    if (!waiting && source.running) waiting = requestAnimationFrame(tick);
  }

  // ---- the back-propagation of a sample, in the theme of the page around it
  let leaveLens = null, opener = openButton, byPoint = false; // how it was opened: in this view, or in another one of the same widget
  const themed = new Set(); // what it does when the theme changes
  function show(i, { data: sample, changes }, n) {
    leaveLens?.();
    const box = h("div"), close = view.button("Close", () => closeLens()), graph = structuredClone({ ...sample, title: `The loss of ${view.map.sampleName(i)}`, numbers: changes });
    const target = changes && !view.shape.classes.length ? numberText(changes.at(-1)[1]) : null; // of a regression
    if (target != null) for (const term of graph.net?.loss?.terms ?? []) Object.assign(term, { target, name: `target: ${target}` });
    const shim = {
      ...pageModel({ data: graph, step: 0, editable: false, error: "", get theme() { return view.theme; } }),
      on(event, f) { if (event === "change:theme") themed.add(f); }, off(event, f) { themed.delete(f); },
    };
    const what = `Back-propagation of ${view.map.sampleName(i)}, at step ${n}`;
    steps.replaceChildren(h("div", { class: "mgl-bar" }, h("strong", {}, what), close, h("span", { class: "mgl-note" }, h("kbd", {}, "Esc"), " closes it")), box);
    put(steps, "aria-label", what);
    steps.hidden = false; view.sample = i; number.value = i;
    leaveLens = render({ model: shim, el: box });
    view.map.paint();
    steps.querySelector("[role=slider], input[type=range]")?.focus({ preventScroll: true });
    steps.scrollIntoView({ block: "nearest" });
  }
  function closeLens(back = true) {
    leaveLens?.(); leaveLens = null;
    steps.replaceChildren(); steps.hidden = true; view.sample = -1;
    view.map.paint();
    if (!back) return;
    opener.focus({ preventScroll: true });
    (byPoint ? view.map.plane : opener).scrollIntoView({ block: "nearest" });
  }
  function open(i, point = false) {
    const from = view.active();
    if (!steps.contains(from)) opener = from !== app && app.contains(from) ? from : openButton;
    byPoint = point;
    if (source.kind === "trained") source.run(false);
    const found = source.sample(i); // a sentence, or nothing yet if a kernel was asked
    if (typeof found === "string" && model.get("place")) { report(); ask("sample", i); } // the kernel knows any network
    else if (typeof found === "string") say(found);
    else if (found) { say(""); show(i, found, view.frame.n); }
  }
  on(number, "keydown", e => { if (e.key === "Enter") openButton.click(); });
  listen("change:sample", () => { const s = model.get("sample"); if (s.data) show(s.i, s, s.n); });
  listen("change:error", () => say(model.get("error")));

  // ---- keys
  hearKeys(app, el, on, e => {
    if (e.key === "Escape" && !steps.hidden && !e.defaultPrevented) { e.preventDefault(); return closeLens(); }
    const t = e.target, own = t.closest("input, select, textarea, .mgl-steps");
    if (own && !(t === controls.moment && (e.key === " " || e.key === "r"))) return;
    const keys = { ArrowRight: view.forward, r: view.reset, l: curve.flip, p: pins?.keep };
    if (!t.closest("button")) keys[" "] = view.run;
    if (source.go) Object.assign(keys, { ArrowLeft: view.backward, Home: () => { source.run(false); source.go(0); }, End: () => { source.run(false); source.go(source.last); } });
    if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
  });

  // ---- the kernel and other views of the run are told where it is
  let toldAt = 0, tellLater = 0, told = { version: 0, n: 0 };
  function report() {
    if (!source.runs || !model.get("place") || view.until != null) return;
    clearTimeout(tellLater);
    const send = () => {
      const { runs, version } = source, since = told.version === version ? Math.min(told.n, runs.done) : 0;
      if (told.version === version && told.n === runs.done) return;
      told = { version, n: runs.done, state: runs.state(since) }; toldAt = performance.now();
      model.set("state", told.state); model.save_changes();
    };
    if (!source.running || performance.now() - toldAt > TELL_KERNEL) send(); else tellLater = setTimeout(send, TELL_KERNEL);
  }
  function follow(state) { // what another view, or this one before, has trained
    if (!source.runs || !state?.settings || state === told.state) return;
    view.until = state.step; // nothing is told on the way
    if (!sameLists(state.settings, source.settings)) source.change(state.settings);
    else if (state.step < source.runs.done) source.reset();
    told = { version: source.version, n: state.step, state };
    if (state.step <= source.runs.done) view.until = null;
    if (mounted && view.until != null) source.run(true);
  }
  follow(model.get("state"));
  listen("change:state", () => follow(model.get("state")));

  // ---- the address: the settings that are not those of Python's call, and the step; and what is copied
  const address = view.address = addressOf(model, el, [], null, true), copy = copier(on, tell), refusals = [], faults = {};
  if (source.runs) {
    const texts = { layers: [n => n.join(",") || "none", t => t === "none" ? [] : t.split(",").map(Number)], features: [f => f.map(name => name.replace(/[%;]/g, encodeURIComponent)).join(";"), t => t.split(";").map(decodeURIComponent)], later: [l => l.map(([n, part]) => `${n}:${part.lr}`).join(";"), t => t.split(";").map(q => { const [n, lr] = q.split(":").map(Number); return [n, { lr }]; })], painted: [p => p.map(q => q.join(",")).join(";"), t => t.split(";").map(q => q.split(",").map(Number))] };
    const wanted = {}, keys = Object.keys(source.defaults()), formOf = key => texts[key] ?? [String, typeof source.defaults()[key] === "number" ? t => t.trim() ? Number(t) : NaN : String];
    const written = (key, s) => sameLists(s[key], source.defaults(key === "data" ? undefined : s.data)[key]) ? "" : formOf(key)[0](s[key]);
    const readInto = (found, key, text) => { try { found[key] = formOf(key)[1](text); } catch { return false; } }; // % that encodes nothing
    for (const key of keys) address.add(key, () => written(key, source.settings), text => readInto(wanted, key, text));
    const refused = (part, settings, of = "") => Object.entries(part).filter(([key, value]) => !sameLists(settings[key], value)).map(([key, value]) => notHere(of + key, texts[key] ? texts[key][0](value) : value)).join(" ");
    if (Object.keys(wanted).length) { source.change(wanted); refusals.push(refused(wanted, source.settings)); }
    address.add("step", () => view.frame?.n || (data.state ? 0 : ""), text => { const n = Number(text); if (!(Number.isInteger(n) && n >= 0 && n <= 1e6)) return false; view.until = n || null; });
    address.add("pins", () => pins.all().map(({ n, settings }) => new URLSearchParams([["step", n], ...keys.map(key => [key, written(key, settings)])].filter(([, text]) => text))).join(" "), text => {
      const runs = text.split(" ").map(one => { const { step, ...part } = Object.fromEntries(new URLSearchParams(one)), found = {}; for (const key in part) if (!keys.includes(key) || readInto(found, key, part[key]) === false) return null; return [Number(step ?? 0), found]; });
      return runs.every(run => run && Number.isInteger(run[0]) && run[0] >= 0 && run[0] <= 1e6) && runs.length <= MOST_PINS ? bring(runs) : false;
    });
    function bring(runs) { // the pinned runs, and what is wrong with them
      const brought = runs.map(([n, part]) => ({ n, part, settings: cleanSettings(data.task, { ...source.defaults(part.data), ...part }) }));
      pins.bring(brought);
      return brought.map(({ part, settings }, k) => refused(part, settings, `pinned run ${k + 1}, `)).filter(text => text).join(" ");
    }
    address.add("axis", () => view.log == null ? "" : view.log ? "log" : "linear", text => { view.log = text === "log"; });
    const link = view.button("Copy link", () => copy(address.link(), link, row, "Link")), code = view.button("Copy as Python", () => copy(codeOf(source.runs), code, row, "Python"));
    row.append(...[address.link ? link : null, code].filter(b => b));
  }

  for (const name of ["discrete", "show_held_out"]) address.add(name, () => view[name] === data[name] ? "" : view[name] ? "yes" : "no", text => ["yes", "no"].includes(text) ? void (view[name] = text === "yes") : false);

  const sized = new ResizeObserver(() => view.paint());
  sized.observe(app);
  leaves.push(followTheme(app, el, model, on, now => { view.theme = now; colours = {}; mounted = true; paint(); themed.forEach(f => f()); }));
  address.ready(faults);
  say([...refusals, faults.textContent ?? ""].filter(t => t).join(" "));
  if (view.until != null) source.run(true);
  return () => { mounted = false; quit.abort(); if (source.kind !== "kernel") source.run(false); cancelAnimationFrame(waiting); sized.disconnect(); address.leave(); clearTimeout(tellLater); clearTimeout(speakLater); leaveLens?.(); leaves.forEach(f => f()); };
}

export default { initialize: takePlaces(renderLive), render: renderLive };
