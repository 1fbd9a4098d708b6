// The playground: a text goes to Python in a worker, and what comes back to the stepper.

import stepper from "./stepper.js";

const EXAMPLES = [
  ["A neuron", "tanh(w*x + b)", "w=-3 x=2 b=6.5"],
  ["A value used twice", "(a + b) * (b + 1)", "a=2 b=1"],
  ["Exact fractions", "(a*b + c)**2 / b", "a=1/3 b=3/4 c=2"],
  ["Softmax of three, the loss of one", "logsumexp([a, b, c]) - a", "a=2 b=1 c=-1"],
  ["A network and its loss", `import random
from micrograd import nn
from micrograd.losses import mse

model = nn.MLP(2, [2, 1], activation="tanh", rng=random.Random(3))
loss = mse([model([1.0, -2.0])], [0.5])
loss`],
  ["A rule broken on purpose", `from micrograd import Value, steps

a = Value(3.0, label="a")
L = a * a + a
steps(L, broken="assign")`],
  ["The derivative of a derivative", `from micrograd import Value, gradient

x = Value(0.5, label="x")
y = x.tanh()
slope = gradient(y, x, create_graph=True)
print("y'  =", slope.data)
print("y'' =", gradient(slope, x))
slope`],
  ["An operation of your own", `from micrograd import Value, define, gradcheck

if not hasattr(Value, "softsign"):
    define(
        name="softsign",
        forward=lambda x: x / (1 + abs(x)),
        partials=lambda out, x: (1 / (1 + abs(x)) ** 2,),
    )
x, w = Value(3.0, label="x"), Value(0.5, label="w")
y = (w * x).softsign()
y`],
];

const $ = id => document.getElementById(id);
const form = $("form"), status = $("status"), problem = $("problem");
let mode = "expression", worker, ready, leave = null, last = 0, waits = null, idle = "Ready";
// A worker of a file would have no content security policy; that of a blob has this page's.
const program = new Blob([`import ${JSON.stringify(new URL("worker.js", document.baseURI).href)};`], { type: "text/javascript" });

// ---- theme: that of the documentation, else of the system
function theme() {
  let chosen = "";
  try { chosen = localStorage.getItem("mode") ?? ""; } catch { /* not allowed here */ }
  const dark = chosen === "dark" || chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
theme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
addEventListener("storage", theme);

// ---- Python
function start(said) {
  worker?.terminate();
  ready = false;
  status.textContent = said;
  worker = new Worker(URL.createObjectURL(program), { type: "module" });
  worker.onmessage = ({ data }) => heard(data);
  worker.onerror = event => { status.textContent = `Python cannot be started here: ${event.message || "the worker does not load"}`; };
}

function ask(question) {
  return new Promise(resolve => {
    waits = { asked: ++last, resolve };
    $("stop").hidden = false;
    worker.postMessage({ ...question, asked: last });
  });
}

function heard(data) {
  if (data.ready) { ready = true; if (!waits) status.textContent = idle; return; }
  if (data.fatal) {
    quit({ error: `Python has ended: ${data.fatal.split("\n")[0]}` });
    start("Starting Python again …");
  } else if (waits?.asked === data.asked) quit(data);
}

function quit(answer) {
  const { resolve } = waits ?? {};
  waits = null;
  $("stop").hidden = true;
  resolve?.(answer);
}

// ---- the stepper, as on a page of its own: it computes by itself what follows from a pulled number
let data = null;
const values = {}, model = {
  get: key => values[key], set(key, value) { values[key] = value; },
  on() {}, off() {}, save_changes() {},
};
function opened() {
  const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  leave?.();
  Object.assign(values, { data, step: data.position, theme: "auto", editable: true, error: "", answers: [], start: asked.step ? asked : { ...data.start, ...asked } });
  leave = stepper.render({ model, el: $("mgs") });
}
addEventListener("hashchange", () => data && opened());

function show(pre, text) { pre.textContent = text ?? ""; pre.hidden = !text; }

async function run() {
  const text = $(mode).value, numbers = $("numbers").value;
  if (waits) { quit({ stale: true }); start("Starting Python again …"); }
  const was = ready, began = performance.now();
  idle = "Ready";
  status.textContent = ready ? "Running …" : "Starting Python …";
  const answer = await ask({ do: "run", mode, text, numbers });
  if (answer.stale) return;
  show(problem, answer.error); show($("printed"), answer.printed);
  status.textContent = answer.error ? "" : was ? `Done in ${Math.round(performance.now() - began).toLocaleString()} ms` : "Ready";
  if (answer.error) return;
  $("svg").disabled = false;
  ({ data } = answer);
  opened();
}

// ---- the form and the address, which holds the text
function choose(which) {
  mode = which;
  for (const each of ["expression", "python"]) { $(`${each}-fields`).hidden = each !== which; $(`as-${each}`).setAttribute("aria-pressed", each === which); }
}

function address() {
  const held = new URLSearchParams(mode === "python" ? { python: $("python").value } : { expression: $("expression").value, numbers: $("numbers").value });
  return `${location.pathname}?${held}`;
}

function fill(text, numbers) {
  choose(numbers === undefined ? "python" : "expression");
  $(mode).value = text;
  if (numbers !== undefined) $("numbers").value = numbers;
}

form.addEventListener("submit", event => {
  event.preventDefault();
  const same = address() === location.pathname + location.search; // then the step in the address is of this text
  history.replaceState(null, "", address() + (same ? location.hash : ""));
  run();
});
form.addEventListener("keydown", event => { // the stepper hears keys everywhere else
  event.stopPropagation();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.shiftKey)) { event.preventDefault(); form.requestSubmit(); }
});
for (const which of ["expression", "python"]) $(`as-${which}`).addEventListener("click", () => { choose(which); $(which).focus(); });
$("stop").addEventListener("click", () => { quit({ error: "Stopped." }); start("Starting Python again …"); });
$("svg").addEventListener("click", async () => {
  if (waits) return; // Python answers one question at a time
  const { svg, error } = await ask({ do: "svg" });
  if (!svg) { show(problem, error); return; }
  const a = document.createElement("a");
  a.href = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  a.download = "graph.svg";
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
});
EXAMPLES.forEach(([name], i) => $("examples").append(new Option(name, i)));
$("examples").addEventListener("change", event => {
  const [, text, numbers] = EXAMPLES[event.target.value] ?? [];
  if (text) { fill(text, numbers); form.requestSubmit(); }
});

const asked = new URLSearchParams(location.search);
if (asked.has("python")) fill(asked.get("python"));
else if (asked.has("expression")) fill(asked.get("expression"), asked.get("numbers") ?? "");
else fill(EXAMPLES[0][1], EXAMPLES[0][2]);
history.replaceState(null, "", address() + location.hash);
if (asked.has("python")) idle = "This program came with the link. Read it, then press Run.";
start(asked.has("python") ? idle : "Starting Python …");
if (!asked.has("python")) run();
