// The page around the picture: search, the panel of a node, widths that light up, pointer and keys.
const data = JSON.parse(document.getElementById("data").textContent);

function viewer() {
  const get = (id) => document.getElementById(id);
  const stage = get("stage"), details = get("details"), svg = get("picture");
  const view = picture(data, svg, stage), { nodes, widths } = data;
  const start = nodes.name.map((_, i) => i);
  // Costs from 2^53 on come as text.
  const exactly = (cost) => cost.map((value) => (typeof value === "string" ? BigInt(value) : value));
  const before = nodes.before.map(exactly);
  let now = { state: [...nodes.state, 0], shape: nodes.shape, cost: nodes.cost.map(exactly), left: nodes.left };
  let scores = null, pinned = null, shown = null, lit = null;

  // ---- the panel ----

  const big = (value) => value.toLocaleString("en-US");
  const total = (metric) => start.reduce((sum, i) => sum + Number(now.cost[i][metric]), 0);

  function make(tag, text, style) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (style) element.className = style;
    return element;
  }

  function entries(pairs) {
    const list = make("dl");
    for (const [name, value] of pairs) {
      const one = make("div");
      one.append(make("dt", name), typeof value === "string" ? make("dd", value) : value);
      list.append(one);
    }
    return list;
  }

  function describe(i) {
    shown = i;
    if (i === null) return details.replaceChildren(...HINT);
    // What it was, where it was something else, and what it is, with its share of the whole.
    const share = (metric) => {
      const value = now.cost[i][metric], was = before[i]?.[metric] ?? value;
      const words = Number(value) ? `${big(value)} (${view.percent(Number(value) / total(metric))})` : "0";
      return was == value || !was ? words : `${big(was)} → ${words}`;
    };
    const pairs = [["Operator", nodes.calls[nodes.call[i]]], ["Shape", now.shape[i].join(" × ")]];
    if (nodes.full[i] >= 0) pairs.push(["Channels", view.channels(i, now)]);
    if ([...now.cost[i], ...(before[i] ?? [])].some(Number))
      for (const metric of [0, 1, 2]) pairs.push([capital(data.metrics[metric]), share(metric)]);
    pairs.push([nodes.widths[i].length > 1 ? "Widths" : "Width", nodes.widths[i].map(widthWords).join("; ")]);
    if (nodes.tap[i]) pairs.push(["Compared as", nodes.tap[i].join(", ")]);
    if (nodes.places[nodes.place[i]]) pairs.push(["Source", nodes.places[nodes.place[i]]]);
    const parts = [make("h2", nodes.name[i])];
    if (now.state[i]) parts.push(make("p", nodes.states[now.state[i]], "state"));
    if (nodes.were[i]) parts.push(make("p", `changed: ${nodes.were[i]}`, "state"));
    parts.push(entries(pairs));
    const strip = scores?.large(nodes.widths[i]);
    if (strip) parts.push(strip);
    details.replaceChildren(...parts);
  }

  const capital = (words) => words[0].toUpperCase() + words.slice(1);

  function widthWords(width) {
    const users = start.filter((i) => nodes.widths[i].includes(width)).length;
    const tie = widths.tie[width] ? `, = ${widths.tie[width]}` : "";
    return `${widths.name[width]}${tie}, of ${users} operator${users === 1 ? "" : "s"}`;
  }

  // Bring a node into sight, and tell of it.
  function visit(node) {
    view.reveal(node);
    pinned = node;
    describe(node);
  }

  // ---- widths that light up ----

  function light(node) {
    lit = node === null || lit === node ? null : node;
    const group = new Set(lit === null ? [] : nodes.widths[lit].flatMap((width) => widths.free[width]));
    const among = start.map((i) => nodes.widths[i].some((width) => widths.free[width].some((free) => group.has(free))));
    svg.classList.toggle("lighting", lit !== null);
    view.rows.forEach((row, i) => row.element.classList.toggle("lit", among[i]));
    view.mark("holds-lit", among);
    for (const net of view.nets) net.element.classList.toggle("lit", net.edges.some(([a]) => among[a]));
    pinned = lit;
    describe(lit ?? shown);
  }

  // ---- search ----

  const query = get("query"), tally = get("tally");
  let found = [], current = -1;

  function search() {
    const words = query.value.trim().toLowerCase();
    const named = (i) => [nodes.name[i], ...(nodes.tap[i] ?? [])].some((text) => text.toLowerCase().includes(words));
    found = words ? start.filter(named) : [];
    current = -1;
    const among = start.map(() => false);
    for (const i of found) among[i] = true;
    view.mark("holds-match", among);
    view.rows.forEach(({ element }, i) => {
      element.classList.toggle("match", among[i]);
      element.classList.remove("current");
    });
    tally.textContent = words ? (found.length ? `${found.length} found; Enter` : "nothing found") : "";
    if (found.length) go(1);
  }

  function go(by) {
    if (!found.length) return;
    view.rows[found[current]]?.element.classList.remove("current");
    current = (current + by + found.length) % found.length;
    const node = found[current];
    view.rows[node].element.classList.add("current");
    tally.textContent = `${current + 1} of ${found.length}`;
    visit(node);
  }

  query.addEventListener("input", search);
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") {
      query.value = "";
      search();
    }
  });

  // ---- pointer ----

  const nodeAt = (event) => event.target.closest?.("[data-node]");
  const boxAt = (event) => event.target.closest?.(".knob")?.closest("[data-box]");
  svg.addEventListener("pointerover", (event) => {
    const element = nodeAt(event);
    if (element && event.pointerType !== "touch") describe(Number(element.dataset.node));
  });
  svg.addEventListener("pointerleave", () => describe(pinned));
  let drag = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.pointerType === "mouse")
      drag = { x: event.clientX, y: event.clientY, left: stage.scrollLeft, top: stage.scrollTop, far: false };
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.far ||= Math.hypot(dx, dy) > 4;
    if (!drag.far) return;
    stage.classList.add("dragging");
    stage.scrollTo(drag.left - dx, drag.top - dy);
  });
  addEventListener("pointerup", () => {
    stage.classList.remove("dragging");
    // The click that follows still has to know.
    setTimeout(() => (drag = null));
  });
  svg.addEventListener("click", (event) => {
    if (!drag?.far) press(event.target);
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      view.zoom(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    },
    { passive: false },
  );
  let pinch = 0;
  stage.addEventListener(
    "touchmove",
    (event) => {
      if (event.touches.length !== 2) return;
      event.preventDefault();
      const [a, b] = event.touches, apart = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (pinch) view.zoom(apart / pinch, (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
      pinch = apart;
    },
    { passive: false },
  );
  for (const end of ["touchend", "touchcancel"]) stage.addEventListener(end, () => (pinch = 0));

  // What a click, a tap or Enter does: fold a box, or light up the widths of a node.
  function press(target) {
    const box = boxAt({ target }), element = nodeAt({ target });
    if (box) view.fold(view.boxes[box.dataset.box], !view.boxes[box.dataset.box].closed);
    else light(element ? Number(element.dataset.node) : null);
    const item = target.closest?.(".knob, [data-node]");
    if (item) focusOn(item);
  }

  // ---- keys: one stop of Tab for the whole picture, arrows from there ----

  const items = [...svg.querySelectorAll(".knob, [data-node]")];
  let stop = items[0];
  stop?.setAttribute("tabindex", "0");

  function focusOn(item) {
    stop.setAttribute("tabindex", "-1");
    stop = item;
    stop.setAttribute("tabindex", "0");
    stop.focus({ preventScroll: true });
  }

  function step(by) {
    for (let i = items.indexOf(stop) + by; items[i]; i += by) {
      if (!items[i].getClientRects().length) continue; // folded away
      focusOn(items[i]);
      items[i].scrollIntoView({ block: "nearest", inline: "nearest" });
      return;
    }
  }

  // On the stage: an SVG that listens for focus becomes a stop of its own in some browsers.
  stage.addEventListener("focusin", (event) => {
    const element = nodeAt(event);
    if (element) describe(Number(element.dataset.node));
  });
  const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (STEPS[event.key]) step(STEPS[event.key]);
    else if (event.key === "Enter" || event.key === " ") press(event.target);
    else return;
    event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select")) return;
    const key = { "/": () => query.focus(), Escape: () => light(null), "+": () => view.zoom(1.25), "-": () => view.zoom(0.8), 0: view.fit }[event.key];
    if (!key) return;
    event.preventDefault();
    key();
  });

  const actions = {
    fold: () => view.foldAll(true), unfold: () => view.foldAll(false),
    in: () => view.zoom(1.25), out: () => view.zoom(0.8), fit: view.fit,
  };
  for (const button of document.querySelectorAll("[data-do]"))
    button.addEventListener("click", actions[button.dataset.do]);

  const HINT = [
    make("p", "Point at an operator for its shape and cost. A click lights up everything that its width is tied to; a heading folds its block.", "muted keys"),
    make("p", "Tap an operator, or a heading to fold it.", "muted taps"),
    make("p", "Keys: Tab and arrows to move, Enter to press, / to search, + and - to zoom, 0 for all of it.", "muted keys"),
  ];
  get("tools").hidden = false;
  describe(null);

  return {
    view,
    visit,
    // Draw another student.
    show(next, strips) {
      now = next;
      scores = strips;
      view.show(now);
      describe(shown);
    },
  };
}
