// The address of a page, such as #step=24&open=1.2&set=w1[2,1]:0.9: where its reader is. Each part
// of the page adds its key, with how its text is written and how it is read. In a notebook nothing
// is read or written. Without a `count` of steps, the page itself says what a step is.

const WRITE_AFTER = 250; // milliseconds after the last change: browsers refuse an address a frame
const plainName = name => name.replace(/\u207d([\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)\u207e/g, (_, n) => n.normalize("NFKC")).replace(/[\u2080-\u2089]+(,[\u2080-\u2089]+)*/g, n => `[${n.normalize("NFKC")}]`).replace(/^\u2113/, "loss");

// What a link says in vain, however much it says: the beginning.
const cutShort = text => { const letters = Array.from(String(text)); return letters.length > 60 ? `${letters.slice(0, 60).join("")}\u2026` : text; };
const notHere = (key, text) => `This link says ${cutShort(key)}=${cutShort(text)}, which is not here.`;
const firstFew = said => [...said.slice(0, 12), ...(said.length > 12 ? [`And ${said.length - 12} more.`] : [])].join(" ");

function addressOf(model, el, nodes, count, fresh) {
  const asked = (fresh && model.get("start")) || {}, unread = new Set(Object.keys(asked)), parts = new Map(), faults = [], page = el.id === "mgs" || model.get("owns"), own = page && window === window.top;
  const names = nodes.map(n => plainName(n.name));
  let timer = 0, kept = null, complaint = null;
  const encoded = text => encodeURIComponent(text).replace(/%(5B|5D|2C|3A|3B|40)/g, decodeURIComponent);
  const address = {
    // `write()` returns the text of a key, "" to leave it out. `read(text)` is called at once if the
    // address has the key; it returns a sentence, or false, if nothing here is called so.
    add(key, write, read) {
      parts.set(key, write);
      unread.delete(key);
      if (asked[key] == null) return;
      const said = read(asked[key]);
      const fault = said === false ? notHere(key, asked[key]) : said;
      if (fault && !faults.includes(fault)) faults.push(fault);
    },
    text: () => "#" + [...parts].map(([key, write]) => [key, String(write() ?? "")]).filter(([, text]) => text).map(([key, text]) => `${key}=${encoded(text)}`).join("&"),
    // Says what the link names in vain; from now on `changed` writes the address.
    ready(alert) {
      for (const key of unread) if (asked[key]) faults.push(notHere(key, asked[key]));
      if (faults.length) { complaint = alert; alert.textContent = firstFew(faults); alert.hidden = false; }
      kept = address.text();
    },
    changed() {
      if (!own || kept == null) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        const text = address.text();
        if (text === kept) return;
        kept = text;
        if (complaint?.textContent === firstFew(faults)) complaint.hidden = true; // until the reader moves on
        try { history.replaceState(null, "", text); } catch { /* not allowed here: the page works without */ }
      }, WRITE_AFTER);
    },
    leave: () => clearTimeout(timer),
    // What a copy of the link is; null in a notebook, which has none for this.
    link: page && location.protocol !== "about:" ? () => location.href.split("#")[0] + address.text() : null,
    // A value as it is called here: by its name, or by its number where several have that name.
    named: i => names.indexOf(names[i]) === names.lastIndexOf(names[i]) && !/^@\d+$/.test(names[i]) ? names[i] : `@${i}`,
    find(name) {
      const at = /^@(\d+)$/.exec(name), found = names.indexOf(name), i = at ? +at[1] : found === names.lastIndexOf(name) ? found : -1;
      return i < nodes.length ? i : -1;
    },
    // Numbers of leaves, w1[2,1]:0.9;x0[1]:0.4, from pairs [value, number] and back.
    numbers: pairs => pairs.map(([i, x]) => `${encodeURIComponent(address.named(i)).replace(/%(5B|5D|2C|40)/g, decodeURIComponent)}:${Object.is(x, -0) ? "-0" : x}`).join(";"),
    readNumbers(text) { // the pairs, and what is wrong with the others
      const pairs = [], wrong = [];
      for (const part of text.split(";").filter(part => part)) {
        const at = part.includes(":") ? part.lastIndexOf(":") : part.length, number = typedNumber(part.slice(at + 1)), x = numberOf(number);
        let name = part.slice(0, at);
        try { name = decodeURIComponent(name); } catch { /* as it stands */ }
        const i = address.find(name);
        if (i < 0 || nodes[i].sym) wrong.push(`This link names ${cutShort(name)}, which is ${i < 0 ? "not here" : "computed from others"}.`);
        else if (number == null || !Number.isFinite(x)) wrong.push(noNumber(cutShort(part.slice(at + 1))));
        else pairs.push([i, x]);
      }
      return [pairs, firstFew(wrong)];
    },
  };
  if (count != null) address.add("step", () => model.get("step") < count ? model.get("step") + 1 : "update", text => {
    if (text === "update") return void model.set("step", count);
    const j = Number(text);
    if (!(Number.isInteger(j) && j >= 1 && j <= count)) return `This link says step ${cutShort(text)}; the steps are 1 to ${count}.`;
    model.set("step", j - 1);
  });
  const THEMES = ["light", "dark"];
  address.add("theme", () => THEMES.includes(model.get("theme")) ? model.get("theme") : "", text => THEMES.includes(text) ? void model.set("theme", text) : false);
  return address;
}
