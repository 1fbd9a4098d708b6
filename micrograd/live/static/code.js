// "Copy as Python": the lines that give a run of the page again, with the same bits where the page has those of the engine.

function codeOf(run) {
  const { settings: s, task, layers, done, data } = run, own = s.data === "own", lines = [], imports = new Map([["micrograd.nn", "MLP"], ["micrograd.optim", task.optimizers[s.optimizer].kind]]);
  const held = data.rows.length > data.training, names = held ? [["X", "y"], ["X_held", "y_held"]] : [["X", "y"]], base = data.names;
  const listed = value => Array.isArray(value) ? `[${value.map(listed).join(", ")}]` : typeof value === "string" ? JSON.stringify(value) : String(value);

  // ---- the samples
  let given = names.slice(0, own && task.own.rows.length === task.own.training ? 1 : 2); // before points were painted
  if (own) {
    lines.push(`# ${given.length > 1 ? "X, y and the samples held out, X_held and y_held," : "X and y"} are those that watch() was given.`);
  } else if (s.data === "none") {
    lines.push("X, y, X_held, y_held = [], [], [], []");
  } else {
    imports.set("micrograd.datasets", "load");
    lines.push(`data = load("${s.data}", samples=${s.n}, ${isReal(task, s.data) ? "" : `noise=${s.noise}, `}${s.held_out === firstOf(task, s.data).held_out ? "" : `held_out=${s.held_out}, `}seed=${s.dataSeed})`, ...["", "_held"].map(part => { const [X, y] = part ? ["X_test", "y_test"] : ["X", "y"]; return `X${part}, y${part} = data.${X}.round(4).tolist(), data.${y}${data.labels ? "" : ".round(4)"}.tolist()`; }));
  }
  const computed = !sameLists(s.features, base), wanted = s.loss === "mse" ? null : task.losses[s.loss].several ? [data.labels.map((_, k) => k)] : [[0, 1], [-1, 1]];
  if (own && (computed || s.painted.length || s.held_out)) {
    imports.set("numpy", "asarray");
    for (const [X, y] of given) lines.push(`${X}, ${y} = asarray(${X}, dtype=float).tolist(), list(${y})`);
  }
  const { words } = task.own, odd = wanted && !wanted.some(labels => sameLists(labels, data.labels));
  if (own && (odd || words.length)) for (const [, y] of given) lines.push(`${y} = [${listed(words.length ? words : data.labels)}.index(label) for label in ${y}]`);
  if (own && s.held_out) {
    imports.set("sklearn.model_selection", "train_test_split");
    lines.push(`X, X_held, y, y_held = train_test_split(X, y, test_size=${s.held_out}, ${data.labels ? "stratify=y, " : ""}random_state=${s.dataSeed})`);
    given = names;
  }
  const labelOf = group => odd ? group : data.labels[group];
  names.forEach(([X, y], part) => {
    const painted = s.painted.filter(point => Boolean(point[3]) === (part === 1));
    if (!painted.length) return;
    const rows = painted.map(([a, b]) => data.rowAt(a, b)), plus = given.length > part ? "+=" : "=";
    lines.push(`${X} ${plus} ${listed(rows)}`, `${y} ${plus} ${listed(painted.map(([, b, group]) => data.labels ? labelOf(group) : b))}`);
  });
  if (computed) {
    const known = inputsOf(task, s.data), codes = s.features.map(name => known.get(name)[0]);
    if (codes.some(code => code.startsWith("sin("))) imports.set("micrograd", "sin");
    lines.push("", "", "def inputs(x):", `    return [${codes.join(", ")}]`, "", "", `X${held ? ", X_held" : ""} = [inputs(x) for x in X]${held ? ", [inputs(x) for x in X_held]" : ""}`);
  }
  lines.push("");

  // ---- the network and its optimizer
  const ownStart = isOwnStart(task, s), [init, seed] = !ownStart ? ["uniform", s.seed] : task.drawn ?? [null];
  const activation = activationsOf(task, s).length > 1 && s.activation.includes(", ") ? s.activation.split(", ") : s.activation;
  if (init) imports.set("random", "Random");
  lines.push(`model = MLP(${layers[0]}, ${listed(layers.slice(1))}, activation=${listed(activation)}${init && init !== "uniform" ? `, init="${init}"` : ""}${init ? `, rng=Random(${seed})` : ""})`);
  if (!init) lines.push(`start = ${listed(task.start)}`, "for parameter, number in zip(model.parameters(), start):", "    parameter.data = number");
  const { kind, momentum, nesterov, betas, eps } = task.optimizers[s.optimizer];
  const rates = ratesOf(s), last = rates.pop();
  const rate = `${s.later.length ? "lambda step: " : ""}${s.later.map(([step], k) => `${rates[k]} if step < ${step} else `).join("")}${last}`;
  const options = [`lr=${rate}`, ...(momentum ? [`momentum=${momentum}`] : []), ...(nesterov ? ["nesterov=True"] : []),
    ...(betas && !sameLists(betas, [.9, .999]) ? [`betas=(${betas.join(", ")})`] : []), ...(eps && eps !== 1e-8 ? [`eps=${eps}`] : []), ...(s.l2 || kind === "AdamW" ? [`weight_decay=${s.l2}`] : []), ...(s.l1 ? [`l1=${s.l1}`] : []),
    ...(ownStart && task.decayed ? [`decayed=[model.parameters()[i] for i in ${listed(task.decayed)}]`] : [])];
  lines.push(`optimizer = ${kind}(model.parameters(), ${options.join(", ")})`);

  // ---- the steps
  const batch = s.batch ? Math.min(s.batch, data.training) : 0, steps = done || 100;
  imports.set("micrograd.train", "fit");
  lines.push(`history = fit(${[`model, X, y, "${s.loss}", optimizer`, `steps=${steps}`, ...(batch ? [`batch_size=${batch}, seed=${s.seed}`] : []), ...(held ? ["validation=(X_held, y_held)"] : []), "compile=False"].join(", ")})`);
  lines.push("print(history.loss[-1])");
  const rank = name => name.startsWith("micrograd") ? 2 : name === "random" ? 0 : 1, sorted = [...imports].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return [...sorted.flatMap(([from, name], i) => [...(i && rank(from) !== rank(sorted[i - 1][0]) ? [""] : []), `from ${from} import ${name}`]), "", ...lines, ""].join("\n");
}
