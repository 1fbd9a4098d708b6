// What the tests ask the script of the stepper's page for.

const exact = x => Object.is(x, -0) ? "-0.0" : String(x);

const tests = {
  load(data) { // the reason why the page does not compute
    const walk = { ...data, update: null }; // Python sends no texts of the update
    const D = data.net ? unpacked(walk)[0] : decoded(walk);
    tests.at = { D, live: liveOf(D) };
    return D.live.why ?? "";
  },
  read() {
    const { D } = tests.at, steps = D.steps.slice(0, D.walk), sections = D.sections.filter(({ phase }) => phase !== "update");
    return {
      nodes: D.nodes.map(n => [n.text, n.loc ?? null]), gmax: D.gmax,
      p: D.net?.loss?.terms.map(t => t.p) ?? null,
      paths: D.paths?.map(({ rows, total }) => [...rows.map(row => [row.factors, row.product]), total]) ?? null,
      groups: D.net && sections.flatMap(section => section.groups.map(group => group.say)),
      steps: steps.map(s => NAMES.map(name => s[name])),
      sizes: steps.map(s => [s.tc, s.tg]),
    };
  },
  numbers(lists) { // floats, and ints
    const written = (x, whole) => [numberText(x, 4, false, whole), numberText(x, 4, true, whole), numberText(x, 3, true, whole)];
    return lists.map((list, whole) => list.map(x => written(Number(x), whole)));
  },
  row([listed, samples]) { // the result and the local derivatives of a row for each sample
    const row = rowOf(listed);
    return samples.map(sample => {
      const r = sample.map(Number), out = row.forward(r);
      return [out, ...row.locals(r)].map(exact);
    });
  },
  pull([data, changes]) { // what stands in the way, or all texts after a change
    return tests.load(data) || tests.at.live.set(changes) || tests.read();
  },
  set: changes => tests.at.live.set(changes),
  curve: ([i, xs]) => tests.at.live.curve(i, xs),
};

function answer(text) {
  const [name, argument] = JSON.parse(text);
  return JSON.stringify(tests[name](argument) ?? null);
}
