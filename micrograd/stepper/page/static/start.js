// A page of its own: what a notebook gives to the widget, and the address.

const data = await pageData(), el = document.getElementById("mgs");
let values = {}, leave = () => null;
const model = {
  get: key => values[key], set(key, value) { values[key] = value; },
  on() {}, off() {}, save_changes() {},
};
function open() {
  const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  leave();
  values = { data, step: data.position, theme: "auto", editable: true, error: "", start: asked.step ? asked : { ...data.start, ...asked } };
  leave = render({ model, el });
}
addEventListener("hashchange", open); // a link to another step of this page
open();
