// What the parts of a page (pulling, updating, guessing, sharing) are given. A part is a function in
// PARTS; the lens and the hand-drawn graph call it with the same host, before they first paint.

const PARTS = [];

// Puts a text on the clipboard; where that is refused, in a field in `row`.
const copier = (on, tell) => async (text, button, row, label) => {
  const name = button.textContent;
  row.querySelector(".mgs-by-hand")?.remove();
  try { await navigator.clipboard.writeText(text); } catch {
    const field = h(text.includes("\n") ? "textarea" : "input", { class: "mgs-by-hand", readonly: "", rows: 1, "aria-label": `${label}, press Ctrl+C to copy it` });
    field.value = text;
    on(field, "keydown", e => { e.stopPropagation(); if (e.key === "Escape") { field.remove(); button.focus(); } });
    row.append(field); field.focus(); field.select();
    return;
  }
  tell("Copied");
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = name; }, 1200);
};

const keyHint = ([keys, what]) => h("span", {}, h("kbd", {}, keys), ` ${what}`);
// Adds listeners that are gone once `quit` is aborted.
const listening = quit => (target, event, f, options) => target.addEventListener(event, f, { signal: quit.signal, ...options });
const iconButton = (name, label) => h("button", { type: "button", "aria-label": label, title: label }, name in ICON ? icon(ICON[name]) : name);

// The buttons and the speed of a walk, and what plays it. `act` has what each button does, whether the
// walk is at its end, what begins it again, what goes on by one press, and whether a number is asked for.
function playerOf({ el, model, on, keep, status }, act) {
  const B = { first: iconButton("first", "First step"), back: iconButton("back", "Step back"), play: h("button", { type: "button", class: "mgs-play" }), forward: iconButton("forward", "Step forward"), last: iconButton("last", "Last step") };
  let timer = 0, speed = keep?.speed ?? 1;
  const rate = h("select", { "aria-label": "Speed", class: "mgs-speed" }, [.5, 1, 2, 4].map(v => h("option", { value: v, selected: v === speed ? "" : null }, `${v}\u00d7`)));
  function play(yes) {
    const was = timer;
    clearTimeout(timer); timer = 0;
    B.play.replaceChildren(icon(yes ? ICON.pause : ICON.play), yes ? "Pause" : "Play");
    if (!yes) { if (was) { put(status, "aria-live", "polite"); model.save_changes(); } return; }
    put(status, "aria-live", "off"); // else a screen reader would read every step
    if (act.atEnd()) act.again();
    const next = () => {
      if (act.atEnd() || !el.isConnected) return play(false);
      act.next();
      timer = setTimeout(...act.atEnd() || act.asking() ? [() => play(false), 0] : [next, 1600 / speed]);
    };
    timer = setTimeout(next, 350);
  }
  const toggle = () => play(!timer);
  for (const name of ["first", "back", "forward", "last"]) on(B[name], "click", act[name]);
  on(B.play, "click", toggle); on(rate, "change", () => { speed = +rate.value; });
  return {
    buttons: h("div", { class: "mgs-btns" }, Object.values(B)), rate, play, toggle, speed: () => speed, stop: () => clearTimeout(timer),
    ends(first, last) { for (const [b, end] of [[B.first, first], [B.back, first], [B.forward, last], [B.last, last]]) put(b, "aria-disabled", String(end)); },
  };
}

// `own` is what only the page knows; see the two mounts. The rest is the same for both:
//   keys      from a key to a function, asked before the keys of the page; false: it is the page's
//   painting  functions that are called before each paint
//   painted   functions that are called after each paint, and whenever the camera has moved
//   legends   functions that return the line below the picture as nodes, or null; the first wins
//   kept      what the parts keep while the same page is mounted anew
//   isLoss    whether the root is the loss of a network, and called ℓ
//   tell      says a text politely, at most one a second: of several the last
//   asking    whether a number is asked for, which is not to be shown or said: then nothing is pulled
//   guesses   whether numbers are asked for, at this step or at others
//   copy      see `copier`
//   silent    true while the sentence of the step is not to be read out
//   hold      a value that is kept unfolded: its number is being typed
//   listen    hears of a change of the model until the page is left
//   live      the numbers of the graph, to be set and computed anew; null where that cannot be
function hostOf(own, keep) {
  const heard = h("p", { class: "mgs-heard", "aria-live": "polite", "aria-atomic": "true" });
  let last = -Infinity, waits = 0;
  own.app.append(heard);
  const host = { isLoss: /^\u2113/.test(own.called(own.root)), keys: new Map(), painting: [], painted: [], legends: [], kept: keep?.kept ?? {}, silent: false, hold: null, tip: "", live: liveOf(own.D), asking: () => false, guesses: () => false, ...own };
  host.tell = text => {
    clearTimeout(waits);
    waits = setTimeout(() => { last = performance.now(); heard.textContent = text; }, Math.max(0, last + 1000 - performance.now()));
  };
  host.listen = (event, f) => { own.model.on(event, f); own.quit.signal.addEventListener("abort", () => own.model.off(event, f)); };
  host.listen("change:error", () => { const text = own.model.get("error"); own.alert.textContent = text ?? ""; own.alert.hidden = !text; });
  host.card = i => host.cards().find(c => c.i === i) ?? null;
  host.heard = e => host.keys.has(e.key) && host.keys.get(e.key)(e) !== false;
  host.line = () => { for (const f of host.legends) { const nodes = f(); if (nodes) return nodes; } return null; };
  host.beforePaint = () => host.painting.forEach(f => f());
  host.afterPaint = () => host.painted.forEach(f => f());
  const { pane } = own; // what it shows may be what is asked for
  host.pane = (name, title, draw) => pane(name, title, (body, head) => host.asking() ? body.replaceChildren(h("p", { class: "mgs-note" }, "Not shown while a number is asked for.")) : draw(body, head));
  host.copy = copier(own.on, host.tell);
  own.model.get("joined")?.(host); // by what shows it beside another
  return host;
}
