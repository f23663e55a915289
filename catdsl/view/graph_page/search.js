"use strict";

// The search as catdsl/search has it: costs from terms, the cut through the ranked list, the fill.
// Whole numbers throughout; big integers where sums could pass 2^53. Nothing here touches the page.
function searcher(model) {
  const N = model.big ? BigInt : Number;
  const numbers = (values) => values.map(N);
  const { first, second, condition, node: nodeOf } = model.terms;
  const factors = model.terms.factors.map(numbers);
  const conditional = condition.some((c) => c !== 0);

  // Counts of all widths, and a 1, from those of the ranked ones.
  function countsOf(chosen) {
    const counts = [...model.base, 1];
    model.ranked.forEach((width, i) => (counts[width] = chosen[i]));
    for (const [width, unit, constant, parts] of model.ties) {
      let sum = constant;
      for (const [other, factor] of parts) sum += factor * counts[other];
      counts[width] = sum / unit;
    }
    return counts;
  }

  function truth(rows, counts) {
    const holds = new Uint8Array(rows.length);
    rows.forEach((row, i) => {
      if (typeof row === "number") holds[i] = counts[row] > 0 ? 1 : 0;
      else {
        let value = row[0];
        for (let k = 1; k < row.length && value === row[0]; k++) value = holds[row[k]];
        holds[i] = value;
      }
    });
    return holds;
  }

  // What every term adds per unit of its factor; null where nothing is conditional.
  const heldTerms = (counts) => (conditional ? truth(model.conditions, counts) : null);

  function figure(counts, metric) {
    const holds = heldTerms(counts), own = factors[metric], v = model.big ? numbers(counts) : counts;
    let sum = N(0);
    for (let i = 0; i < own.length; i++)
      if (holds === null || holds[condition[i]]) sum += own[i] * v[first[i]] * v[second[i]];
    return sum;
  }

  // The cost of every node, and of all, in every metric.
  function costs(counts) {
    const holds = heldTerms(counts), v = numbers(counts);
    const perNode = model.kept.map(() => model.metrics.map(() => N(0)));
    const whole = model.metrics.map(() => N(0));
    nodeOf.forEach((node, i) => {
      if (holds !== null && !holds[condition[i]]) return;
      const product = v[first[i]] * v[second[i]];
      factors.forEach((own, metric) => {
        perNode[node][metric] += own[i] * product;
        whole[metric] += own[i] * product;
      });
    });
    return { perNode, whole };
  }

  // For every node 0, 1 or 2 (there, passed through, gone), and how many channels its tensor has.
  function states(counts) {
    const holds = truth(model.state_conditions, counts);
    return model.kept.map((kept, i) => {
      const parts = model.channels[i];
      let channels = 0;
      for (let k = 0; k < parts.length; k += 3) if (holds[parts[k + 2]]) channels += counts[parts[k]] * parts[k + 1];
      return { state: holds[kept] ? 0 : holds[model.left[i]] ? 1 : 2, channels };
    });
  }

  function plan(metric, most) {
    const list = model.lists[model.list_of[metric]], order = list.width, limit = N(most);
    const fits = (chosen) => figure(countsOf(chosen), metric) <= limit;
    const prefix = (length) => {
      const chosen = [...model.low];
      for (let i = 0; i < length; i++) chosen[order[i]] += model.step[order[i]];
      return chosen;
    };
    if (!fits(model.low)) return null;
    // The largest prefix that fits: sums never fall as it grows.
    let low = 0, high = order.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (fits(prefix(middle))) low = middle;
      else high = middle - 1;
    }
    const cut = prefix(low), kept = [...cut], done = new Uint8Array(kept.length);
    // Single steps in rank order where they fit. A width whose step does not fit is done.
    for (let i = low; i < order.length; i++) {
      const width = order[i];
      if (done[width]) continue;
      kept[width] += model.step[width];
      if (!fits(kept)) {
        kept[width] -= model.step[width];
        done[width] = 1;
      }
    }
    const counts = countsOf(kept);
    return {
      cut, kept, counts, length: low, threshold: threshold(list, low, cut),
      output: Boolean(truth(model.conditions, counts)[model.output]), ...costs(counts),
    };
  }

  // What the last step of the cut was ranked by.
  function threshold(list, length, cut) {
    if (!length) return null;
    if (list.value.length) return list.value[length - 1];
    const width = list.width[length - 1];
    return model.scores[width][cut[width] - 1];
  }

  return { states, plan };
}
