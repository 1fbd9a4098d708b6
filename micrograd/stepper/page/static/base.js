// What the scripts of the page share: elements, text and icons.

const NS = { s: "http://www.w3.org/2000/svg", m: "http://www.w3.org/1998/Math/MathML" };

function make(ns, tag, attributes = {}, ...children) {
  const e = ns ? document.createElementNS(NS[ns], tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) if (value != null) e.setAttribute(key, value);
  e.append(...children.flat().filter(child => child != null));
  return e;
}
const h = (tag, a, ...c) => make("", tag, a, ...c);
const S = (tag, a, ...c) => make("s", tag, a, ...c);
const M = (tag, ...c) => make("m", tag, {}, ...c);

// Writes to the page only what changed since the last step.
const written = new WeakMap();
function put(e, key, value) {
  let known = written.get(e);
  if (!known) written.set(e, known = {});
  if (known[key] === value) return;
  known[key] = value;
  if (key === "text") e.textContent = value;
  else if (key.startsWith("--")) e.style[key.slice(2)] = value;
  else if (value == null) e.removeAttribute(key);
  else e.setAttribute(key, value);
}

// Text as it stands on the page. A hyphen that stands for a minus becomes a true minus: screen readers
// skip hyphens. A name in a script that is written from right to left is isolated, or it would
// change places with the numbers beside it.
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff](?:[\d_\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u200c\u200d ]*[\d_\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff])?/g;
const minus = text => text.replace(/(^|[\s(=≈])-(?=$|[\s\d(.in])/g, "$1\u2212").replace(/(\de)-(?=\d)/g, "$1\u2212").replace(RIGHT_TO_LEFT, "\u2068$&\u2069");

const capital = text => text[0].toUpperCase() + text.slice(1);
// A sentence of Python with names in braces, filled in.
const worded = (text, names) => text.replace(/\{(\w+)\}/g, (_, name) => names[name]);
// A name without its sample, which is the one that is shown; but not where that is the root's name.
const withoutSample = (name, root) => { const short = name.replace(/#\d+$/, ""); return name !== root && short === root.replace(/#\d+$/, "") ? name : short; };

// What a gradient is called; a number is no name.
const gradNamed = (n, name) => n.role === "const" || /^[-\d]/.test(n.name) ? `grad of ${name}` : `${name.includes(" ") ? `(${name})` : name}.grad`;

const signOf = t => /!$/.test(t) ? "bad" : /^\u2248?[-\u2212]/.test(t) ? "neg" : /^\u2248?\+/.test(t) ? "pos" : "";

// The colour of a number of this size, from -1 to 1, and of a card behind it; 2: it is wrong.
const hue = t => Math.abs(t) > 1 ? "wrong" : t > 0 ? "pos" : t < 0 ? "neg" : "zero";
const tint = t => Math.abs(t) > 1 ? "color-mix(in oklab, var(--none), var(--wrong) 10%)" : t ? `color-mix(in oklab, var(--none), var(--${hue(t)}-tint) ${Math.round(25 + 75 * Math.abs(t))}%)` : "var(--none)";

const icon = d => S("svg", { viewBox: "0 0 18 18", "aria-hidden": "true" }, S("path", { d }));
const ICON = {
  first: "M3 3h2v12H3zM15 3v12L6 9z", back: "M13 3v12L4 9z", play: "M5 2l11 7-11 7z",
  pause: "M4 3h4v12H4zM10 3h4v12h-4z", forward: "M5 3v12l9-6z", last: "M13 3h2v12h-2zM3 3v12l9-6z",
};

// A number as Python reads it, or null: with a decimal comma or a true minus, or a fraction.
function typedNumber(typed) {
  const text = typed.trim().replace("\u2212", "-").replace(/^(-?\d*),(\d+)$/, "$1.$2");
  return /^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$|^-?\d+\s*\/\s*\d+$/i.test(text) ? text : null;
}
const noNumber = typed => `\u201c${typed}\u201d is not a number: write 2, -0.5, 1e-3 or 3/4.`;

// The data with its texts and steps as they are read, and how a text is found by its number. A step
// reads its texts where Python has sent them; once a number has changed, `D.written` writes them.
const TEXTS = { before: 9, up: 10, loc: 11, con: 12, after: 13, say: 14, rule: 15, sum: 16, correct: 17, equals: 18 };
function unpacked(data) {
  const D = structuredClone(data), text = i => i < 0 ? "" : D.strings[i], step = {};
  for (const [name, at] of Object.entries(TEXTS)) Object.defineProperty(step, name, { get() { return D.written ? D.written(this, name) : text(this.sent[at]); } });
  D.steps = D.steps.map((s, j) => Object.assign(Object.create(step), {
    j, k: ["forward", "seed", "chain"][s[0]], n: s[1], p: s[2], e: s[3], i: s[4], of: s[5], turn: s[6], tc: s[7], tg: s[8], sent: s,
  }));
  D.sections.flatMap(section => section.groups).forEach((g, at) => Object.defineProperty(g, "say", { get: () => D.writtenGroup?.(g, at) ?? text(g.text) }));
  D.walk = D.steps.length;
  if (D.update) { // the last step, of all parameters; update.js says what it says
    const at = D.walk, group = { steps: [at, at], kind: "update", layer: null, neuron: null, sample: null, text: -1, say: "" };
    D.steps.push({ k: "update", n: D.nodes.length - 1, p: -1, e: -1, i: 0, of: 0, turn: D.turns, tc: 0, tg: 0, before: "", up: "", loc: "", con: "", after: "", say: "", rule: "", sum: "", correct: "", equals: "" });
    D.sections.push({ phase: "update", name: "Update", layer: null, sample: null, groups: [group] });
  }
  return [D, text];
}

// How wide a text is in pixels, in the letters of the pictures.
const FONT = 'Arial, "Liberation Sans", Helvetica, sans-serif', measured = new Map();
const ruler = document.createElement("canvas").getContext("2d");
function widthOf(text, size) {
  const key = `${size} ${text}`;
  if (!measured.has(key)) {
    if (measured.size > 20000) measured.clear();
    ruler.font = `${size}px ${FONT}`;
    measured.set(key, ruler.measureText(text).width);
  }
  return measured.get(key);
}

// Text that fits: measured, not guessed, since names may be of any script.
const letters = text => globalThis.Intl?.Segmenter ? [...new Intl.Segmenter().segment(text)].map(s => s.segment) : [...text];
function brief(text, room, size) { // its beginning and its end, as much as there is room for
  if (widthOf(text, size) <= room) return text;
  const all = letters(text);
  for (let kept = Math.min(all.length - 1, 60); kept > 0; kept--) {
    const head = Math.ceil(kept * .6), cut = `${all.slice(0, head).join("").trimEnd()}\u2026${kept > head ? all.slice(head - kept).join("").trimStart() : ""}`;
    if (widthOf(cut, size) <= room) return cut;
  }
  return "\u2026";
}
