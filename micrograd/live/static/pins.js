// Pinned runs: their curves and boundaries stay as ghosts behind those of now, their settings and
// results stand in a table. An address holds their settings and steps: then they are trained again.

const MOST_PINS = 6;

function livePins(view) {
  const { source } = view, pin = view.button("Pin this run", keep, null, { title: "Keep this run to compare (p)" }), rows = h("tbody", {});
  const table = h("div", { class: "mgl-table", hidden: "" }, h("table", {}, h("caption", { class: "mgl-heard" }, "Pinned runs"), h("thead", {}, h("tr", {}, ["run", "data", "network", "training", "steps", "loss", "held out", ""].map(text => h("th", { scope: "col" }, text)))), rows));
  let pins = [], named = 0, brought = []; // what is still to be trained
  function wordsOf(s) {
    const painted = s.painted.length ? ` + ${s.painted.length} painted` : "";
    return [`${setName(s.data)}${isMade(s.data) ? `, ${s.n}${isReal(source.runs.task, s.data) ? "" : `, noise ${numberText(s.noise)}`}, seed ${s.dataSeed}` : ""}${s.held_out && s.data !== "none" ? `, ${numberText(100 * s.held_out)} % held out` : ""}${painted}`, `${s.features.map(inputText).slice(0, 7).join(" ")}${s.features.length > 7 ? "\u2026" : ""} \u2192 ${s.layers.join(", ") || "no hidden layer"}, ${s.activation}`,
      `${s.optimizer} ${ratesOf(s).map(lr => numberText(lr)).join(", ")}, ${s.loss}${s.l1 ? `, L1 ${numberText(s.l1)}` : ""}${s.l2 ? `, L2 ${numberText(s.l2)}` : ""}${s.batch ? `, batch ${s.batch}` : ""}, seed ${s.seed}`];
  }
  const planeOf = run => { const { low, high } = run.plane; return [...low, ...high].map(x => +x.toFixed(6)); };
  function add(run) {
    const frame = run.frame({ fine: true }), { points } = run.curve(frame), right = frame.rightHeld;
    pins.push({ name: String.fromCharCode(65 + named++ % 26), settings: run.settings, n: frame.n, loss: frame.loss, held: right ? `${right[0]} of ${right[1]}, ${numberText(100 * right[0] / right[1], 3)} %` : frame.held == null ? "\u2013" : `loss ${numberText(frame.held, 3)}`, points, d: view.map.edge(frame, run.outputs), plane: planeOf(run) });
    build();
  }
  function keep() {
    if (all().length >= MOST_PINS) return view.say(`${MOST_PINS} runs are pinned: remove one before another is kept.`);
    add(source.runs);
    view.tell(`Run ${pins.at(-1).name} pinned`);
    view.changed();
  }
  async function bring(runs) { // one after the other, in slices
    brought = runs;
    while (brought.length) {
      const [{ n, settings }] = brought, run = trainerOf(source.runs.task, settings);
      while (run.done < n && !run.stopped) {
        await new Promise(requestAnimationFrame);
        if (!table.isConnected) return;
        for (const end = performance.now() + BUDGET; run.done < n && !run.stopped && performance.now() < end;) run.step();
      }
      brought.shift(); add(run);
    }
  }
  const all = () => [...pins, ...brought];
  function build() {
    table.hidden = !pins.length;
    rows.replaceChildren(...pins.map(p => h("tr", {}, h("th", { scope: "row" }, p.name), ...wordsOf(p.settings).map(text => h("td", {}, minus(text))), h("td", {}, String(p.n)), h("td", {}, p.loss == null ? "not finite" : numberText(p.loss, 3)), h("td", {}, p.held),
      h("td", {}, view.button("Load", () => view.change(structuredClone(p.settings)), `Load the settings of run ${p.name}`), view.button("\u00d7", () => { pins = pins.filter(q => q !== p); pin.focus(); build(); view.changed(); }, `Remove run ${p.name}`)))));
    view.paint();
  }
  view.pinned = () => pins;
  view.ghosts = () => pins.filter(p => sameLists(p.plane, planeOf(source.runs)));
  return { button: pin, table, keep, all, bring };
}
