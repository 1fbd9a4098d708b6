// The first script of a page: it unpacks the others, which the page's policy knows by their hash.

globalThis.mgsText = id => { // of a compressed element
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
};
const script = document.createElement("script");
script.type = "module";
script.textContent = await mgsText("mgs-code");
document.body.append(script);
// A site that has this page in a frame can make the frame as high as the page is.
if (parent !== window) new ResizeObserver(() => parent.postMessage({ pageHeight: document.documentElement.offsetHeight }, "*")).observe(document.documentElement);
