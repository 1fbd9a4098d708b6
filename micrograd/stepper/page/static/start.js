// A page of its own: what a notebook gives to the widget, and the address.

const data = await pageData(), el = document.getElementById("mgs");
let leave = () => null;
function open() {
  const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  leave();
  leave = render({ model: pageModel({ data, step: data.position, theme: "auto", editable: true, error: "", start: asked.step ? asked : { ...data.start, ...asked } }), el });
}
addEventListener("hashchange", open); // a link to another step of this page
open();
