// A network that learns in the page: what the eager engine computes, in the same order.

// A row of one operand, run on many numbers at once. What is returned is used before the next call.
function columnOf([[, lines, ahead, result, [slope]], gate]) {
  const code = lines.map(([kind, a = 0, b = 0, c = 0]) => ({ f: kind === "number" ? null : PRIMITIVES[kind] ?? Math[kind], a, b, c }));
  const r = [];
  let room = -1;
  const run = (from, to, count) => {
    for (let i = from; i < to; i++) {
      const { f, a, b, c } = code[i], A = r[a], B = r[b], C = r[c], out = r[i + 1];
      if (f) for (let k = 0; k < count; k++) out[k] = f(A[k], B[k], C[k]);
    }
  };
  return {
    gate,
    forward(numbers, count) {
      if (count > room) {
        room = count;
        lines.forEach(([kind, value], i) => { r[i + 1] = new Float64Array(count); if (kind === "number") r[i + 1].fill(Number(value)); });
      }
      r[0] = numbers;
      run(0, ahead, count);
      return r[result];
    },
    slope(count) { run(ahead, code.length, count); return r[slope]; }, // after `forward`
  };
}

// A small graph that Python recorded, such as the loss of one sample: its leaves are inputs, by their
// number, and constants; its nodes are rows with the places of their operands.
function graphOf({ leaves, nodes, outputs }, rows) {
  const first = leaves.length, data = new Float64Array(first + nodes.length), grads = new Float64Array(data.length), reached = new Uint8Array(data.length);
  const code = nodes.map(([row, at]) => ({ row: rowOf(rows[row][0]), gate: rows[row][1], at, r: [] })), root = data.length - 1;
  leaves.forEach((leaf, i) => { if (!Array.isArray(leaf)) data[i] = Number(leaf); });
  const inputs = leaves.flatMap((leaf, i) => Array.isArray(leaf) ? [[i, leaf[0]]] : []);
  return {
    outputs, // in the order in which the walk meets them
    forward(numbers, from) {
      for (const [i, k] of inputs) data[i] = numbers[from + k];
      code.forEach(({ row, at, r }, i) => { at.forEach((p, k) => { r[k] = data[p]; }); data[first + i] = row.forward(r); });
      return data[root];
    },
    backward(up, into, flags, from) { // after `forward`
      grads.fill(0); reached.fill(0);
      grads[root] = up; reached[root] = 1;
      for (let i = code.length - 1; i >= 0; i--) {
        if (!reached[first + i]) continue;
        const { row, gate, at, r } = code[i], slopes = row.locals(r);
        at.forEach((p, k) => { if (!gate || slopes[k] !== 0) { grads[p] += slopes[k] * grads[first + i]; reached[p] = 1; } });
      }
      for (const [i, k] of inputs) { into[from + k] = grads[i]; flags[from + k] = reached[i]; }
    },
  };
}

// The layers of a network, for any number of samples at once.
function layersOf(sizes, rows) {
  let size = 0, widest = Math.max(...sizes);
  const layers = rows.map((row, l) => {
    const layer = { at: size, nin: sizes[l], n: sizes[l + 1], column: row && columnOf(row), s: new Float64Array(0), x: null };
    size += layer.n * (layer.nin + 1);
    return layer;
  });
  let inputs = null, [up, flags, down, flagsDown] = [Float64Array, Uint8Array, Float64Array, Uint8Array].map(Kind => new Kind(widest));
  return {
    size, layers,
    forward(p, given, count) { // the outputs, sample by sample
      let x = inputs = given;
      for (const layer of layers) {
        const { nin, n } = layer;
        if (layer.s.length < count * n) layer.s = new Float64Array(count * n);
        for (let i = 0, w = layer.at; i < n; i++, w += nin + 1) {
          for (let k = 0; k < count; k++) {
            let sum = p[w + nin];
            for (let j = 0, from = k * nin; j < nin; j++) sum += p[w + j] * x[from + j];
            layer.s[k * n + i] = sum;
          }
        }
        x = layer.x = layer.column ? layer.column.forward(layer.s, count * n) : layer.s;
      }
      return x;
    },
    // Adds to the gradients from the last sample to the first, and from the last neuron to the first,
    // as the walk over the graph does. `order(k)`: how the walk meets the outputs of a sample.
    backward(p, grads, ups, reached, count, order) {
      const slopes = layers.map(({ column, n }) => column && column.slope(count * n)), last = layers.at(-1).n;
      for (let k = count - 1; k >= 0; k--) {
        for (let i = 0; i < last; i++) { up[i] = ups[k * last + i]; flags[i] = reached[k * last + i]; }
        for (let l = layers.length - 1; l >= 0; l--) {
          const { at, nin, n, column } = layers[l], x = l ? layers[l - 1].x : inputs, from = k * nin, met = l === layers.length - 1 ? order(k) : null;
          down.fill(0); flagsDown.fill(0);
          for (let q = n - 1; q >= 0; q--) {
            const i = met ? met[q] : q, slope = column ? slopes[l][k * n + i] : 1;
            if (!flags[i] || (slope === 0 && column.gate)) continue;
            const g = slope * up[i], w = at + i * (nin + 1);
            for (let j = 0; j < nin; j++) { grads[w + j] += x[from + j] * g; down[j] += p[w + j] * g; flagsDown[j] = 1; }
            grads[w + nin] += g;
          }
          [up, flags, down, flagsDown] = [down, flagsDown, up, flags];
        }
      }
    },
  };
}

// How the parameters change by their gradients, as the optimizers of `micrograd.optim` say.
function optimizerOf({ kind, momentum = 0, nesterov = false, betas = [], eps = 0 }, size, decayed) {
  const decays = new Uint8Array(size).fill(decayed ? 0 : 1), decoupled = kind === "AdamW";
  let steps = 0, mean = new Float64Array(size), square = new Float64Array(size);
  for (const i of decayed ?? []) decays[i] = 1;
  return {
    get state() { return { steps, mean, square }; },
    step(p, grads, lr, { l1, l2: decay }) { // the new parameters, or null: nothing has changed
      const count = steps + 1, pace = lr / (1 - betas[0] ** count), correction = Math.sqrt(1 - betas[1] ** count);
      const next = new Float64Array(size), m = mean.slice(), v = square.slice();
      for (let i = 0; i < size; i++) {
        let data = p[i], g = grads[i];
        if (decay && decays[i]) { if (decoupled) data *= 1 - lr * decay; else g += decay * data; }
        if (l1 && decays[i]) { const pull = l1 * Math.sign(p[i]); if (decoupled) data -= lr * pull; else g += pull; }
        if (kind !== "SGD") {
          m[i] += (1 - betas[0]) * (g - m[i]);
          v[i] = betas[1] * v[i] + (1 - betas[1]) * g * g;
          next[i] = data - pace * m[i] / (Math.sqrt(v[i]) / correction + eps);
          continue;
        }
        if (momentum) {
          m[i] = steps ? momentum * m[i] + g : g;
          g = nesterov ? g + momentum * m[i] : m[i];
        }
        next[i] = data - lr * g;
      }
      if (!next.every(Number.isFinite)) return [null, next.findIndex(x => !Number.isFinite(x)), next];
      steps = count; mean = m; square = v;
      return [next];
    },
  };
}
