// What the parts of a page (pulling, updating, guessing, sharing) are given. A part is a function in
// PARTS; the lens and the hand-drawn graph call it with the same host, before they first paint.

const PARTS = [];

// `own` is what only the page knows; see the two mounts. The rest is the same for both:
//   keys      from a key to a function, asked before the keys of the page; false: it is the page's
//   painted   functions that are called after each paint, and whenever the camera has moved
//   legends   functions that return the line below the picture as nodes, or null; the first wins
//   kept      what the parts keep while the same page is mounted anew
//   tell      says a text politely, at most one a second: of several the last
//   silent    true while the sentence of the step is not to be read out
//   live      the numbers of the graph, to be set and computed anew; null where that cannot be
function hostOf(own, keep) {
  const heard = h("p", { class: "mgs-heard", "aria-live": "polite", "aria-atomic": "true" });
  let last = -Infinity, waits = 0;
  own.app.append(heard);
  const host = { keys: new Map(), painted: [], legends: [], kept: keep?.kept ?? {}, silent: false, live: liveOf(own.D), ...own };
  host.tell = text => {
    clearTimeout(waits);
    waits = setTimeout(() => { last = performance.now(); heard.textContent = text; }, Math.max(0, last + 1000 - performance.now()));
  };
  host.heard = e => host.keys.has(e.key) && host.keys.get(e.key)(e) !== false;
  host.line = () => { for (const f of host.legends) { const nodes = f(); if (nodes) return nodes; } return null; };
  host.afterPaint = () => host.painted.forEach(f => f());
  return host;
}
