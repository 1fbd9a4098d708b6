// What the page loaded before its service worker was there is kept too, for a visit without a network.
navigator.serviceWorker?.ready.then(async () => {
  const kept = await caches.open("micrograd");
  const here = new URL("..", document.baseURI).href;
  const used = performance.getEntriesByType("resource").map(({ name }) => name);
  for (const url of new Set([location.href, ...used])) {
    if (url.startsWith(here) && !await kept.match(url)) kept.add(url).catch(() => {});
  }
});
