// A page of its own: what a notebook gives to the widget, and the address.

const data = await pageData(), el = document.getElementById("mgs");
let leave = () => null;
function open() {
  const start = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const elsewhere = data.state && ["step", ...Object.keys(data.state.settings)].some(key => key in start); // than where the page opens
  leave();
  leave = renderLive({ model: pageModel({ data, start, state: elsewhere ? {} : data.state, theme: "auto" }), el });
}
addEventListener("hashchange", open); // a link to another run of this page
open();
