// Paper is light, and narrower than a window: a page in a frame is laid out by the window, and made smaller.
const page = document.documentElement, PAPER = 700;
const frames = () => [...document.querySelectorAll("iframe.mgs-frame")];
let shown = page.dataset.theme;
addEventListener("beforeprint", () => {
  shown = page.dataset.theme; page.dataset.theme = "light";
  for (const { style, clientWidth, clientHeight } of frames()) {
    const part = Math.min(1, PAPER / clientWidth);
    Object.assign(style, { width: `${clientWidth}px`, transform: `scale(${part})`, transformOrigin: "0 0", marginBottom: `${(part - 1) * clientHeight}px` });
  }
});
addEventListener("afterprint", () => {
  page.dataset.theme = shown;
  for (const { style } of frames()) style.width = style.transform = style.marginBottom = "";
});

// A page in a frame tells how high it is, so that nobody has to scroll within it.
addEventListener("message", ({ source, data }) => {
  for (const frame of frames()) if (frame.contentWindow === source && data?.pageHeight > frame.height) frame.height = Math.ceil(data.pageHeight);
});
