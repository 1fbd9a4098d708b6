// Where the frames of the live view come from: a run that the page trains, frames that were recorded,
// or a kernel. All three give the view the same: what does not change in a run (`shape`), the frame
// of the moment, and what can be done. They call `changed` when there is something else to see.

const bytesOf = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
// Each parameter, as in model.parameters(): of each neuron its weights, then its bias.
function parametersOf(layers) {
  return layers.slice(1).flatMap((n, k) => {
    const l = k + 1, inputs = layers[k];
    return Array.from({ length: n * (inputs + 1) }, (_, q) => {
      const i = Math.floor(q / (inputs + 1)), j = q % (inputs + 1), bias = j === inputs;
      return { l, i, j, bias, name: bias ? nameText("b", l, i + 1) : nameText("w", l, `${i + 1},${j + 1}`) };
    });
  });
}
const positionsOf = layers => layers.slice(1).flatMap((n, l) => Array.from({ length: n }, (_, i) => [l + 1, i])); // of the neurons

const plainInput = text => inputText(text.replaceAll("\u207d\u2070\u207e", "")); // x₁, as in x₁²
// What Python says of a run that it trains itself, or has trained.
function stillShape(data) {
  const names = data.names.map(plainInput), inputs = data.inputs.map(plainInput), { ends, layers, classes } = data, side = 24;
  // The maps of the inputs: the two of the plane, and zeros for those that are held at a mean.
  const maps = inputs.map(name => {
    const k = names.indexOf(name), [low, high] = ends.map(end => k < 0 ? 0 : numberOf(end[k])), peak = Math.max(-low, high) || 1;
    return Uint8Array.from({ length: side * side }, (_, i) => Math.round(127.5 + 127.5 * (low + (k ? Math.floor(i / side) : i % side) / (side - 1) * (high - low)) / peak));
  });
  return {
    maps, layers, inputs, answers: data.answers, outputs: layers.at(-1), classes, names: [...new Set(names)], ends, heading: data.heading, about: plainInput(data.about),
    points: data.points.map(([x, y, group], i) => [x, y, group, i >= data.learnt]), parameters: parametersOf(layers), neurons: positionsOf(layers),
  };
}
function frameOf(frame, shape, neurons) {
  const sizes = new Int8Array(bytesOf(frame.w).buffer), scales = frame.scales.map(Number);
  return { ...frame, map: frame.line ? null : bytesOf(frame.map), weights: shape.parameters.map((p, q) => sizes[q] / 127 * scales[p.l - 1]), neurons, inputs: shape.maps };
}
const mapsOf = neurons => neurons?.map(own => ({ map: bytesOf(own.map), note: own.note })) ?? null;

function recorded(data, changed) {
  const shape = stillShape(data), { frames } = data, neurons = mapsOf(data.neurons), held = Object.keys(data.samples);
  let k = 0, running = false;
  const until = points => points.filter(p => p[0] <= frames[k].n), last = frames.length - 1;
  const go = to => { k = Math.max(0, Math.min(last, to)); if (k === last) running = false; changed(); };
  return {
    kind: "recorded", shape, held, last, setting: data.setting,
    get at() { return k; }, get running() { return running; },
    frame: () => ({ ...frameOf(frames[k], shape, neurons), points: until(data.curve.points), held: until(data.curve.held) }),
    most: () => data.curve.most, numbers: q => frames[k].numbers?.map(texts => texts[q]) ?? null,
    run(yes) { if (yes && k === last) k = 0; running = yes; changed(); },
    advance: n => go(k + n), go, step: () => { running = false; go(k + 1); }, back: () => { running = false; go(k - 1); }, reset: () => { running = false; go(0); },
    sample(i) {
      if (!data.samples[i]) return held.length ? `This page does not hold sample ${i}, only ${held.join(", ")}.` : "This page holds no sample's graph: it would be too large.";
      running = false; go(last);
      return { data: data.samples[i] };
    },
  };
}

// `ask` sends the kernel a command; its answers are values of the model.
function pushed(data, model, ask, listen, changed) {
  const shape = stillShape(data);
  for (const name of ["frame", "running"]) listen(`change:${name}`, changed);
  const frame = () => model.get("frame");
  return {
    kind: "kernel", shape, get rate() { return this.settings.lr; }, settings: { lr: Number(data.rate), activation: data.activation }, choices: { activation: data.activations },
    get running() { return model.get("running"); },
    frame: () => ({ ...frameOf(frame(), shape, mapsOf(frame().neurons)), points: frame().curve.points, held: frame().curve.held }),
    most: () => frame().curve.most, numbers: q => frame().numbers?.map(texts => texts[q]) ?? null,
    run: yes => ask(yes ? "run" : "pause"), step: () => ask("step"), reset: () => ask("reset"),
    change({ lr, activation }) { if (lr != null) { this.settings.lr = lr; ask("rate", lr); } if (activation) { this.settings.activation = activation; ask("activation", activation); } },
    sample: i => void ask("sample", i),
  };
}

// A run of this page.
function trained(task, changed) {
  task.own.rows = rowsOf(task.own.rows);
  const run = trainerOf(task);
  let running = false, shape = null, settings = null, choices = null;
  const shapeOf = () => {
    const { plane, layers } = run;
    return {
      layers, inputs: run.inputs.map(plainInput), answers: run.answers, outputs: run.outputs, classes: run.classes, names: plane.names.map(plainInput), heading: run.heading, about: plainInput(run.about), points: run.points,
      ends: [plane.low, plane.high].map(ends => Array.from(ends, x => numberText(x, 3))), parameters: parametersOf(layers), neurons: positionsOf(layers),
    };
  };
  return {
    kind: "trained", runs: run, defaults: data => trainerOf.defaults(task, data), version: 0, // of the losses so far
    get shape() { return shape ??= shapeOf(); },
    get settings() { return settings ??= run.settings; }, get choices() { return choices ??= trainerOf.choices(task, this.settings); }, get running() { return running; }, get rate() { return run.rate; }, // of the next step
    frame(fine) {
      const frame = run.frame({ fine, maps: true }), note = ([low, high]) => `It answers from ${numberText(low)} to ${numberText(high)}${low < 0 && high > 0 ? "; the line is its 0" : ""}.`;
      return { ...frame, ...run.curve(frame), weights: run.parameters, neurons: frame.neurons.map((map, k) => ({ map, note: note(frame.ranges[k]) })) };
    },
    most: () => Math.max(run.done, 1), numbers: q => [numberText(run.parameters[q]), run.done ? numberText(run.grads[q], 4, true) : "\u2013"],
    run(yes) { running = yes && !run.stopped; changed(); },
    advance(n, until = Infinity) { // to the last step of these, or as many as there is time for
      for (; n > 0 && !run.stopped && performance.now() < until; n--) run.step(1);
      if (run.stopped) running = false;
      changed();
    },
    step() { running = false; run.step(1); changed(); },
    reset() { running = false; this.version++; run.reset(); changed(); },
    change(part) { if (!run.done || Object.keys(part).some(key => key !== "lr")) this.version++; run.change(part); shape = settings = choices = null; changed(); },
    sample: i => run.sample(i),
  };
}
