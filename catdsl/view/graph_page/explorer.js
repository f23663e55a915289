// The budget: a slider over one limit; a student for each place of it, and the scores that decide.
function explorer(page, { model, start, command }) {
  const get = (id) => document.getElementById(id);
  const search = searcher(model), { rows } = page.view, { nodes, widths } = data;
  const NAMES = ["MACs (exact)", "MACs (paper)", "parameters", "weights, bytes"];
  const KINDS = ["macs", "macs", "params", "weights"];
  const UNITS = { "": 0, K: 3, M: 6, G: 9, T: 12 };
  const PARTS = 1000n; // of the teacher, that the slider can tell apart
  const metric = get("metric"), slider = get("slider"), amount = get("amount");
  const teacher = model.teacher.map(BigInt), floor = model.floor.map(BigInt);
  const rankOf = new Map(model.ranked.map((width, i) => [width, i]));
  const every = model.scores.flat().sort((a, b) => a - b);
  const lowest = every[0] ?? 0, high = every[Math.floor(0.98 * (every.length - 1))] ?? 1;
  const big = (value) => Number(value).toLocaleString("en-US");
  const share = (value, i) => `${((100 * Number(value)) / Number(teacher[i] || 1n)).toFixed(1)} %`;
  let waiting = null;

  const least = (i) => (teacher[i] ? (floor[i] * PARTS + teacher[i] - 1n) / teacher[i] : 0n);

  // `25%`, `2.6G`, `400K` or a plain number, exactly; null for anything else.
  function read(text, i) {
    const found = /^\s*(\d+)(?:\.(\d+))?\s*([KMGT%]?)B?\s*$/.exec(text);
    if (!found) return null;
    const digits = BigInt(found[1] + (found[2] ?? "")), below = 10n ** BigInt((found[2] ?? "").length);
    return found[3] === "%" ? (digits * teacher[i]) / (100n * below) : (digits * 10n ** BigInt(UNITS[found[3]])) / below;
  }

  // The student within a limit, as the search of catdsl finds it.
  const plan = (i, most) => search.plan(i, model.big ? most : Number(most));

  function say(words) {
    get("outcome").textContent = words;
  }

  function show(i, most) {
    waiting = null;
    const found = plan(i, most);
    slider.setAttribute("aria-valuetext", `${share(most, i)} of the teacher's ${NAMES[i]}`);
    get("command").textContent = `${command} --budget ${KINDS[i]}=${most}${i === 1 ? " --count paper" : ""}`;
    if (!found) return say(`The smallest student takes ${big(floor[i])}, ${share(floor[i], i)}: no plan fits below that.`);
    const known = search.states(found.counts);
    const bar = (node) => nodes.full[node] < 0 ? -1 : channels(node, found.counts);
    page.show(
      {
        state: [...known.map((one) => one.state), 0],
        shape: known.map(({ state, channels }, k) => [state === 2 ? data.nodes.shape[k][0] : channels, ...data.nodes.shape[k].slice(1)]),
        cost: found.perNode,
        left: nodes.name.map((_, node) => bar(node)),
      },
      { large: (among) => large(among, found) },
    );
    found.whole.forEach((value, k) => {
      get(`cost-${k}`).textContent = big(value);
      get(`share-${k}`).textContent = share(value, k);
    });
    strips(found);
    const gone = found.kept.filter((count) => !count).length, left = most - BigInt(found.whole[i]);
    const words = [`${gone} of ${found.kept.length} widths vanish`, `${big(left)} of the limit is left`];
    if (found.threshold !== null) words.unshift(`threshold ${found.threshold}`);
    if (!found.output) words.push("no channel is left that leads to the output: plan refuses this");
    say(`${words.join("; ")}.`);
  }

  const channels = (node, counts) => {
    const parts = model.channels[node];
    let sum = 0;
    for (let k = 0; k < parts.length; k += 3) sum += counts[parts[k]] * parts[k + 1];
    return sum;
  };

  // ---- scores ----

  const NAMESPACE = "http://www.w3.org/2000/svg";
  // A root, and the few largest cut off: most scores are small, and even the least is to be seen.
  const height = (score) => 0.08 + 0.92 * Math.sqrt(high > lowest ? Math.min(1, Math.max(0, score - lowest) / (high - lowest)) : 1);

  // The scores of a width from best to worst, those that are kept apart from the rest, and the threshold.
  function profile(group, scores, kept, threshold, [x, y, w, h]) {
    const at = (i) => x + (w * i) / scores.length, level = (score) => y + h * (1 - height(score));
    const run = (from, to, style) => {
      if (from >= to) return [];
      let path = `M${at(from).toFixed(1)} ${y + h}`;
      for (let i = from; i < to; i++) path += `V${level(scores[i]).toFixed(1)}H${at(i + 1).toFixed(1)}`;
      return [[style, `${path}V${y + h}Z`]];
    };
    const lines = [...run(0, kept, "strip kept"), ...run(kept, scores.length, "strip")];
    if (threshold !== null) lines.push(["cutoff", `M${x} ${level(threshold).toFixed(1)}h${w}`]);
    group.replaceChildren(
      ...lines.map(([style, d]) => {
        const path = document.createElementNS(NAMESPACE, "path");
        path.setAttribute("class", style);
        path.setAttribute("d", d);
        return path;
      }),
    );
  }

  const level = (found) => (model.policy === "threshold" ? found.threshold : null);
  const places = rows.flatMap((row, node) => {
    if (!row.strip) return [];
    const place = ["x", "y", "width", "height"].map((name) => Number(row.strip.getAttribute(name)));
    const group = document.createElementNS(NAMESPACE, "g");
    row.strip.replaceWith(group);
    return [{ group, place, rank: rankOf.get(nodes.widths[node][0]) }];
  });

  function strips(found) {
    for (const { group, place, rank } of places)
      profile(group, model.scores[rank], found.kept[rank], level(found), place);
  }

  function large(among, found) {
    const rank = among.map((width) => rankOf.get(width)).find((i) => i !== undefined);
    if (rank === undefined) return null;
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    const svg = document.createElementNS(NAMESPACE, "svg"), scores = model.scores[rank], kept = found.kept[rank];
    svg.setAttribute("viewBox", "0 0 240 64");
    profile(svg, scores, kept, level(found), [0, 2, 240, 60]);
    const line = level(found) === null ? "" : `; the line is the threshold, ${found.threshold}`;
    const filled = kept > found.cut[rank] ? ` (${kept - found.cut[rank]} by the fill)` : "";
    caption.textContent = `Scores of ${widths.name[model.ranked[rank]]}, ${scores[0]} to ${scores.at(-1)}: ${kept} of ${scores.length} kept${filled}${line}.`;
    figure.append(svg, caption);
    return figure;
  }

  // ---- controls ----

  function soon(i, most) {
    const first = waiting === null;
    waiting = [i, most];
    if (first) requestAnimationFrame(() => show(...waiting));
  }

  function slide() {
    const i = Number(metric.value);
    const most = (teacher[i] * BigInt(slider.value)) / PARTS;
    amount.value = `${Number(slider.value) / 10}%`;
    amount.removeAttribute("aria-invalid");
    soon(i, most);
  }

  function type() {
    const i = Number(metric.value), most = read(amount.value, i);
    amount.toggleAttribute("aria-invalid", most === null);
    if (most === null) return say("Write an amount as 25%, 2.6G, 400K or 123456.");
    slider.value = String(teacher[i] ? (most * PARTS) / teacher[i] : 0n);
    soon(i, most);
  }

  function choose() {
    slider.min = String(least(Number(metric.value)));
    slide();
  }

  slider.addEventListener("input", slide);
  amount.addEventListener("change", type);
  amount.addEventListener("keydown", (event) => event.key === "Enter" && type());
  metric.addEventListener("change", choose);
  get("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(get("command").textContent);
      say("The command is copied.");
    } catch {
      getSelection().selectAllChildren(get("command"));
    }
  });
  metric.value = String(start.metric);
  slider.min = String(least(start.metric));
  amount.value = start.text;
  get("budget").hidden = false;
  type();
  return { plan: (i, most) => plan(i, BigInt(most)), states: search.states, show };
}
