// Python in a worker: it answers one question after the other, so that the page stays alive.

import { loadPyodide } from "../pyodide/pyodide.mjs";

const runtime = new URL("../pyodide/", import.meta.url).href;

const started = (async () => {
  const program = fetch(new URL("playground.py", import.meta.url)).then(answer => answer.text());
  const { packages } = await (await fetch(`${runtime}pyodide-lock.json`)).json();
  const wheels = ["graphviz", "micrograd-graphviz", "micrograd"].map(async name =>
    (await fetch(runtime + packages[name].file_name)).arrayBuffer());
  const python = await loadPyodide({ indexURL: runtime });
  for (const wheel of wheels) python.unpackArchive(await wheel, "wheel");
  python.runPython(await program, { filename: "playground.py" });
  return python.globals.get("answer");
})();

started.then(() => postMessage({ ready: true }), error => postMessage({ fatal: String(error) }));

onmessage = async ({ data }) => {
  try {
    const answer = await started;
    postMessage({ asked: data.asked, ...JSON.parse(answer(JSON.stringify(data))) });
  } catch (error) { // of the interpreter itself: it cannot go on
    postMessage({ asked: data.asked, fatal: String(error) });
  }
};
