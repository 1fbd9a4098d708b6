// What is taken along from a page: its link, a picture of the moment, the page for a beamer, paper.

const PRESENTED = 812; // pixels: a picture so wide has its numbers, of 13, at 1.6 % of its width

PARTS.push(host => {
  const { D, app, address, on, keys } = host, { link } = address, view = app.querySelector(".mgs-view, .mgn-view");
  const button = (text, key, act) => { const b = h("button", { type: "button", title: key ? `${text} (${key})` : null }, text); on(b, "click", () => act(b)); return b; };
  const press = name => app.querySelector(`[aria-label="${name}"]`).click();

  // ---- the link; in a notebook what leads to this step there
  const copy = b => host.copy(link ? link() : `${D.call}.go(${host.k()})`, b, row, "Link");

  // ---- the picture of the moment
  function png() {
    const s = D.steps[host.k()], name = plainName(D.nodes[s.k === "chain" ? s.p : s.n].name).replace(/[^\p{L}\p{N}_]+/gu, "-").replace(/^-|-$/g, "");
    canvasOf(host.picture, getComputedStyle(app).backgroundColor).toBlob(blob => {
      const a = h("a", { href: URL.createObjectURL(blob), download: `step-${host.k() + 1}-${name.slice(0, 40)}.png` });
      a.click();
      setTimeout(() => URL.revokeObjectURL(a.href), 1000);
    });
  }

  // ---- presenting: the picture as large as the screen, one sentence, the strip
  let presents = host.kept.presents ?? false;
  function fit() {
    view.style.zoom = view.style.maxWidth = "";
    if (presents) {
      const wide = app.clientWidth / PRESENTED, below = app.querySelector(".mgs-bar").offsetHeight + 2.8 * 24 + 48;
      view.style.maxWidth = `${PRESENTED}px`;
      view.style.zoom = Math.max(1, wide); host.resize();
      view.style.zoom = Math.max(1, Math.min(wide, (innerHeight - below) / view.offsetHeight));
    }
    host.resize();
  }
  function present(yes) {
    const root = app.getRootNode();
    host.kept.presents = presents = yes;
    app.classList.toggle("present", yes);
    presentButton.setAttribute("aria-pressed", yes);
    fit();
    if (yes && !link) app.requestFullscreen?.().catch(() => {}); // a cell is too narrow; where that is refused, it stays there
    if (!yes && root.fullscreenElement === app) document.exitFullscreen();
    if (!yes) presentButton.focus({ preventScroll: true });
    address.changed();
  }
  on(app, "fullscreenchange", () => { if (presents && app.getRootNode().fullscreenElement !== app) present(false); else fit(); });
  on(window, "resize", () => { if (presents) fit(); });

  // ---- paper: this step, or a picture of each section with its sentences
  function printAll() {
    host.alert.hidden = !host.guesses();
    if (host.guesses()) { host.alert.textContent = "All steps would show the numbers that are asked for: switch Guess off first."; return; }
    app.querySelector(".mgn-crumbs button")?.click(); // a picture of the whole network
    const back = host.k(), all = h("div", { class: "mgs-all" }, h("h2", {}, host.typed(D.net ? D.net.title : D.title)));
    dispatchEvent(new Event("beforeprint")); // the page is laid out for paper
    for (const { phase, name, groups } of D.sections.filter(({ sample, phase }) => phase !== "update" && (sample == null || sample === (host.sample?.() ?? sample)))) {
      host.go(groups.at(-1).steps[1]);
      all.append(h("section", {}, h("h3", {}, `${{ forward: "Forward pass", backward: "Backward pass" }[phase] ?? phase}${/ pass$/.test(name) ? "" : `, ${name}`}`), host.picture.cloneNode(true),
        h("ol", { start: groups[0].steps[0] + 1 }, groups.map(g => h("li", { value: g.steps[1] + 1 }, host.typed(g.say))))));
    }
    host.go(back);
    app.append(all); app.classList.add("all");
    const ended = new AbortController(), end = () => { ended.abort(); all.remove(); app.classList.remove("all"); };
    for (const event of ["afterprint", "pointerdown", "keydown"]) addEventListener(event, end, { signal: ended.signal });
    print();
  }

  const copyButton = button("Copy link", "c", copy), presentButton = button("Present", "f", () => present(!presents));
  presentButton.setAttribute("aria-pressed", presents);
  const row = h("div", { class: "mgs-share", role: "group", "aria-label": "Share" }, presentButton, link || D.call ? copyButton : null, button("PNG", "", png), link ? [button("Print", "", () => print()), button("All steps", "", printAll)] : null);
  app.querySelector(".mgs-keys").before(row);
  host.hint("f", "present"); if (link || D.call) host.hint("c", "copy the link");
  const before = keys.get("Escape");
  for (const [key, act] of [["f", () => present(!presents)], ["c", () => copyButton.isConnected && void copy(copyButton)], ["PageDown", () => presents && press("Step forward")], ["PageUp", () => presents && press("Step back")], ["Escape", e => presents ? present(false) : before?.(e) ?? false]]) keys.set(key, act);
  address.add("mode", () => presents ? "present" : "", text => text === "present" ? void present(true) : false);
  if (presents) { app.classList.add("present"); fit(); } // the page was mounted anew
});
