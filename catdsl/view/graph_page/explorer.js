// The budget: a slider over one limit; a student for each place of it, and the scores that decide.
function explorer(page, { model, start, command, kinds, amounts }) {
  const get = (id) => document.getElementById(id);
  const search = searcher(model), { rows } = page.view, { nodes, widths } = data;
  const PARTS = 1000n; // of the teacher, that the slider can tell apart
  const metric = get("metric"), slider = get("slider"), amount = get("amount");
  const teacher = model.teacher.map(BigInt), floor = model.floor.map(BigInt);
  const rankOf = new Map(model.ranked.map((width, i) => [width, i]));
  const big = (value) => Number(value).toLocaleString("en-US");
  const share = (value, i) => `${((100 * Number(value)) / Number(teacher[i] || 1n)).toFixed(1)} %`;
  // Where a width is made: its first conv.
  const maker = widths.name.map((_, width) => nodes.name.findIndex((_, i) => nodes.own[i] && nodes.widths[i].includes(width)));
  let waiting = null, gone = [];

  const least = (i) => (teacher[i] ? (floor[i] * PARTS + teacher[i] - 1n) / teacher[i] : 0n);

  // An amount as --budget takes it, exactly, or what is wrong with it; patterns and units are those of the command.
  function read(text, i) {
    const { patterns, units, what, examples, most } = amounts[i], words = text.trim();
    const found = patterns.map((pattern) => new RegExp(`^(?:${pattern})$`).exec(words)).find(Boolean);
    if (!found) return { wrong: `“${words}” is not ${what}. Write for example ${examples}.` };
    const [, whole, fraction = "", power = "0"] = /^(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(found[1]);
    const places = Number(power) - fraction.length, digits = BigInt(whole + fraction);
    const scaled = digits * (found[2] === "%" ? teacher[i] : BigInt(units[found[2]])) * 10n ** BigInt(Math.max(0, places));
    const value = scaled / (10n ** BigInt(Math.max(0, -places)) * (found[2] === "%" ? 100n : 1n));
    if (value < 1n) return { wrong: `A budget of ${words} is nothing. Give a positive amount.` };
    return { most: value < BigInt(most) ? value : BigInt(most) };
  }

  // The student within a limit, as the search of catdsl finds it.
  const plan = (i, most) => search.plan(i, model.big ? most : Number(most));

  function say(words) {
    get("outcome").textContent = words;
  }

  function show(i, most) {
    waiting = null;
    // Below the floor there is no plan; the picture is that of the smallest student, and says so.
    const tooTight = most < floor[i], limit = tooTight ? floor[i] : most;
    const found = plan(i, limit);
    slider.setAttribute("aria-valuetext", `${share(limit, i)} of the teacher's ${data.metrics[i]}`);
    get("command").textContent = `${command} --budget ${kinds[i]}=${limit}${model.metrics[i] === "paper" ? " --count paper" : ""}`;
    get("copied").textContent = "";
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
    for (const part of document.querySelectorAll(".figures > div")) part.classList.toggle("chosen", part === get(`cost-${i}`).parentElement);
    strips(found);
    gone = model.searched.filter((width) => !found.counts[width]);
    get("vanished").textContent = `${gone.length} of ${model.searched.length} widths vanish`;
    listGone();
    if (tooTight) return say(`No student takes ${big(most)} or less. This is the smallest, at ${big(limit)}, ${share(limit, i)}.`);
    const words = [`${big(limit - BigInt(found.whole[i]))} of the limit is left`];
    if (found.threshold !== null) words.unshift(CUTS[model.policy](found.threshold));
    if (limit >= teacher[i]) words.push("the teacher itself is within it: nothing has to go");
    if (!found.output) words.push("no channel is left that leads to the output: plan refuses this");
    say(`${words.join("; ")}.`);
  }

  // What the last step of the cut says, by what steps are ranked by.
  const CUTS = {
    threshold: (value) => `threshold ${value}`,
    value_per_cost: (value) => `threshold ${value} of score per cost`,
    uniform: (value) => `cut at ${(-100 * value).toFixed(1)} % of every width`,
  };

  // The widths that vanish, each to be pressed to see where it was.
  function listGone() {
    if (!get("vanishing").open) return;
    const buttons = gone.map((width) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = widths.name[width];
      button.addEventListener("click", () => maker[width] >= 0 && page.visit(maker[width]));
      return button;
    });
    get("gone").replaceChildren(...(gone.length ? buttons : ["none"]));
  }

  const channels = (node, counts) => {
    const parts = model.channels[node];
    let sum = 0;
    for (let k = 0; k < parts.length; k += 3) sum += counts[parts[k]] * parts[k + 1];
    return sum;
  };

  // ---- scores ----

  const NAMESPACE = "http://www.w3.org/2000/svg";
  const every = Float64Array.from(model.scores.flat()).sort();
  // How many of all scores are lower, as a share: what a cut goes by. Even the least is to be seen.
  function place(score) {
    let low = 0, high = every.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (every[middle] < score) low = middle + 1;
      else high = middle;
    }
    return 0.06 + (0.94 * low) / Math.max(1, every.length - 1);
  }
  const heights = new Map(every.length ? [...new Set(every)].map((score) => [score, place(score)]) : []);
  const byPlace = (score) => heights.get(score) ?? place(score);
  // In the panel, between the least and the largest that are to be seen there.
  const between = (low, high) => (score) => 0.04 + (high > low ? (0.96 * (score - low)) / (high - low) : 0.96);

  // The scores of a width from best to worst, those that are kept apart from the rest, and the threshold.
  function profile(group, scores, kept, threshold, height, [x, y, w, h]) {
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
      profile(group, model.scores[rank], found.kept[rank], level(found), byPlace, place);
  }

  function large(among, found) {
    const rank = among.map((width) => rankOf.get(width)).find((i) => i !== undefined);
    if (rank === undefined) return null;
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    const svg = document.createElementNS(NAMESPACE, "svg"), scores = model.scores[rank], kept = found.kept[rank];
    svg.setAttribute("viewBox", "0 0 240 64");
    const line = level(found) === null ? "" : `; the line is the threshold, ${found.threshold}`;
    const ends = [scores[0], scores.at(-1), ...(level(found) === null ? [] : [level(found)])];
    profile(svg, scores, kept, level(found), between(Math.min(...ends), Math.max(...ends)), [0, 2, 240, 60]);
    const filled = kept > found.cut[rank] ? ` (${kept - found.cut[rank]} by the fill)` : "";
    caption.textContent = `Scores of ${widths.name[model.ranked[rank]]}, ${scores[0]} to ${scores.at(-1)}: ${kept} of ${scores.length} kept${filled}${line}.`;
    figure.append(svg, caption);
    return figure;
  }

  // ---- controls ----

  function soon(i, most) {
    const first = waiting === null;
    waiting = [i, most];
    if (first) requestAnimationFrame(() => waiting && show(...waiting));
  }

  function slide() {
    const i = Number(metric.value);
    const most = (teacher[i] * BigInt(slider.value)) / PARTS;
    amount.value = `${Number(slider.value) / 10}%`;
    amount.removeAttribute("aria-invalid");
    soon(i, most);
  }

  function type() {
    const i = Number(metric.value), { most, wrong } = read(amount.value, i);
    if (wrong) {
      amount.setAttribute("aria-invalid", "true");
      return say(`${wrong} The picture is still that of the limit before.`);
    }
    amount.removeAttribute("aria-invalid");
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
      get("copied").textContent = "copied";
    } catch {
      getSelection().selectAllChildren(get("command"));
      get("copied").textContent = "selected: now Ctrl+C";
    }
  });
  get("vanishing").addEventListener("toggle", listGone);
  metric.value = String(start.metric);
  slider.min = String(least(start.metric));
  amount.value = start.text;
  get("budget").hidden = false;
  type();
  // At once: what it says takes room from the picture.
  if (waiting) show(...waiting);
  return { plan: (i, most) => plan(i, BigInt(most)), states: search.states, show, read };
}
