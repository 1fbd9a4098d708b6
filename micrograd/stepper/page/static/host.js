// Between the page and the program that shows it: theme, paper, keys, and the text of a notebook.

function hostTheme(el) { // the notebook's theme first, that of the system last
  const body = document.body, page = document.documentElement;
  const code = body.dataset.vscodeThemeKind;
  if (code) return /light/.test(code) ? "light" : "dark";
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "true" ? "light" : "dark";
  for (const n of [page, body]) {
    const t = n.getAttribute("theme") ?? n.dataset.theme;
    if (t === "dark" || t === "light") return t;
    if (n.classList.contains("dark")) return "dark";
    if (n.classList.contains("light")) return "light";
  }
  if (!body.classList.contains("mgs-page")) { // an unknown host: by the lightness of its text
    const rgb = getComputedStyle(el.parentElement ?? body).color.match(/[\d.]+/g)?.map(Number);
    if (rgb && rgb[0] * .3 + rgb[1] * .59 + rgb[2] * .11 > 140) return "dark";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

// Keeps `data-theme` of the app as the option says, else as the host is, and light on paper.
// `painted(theme, printing)` is called at once and after each change.
function followTheme(app, el, model, on, painted) {
  const paper = matchMedia("print");
  let printing = paper.matches;
  function paint() {
    const wanted = printing ? "light" : model.get("theme");
    const theme = wanted === "dark" || wanted === "light" ? wanted : hostTheme(el);
    put(app, "data-theme", theme);
    if (document.body.classList.contains("mgs-page")) document.body.style.background = getComputedStyle(app).backgroundColor;
    painted(theme, printing);
  }
  const print = yes => { if (yes !== printing) { printing = yes; paint(); } };
  on(window, "beforeprint", () => print(true)); on(window, "afterprint", () => print(false));
  on(paper, "change", () => print(paper.matches));
  on(matchMedia("(prefers-color-scheme: dark)"), "change", paint);
  const marks = new MutationObserver(paint);
  for (const n of [document.body, document.documentElement]) marks.observe(n, { attributes: true, attributeFilter: ["class", "theme", "data-theme", "data-jp-theme-light", "data-vscode-theme-kind"] });
  model.on("change:theme", paint);
  paint();
  return () => { marks.disconnect(); model.off("change:theme", paint); };
}

// The keys of the app: all but the host's own, which are Tab, Escape, F1 and so on, Shift+Enter, and
// whatever is pressed with Ctrl, Cmd or Alt. A notebook's one-letter commands are not among these:
// they insert and delete cells. AltGr counts as no modifier: some keyboards have brackets there.
const isOurs = e => !((e.ctrlKey || e.metaKey || e.altKey) && !e.getModifierState("AltGraph"))
  && !/^(Tab|Escape|F\d+)$/.test(e.key) && !(e.shiftKey && e.key === "Enter");

// Calls `heard` for keys in the app; on a page of its own, wherever the focus is. JupyterLab and
// Notebook 7 ignore a key if the focused element itself has the mark. Notebook 7 looks while keys
// are captured in the document, JupyterLab while they bubble.
function hearKeys(app, el, on, heard) {
  on(window, "keydown", e => {
    const target = e.composedPath()[0];
    if (app.contains(target)) target.toggleAttribute("data-lm-suppress-shortcuts", isOurs(e));
  }, { capture: true });
  on(el.id === "mgs" ? document : app, "keydown", e => {
    if (!app.contains(e.target) && /^Page/.test(e.key) && !app.classList.contains("present")) return; // scrolls
    if (isOurs(e)) e.stopPropagation();
    if (isOurs(e) || e.key === "Escape") heard(e);
  });
}

// A notebook's text holds the page itself, in an element `micrograd-page`, for where no kernel runs.
// While the widget of the same name lives, it stands there instead. The element tells whenever it
// enters or leaves the document: a host may move outputs, or show one twice.
const takePlaces = render => ({ model }) => {
  const TAG = "micrograd-page", name = model.get("place"), taken = new Map(), quit = new AbortController();
  const leave = place => { const { done, was, text } = taken.get(place); taken.delete(place); done(); place.replaceChildren(...was); text?.classList.add("jp-RenderedHTMLCommon"); };
  const seen = place => {
    if (taken.has(place) && !place.isConnected) leave(place);
    if (taken.has(place) || !place.isConnected || place.getAttribute("of") !== name) return;
    const el = h("div"), was = [...place.childNodes], text = place.closest(".jp-RenderedHTMLCommon");
    text?.classList.remove("jp-RenderedHTMLCommon"); // JupyterLab's style of text: its headings, its tables
    place.replaceChildren(el);
    taken.set(place, { was, text, done: render({ model, el }) });
  };
  if (!customElements.get(TAG)) {
    const tell = element => document.dispatchEvent(new CustomEvent(TAG, { detail: element }));
    customElements.define(TAG, class extends HTMLElement { connectedCallback() { tell(this); } disconnectedCallback() { tell(this); } });
  }
  document.addEventListener(TAG, e => seen(e.detail), { signal: quit.signal });
  document.querySelectorAll(TAG).forEach(seen);
  const gone = () => { quit.abort(); [...taken.keys()].forEach(leave); };
  model.on("comm_live_update", gone); // the kernel was restarted or ended
  return gone;
};

// What a notebook gives to the widget, of a page on its own: values that nobody else reads or changes.
const pageModel = values => ({ get: key => values[key], set(key, value) { values[key] = value; }, on() {}, off() {}, save_changes() {} });
const pageData = async () => JSON.parse(await mgsText("mgs-data")); // of a page on its own
