// The service worker of JupyterLite, in place of its own: it hands on what a kernel asks of the page
// (files, answers to `input`), and keeps a copy of every file that was used, for a visit without a
// network. With a network it is the network's file that is taken.

const KEPT = "micrograd", channel = new BroadcastChannel("/sw-api.v1");

addEventListener("install", () => skipWaiting());
addEventListener("activate", event => event.waitUntil(clients.claim()));
addEventListener("fetch", event => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (pathname === "/api/service-worker-heartbeat") event.respondWith(new Response("ok"));
  else if (origin !== location.origin) return;
  else if (/\/api\/(drive|stdin\/)/.test(pathname)) event.respondWith(asked(request, pathname));
  else if (request.method === "GET") event.respondWith(fetched(event));
});

async function asked(request, pathname) {
  const question = await request.json();
  return new Promise(resolve => {
    const heard = ({ data }) => {
      if (data.browsingContextId !== question.browsingContextId || !("response" in data)) return;
      channel.removeEventListener("message", heard);
      resolve(new Response(JSON.stringify(data.response)));
    };
    channel.addEventListener("message", heard);
    channel.postMessage({ ...question, pathname });
  });
}

async function fetched({ request }) {
  const kept = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.ok) await kept.put(request, answer.clone());
    return answer;
  } catch (error) { // there is no network
    const copy = await kept.match(request, { ignoreSearch: request.mode === "navigate", ignoreVary: true });
    if (copy) return copy;
    throw error;
  }
}
