// What a page and a widget call: it shows a network as the lens, any other graph as it was drawn.

function render({ model, el }) {
  const mounted = data => data.compare ? mountCompare : data.net ? mountLens : mount;
  const guarded = keep => {
    try { return mounted(model.get("data"))(model, el, keep, () => again()); } catch (error) { el.replaceChildren(h("p", { role: "alert" }, `The stepper cannot be shown: ${error}`)); return () => null; }
  };
  let leave = guarded(null);
  const again = () => { leave = guarded(leave()); };
  model.on("change:data", again);
  return () => { model.off("change:data", again); leave(); };
}

export default { initialize: takePlaces(render), render };
