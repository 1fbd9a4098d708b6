// Paper is light.
const page = document.documentElement;
let shown = page.dataset.theme;
addEventListener("beforeprint", () => { shown = page.dataset.theme; page.dataset.theme = "light"; });
addEventListener("afterprint", () => { page.dataset.theme = shown; });

// A page in a frame tells how high it is, so that nobody has to scroll within it.
addEventListener("message", ({ source, data }) => {
  for (const frame of document.querySelectorAll("iframe.mgs-frame")) if (frame.contentWindow === source && data?.pageHeight > frame.height) frame.height = Math.ceil(data.pageHeight);
});
