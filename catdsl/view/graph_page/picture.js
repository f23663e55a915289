// The picture: boxes that fold, and zoom.
// The layout comes from Python. What is folded loses height: all that stands below in its column moves
// up. Then strips of the picture in which nothing stands any more are drawn together, from left to right.
function picture(data, svg, stage) {
  const TOKEN = /[MHVLQZ]|-?[\d.]+/g;
  const LEAST = 0.1, MOST = 3, LONG = 3, MUCH = [1.5, 2]; // screens
  // The least scale at which names can be read; a small screen is held nearer, but not half as near.
  const readable = () => (stage.clientWidth < 600 ? 0.75 : 0.6);
  const EDGE = 8, EMPTY = 24; // what a line or an edge needs on either side, and what is left of an empty strip
  const whole = svg.viewBox.baseVal.width;
  let scale = 1, width = whole;

  const boxes = data.boxes.map(([outer, x, y, w, h, folded, columns]) => ({
    outer, x, y, w, h, folded, columns, inner: [], closed: false, up: 0, now: h, wires: [],
  }));
  boxes.slice(1).forEach((box) => boxes[box.outer].inner.push(box));
  for (const group of svg.querySelectorAll("[data-box]")) boxes[group.dataset.box].group = group;
  boxes[0].group = svg;
  for (const box of boxes) {
    box.body = box.group.querySelector(":scope > .body");
    box.knob = box.group.querySelector(":scope > .knob");
    box.room = Number(box.knob?.querySelector(".hit").getAttribute("width") ?? 0);
    box.share = box.group.querySelector(":scope > .knob > .share");
    box.nodes = [...box.group.querySelectorAll("[data-node]"), ...(box.group.dataset.node ? [box.group] : [])].map(
      (element) => Number(element.dataset.node),
    );
    const paths = box.group.querySelectorAll(":scope > .wires path");
    box.wires = [...paths].map((path) => ({ path, tokens: path.getAttribute("d").match(TOKEN) }));
    box.scope = box.columns.length > 0;
    box.columns = box.columns.map(([left, right, top, bottom, rows]) => ({
      left, right, top, bottom,
      rows: rows.map(([y, height]) => ({
        y, height, boxes: box.inner.filter((b) => b.y === y && b.x >= left && b.x <= right),
      })),
    }));
  }
  const foldable = boxes.filter((box) => box.folded);
  const rows = data.nodes.name.map(() => null);
  for (const element of svg.querySelectorAll("[data-node]")) {
    const part = (name) => element.querySelector(`:scope > ${name}`);
    rows[element.dataset.node] = {
      element, heat: element.firstElementChild, shape: part(".shape"), count: part(".count"),
      left: part(".left"), track: part(".track"), strip: part(".strip"), join: element.classList.contains("join"),
    };
  }
  const nets = [...svg.querySelectorAll(".net")].map((element) => ({
    element, live: null, edges: element.dataset.e.split(" ").map((edge) => edge.split("-").map(Number)),
  }));

  // ---- folding ----

  function settle(box) {
    if (box.closed) return (box.now = box.folded);
    if (!box.scope) return (box.now = box.h);
    for (const inner of box.inner) settle(inner);
    const columns = box.columns.map(({ left, right, top, bottom, rows }) => {
      let up = 0;
      const steps = rows.map((row) => {
        for (const inner of row.boxes) inner.up = up;
        up += row.height - Math.max(...row.boxes.map((inner) => inner.now));
        return [row.y + row.height, up];
      });
      return { left, right, top, bottom, steps, up };
    });
    const floor = Math.max(...columns.map((column) => column.bottom));
    const lost = floor - Math.max(...columns.map((column) => column.bottom - column.up));
    box.moved = (x, y) => {
      if (y >= floor) return y - lost;
      const column = columns.length === 1 ? columns[0] : columns.find((c) => c.left <= x && x <= c.right);
      if (!column || y <= column.top) return y;
      // A wire that leaves a box begins at the box's own edge, above that of its row where others are taller.
      const box_ = box.inner.find((b) => Math.abs(b.y + b.h - y) < 0.6 && b.x <= x && x <= b.x + b.w);
      if (box_) return box_.y - box_.up + box_.now;
      let up = 0;
      for (const [bottom, above] of column.steps) if (y >= bottom) up = above;
      return y - up;
    };
    return (box.now = box.h - lost);
  }

  // The commands of a path, each point moved; lines stay upright or level.
  function redrawn(tokens, across, moved) {
    const out = [];
    let command = "", x = 0;
    for (let i = 0; i < tokens.length; i++) {
      if (/[A-Z]/.test(tokens[i])) {
        command = tokens[i];
        out.push(command);
      } else if (command === "H") out.push(across((x = Number(tokens[i]))));
      else if (command === "V") out.push(moved(x, Number(tokens[i])));
      else {
        x = Number(tokens[i++]);
        out.push(across(x), moved(x, Number(tokens[i])));
      }
    }
    return out.join(" ");
  }

  // Where x comes to lie when no strip in which nothing is to be seen is wider than EMPTY.
  function drawnTogether() {
    if (!boxes.some((box) => box.closed)) return (x) => x;
    const taken = [[0, EDGE], [whole - EDGE, whole]];
    (function look(box) {
      if (!box.scope) return taken.push([box.x, box.x + box.w]);
      taken.push([box.x, box.x + Math.max(box.room, EDGE)], [box.x + box.w - EDGE, box.x + box.w]);
      if (box.closed) return;
      for (const { tokens } of box.wires)
        tokens.forEach((token, i) => {
          if ("MLHQ".includes(token)) taken.push([Number(tokens[i + 1]) - EDGE, Number(tokens[i + 1]) + EDGE]);
        });
      box.inner.forEach(look);
    })(boxes[0]);
    taken.sort((a, b) => a[0] - b[0]);
    const gaps = [];
    let end = 0, lost = 0;
    for (const [left, right] of taken) {
      if (left - end > EMPTY) {
        lost += left - end - EMPTY;
        gaps.push([end, left, lost]);
      }
      end = Math.max(end, right);
    }
    return (x) => {
      let before = 0;
      for (const [start, stop, sum] of gaps) {
        if (x >= stop) before = sum;
        else return x <= start ? x - before : x - before - (sum - before) * ((x - start) / (stop - start));
      }
      return x - before;
    };
  }

  function layOut() {
    settle(boxes[0]);
    const across = drawnTogether();
    width = across(whole);
    place(boxes[0], across);
    sized();
  }

  // What lies within a closed box is placed when it opens.
  function place(box, across) {
    const aside = across(box.x) - box.x;
    box.group.classList.toggle("folded", box.closed);
    box.body?.setAttribute("height", String(box.now - 1));
    box.knob?.setAttribute("aria-expanded", String(!box.closed));
    if (!box.scope) return shift(box.group, aside, -box.up);
    if (box !== boxes[0]) {
      shift(box.group, 0, -box.up);
      shift(box.knob, aside, 0);
      box.body.setAttribute("x", String(across(box.x) + 0.5));
      box.body.setAttribute("width", String(across(box.x + box.w) - across(box.x) - 1));
    }
    if (box.closed) return;
    for (const { path, tokens } of box.wires) path.setAttribute("d", redrawn(tokens, across, box.moved));
    for (const inner of box.inner) place(inner, across);
  }

  function shift(group, x, y) {
    if (x || y) group.setAttribute("transform", `translate(${x} ${y})`);
    else group.removeAttribute("transform");
  }

  function fold(box, closed) {
    if (!box.folded || box.closed === closed) return;
    // The heading stays under the pointer.
    const stood = box.knob.getBoundingClientRect();
    box.closed = closed;
    layOut();
    const stands = box.knob.getBoundingClientRect();
    stage.scrollBy(stands.left - stood.left, stands.top - stood.top);
  }

  function foldAll(closed) {
    for (const box of foldable) box.closed = closed;
    layOut();
    toTheTop();
  }

  // Blocks in blocks are closed from the inside out until the rest can be read without moving it about; those
  // around all others stay open.
  function foldToRead() {
    const depth = (box) => (box === boxes[0] ? 0 : 1 + depth(boxes[box.outer]));
    const blocks = foldable.filter((box) => box.scope).map((box) => [box, depth(box)]);
    const screens = () => {
      settle(boxes[0]);
      const height = boxes[0].now + 2 * boxes[0].y;
      const [across, down] = [drawnTogether()(whole) / stage.clientWidth, height / stage.clientHeight];
      return { across: readable() * across, down: readable() * down };
    };
    let { across, down } = screens();
    if (across <= 1 && down <= LONG) return;
    // The outermost are closed only where much more would be out of sight.
    const much = () => across > 1 || down > 1, far = () => across > MUCH[0] || down > MUCH[1];
    for (let level = Math.max(0, ...blocks.map(([, d]) => d)); level > 1 ? much() : level && far(); level--) {
      for (const [box, d] of blocks) if (d === level) box.closed = true;
      ({ across, down } = screens());
    }
    layOut();
  }

  // ---- zoom ----

  function sized() {
    const height = boxes[0].now + 2 * boxes[0].y;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("width", String(Math.round(width * scale)));
    svg.setAttribute("height", String(Math.round(height * scale)));
  }

  // The point of the picture that lies at (x, y) of the window stays there.
  function zoom(to, x, y) {
    const stood = svg.getBoundingClientRect(), before = scale;
    scale = Math.min(MOST, Math.max(LEAST, to));
    const frame = stage.getBoundingClientRect();
    const at = x === undefined ? [frame.left + frame.width / 2, frame.top + frame.height / 2] : [x, y];
    sized();
    const stands = svg.getBoundingClientRect(), factor = scale / before;
    stage.scrollLeft += stands.left + (at[0] - stood.left) * factor - at[0];
    stage.scrollTop += stands.top + (at[1] - stood.top) * factor - at[1];
  }

  function fit() {
    const height = boxes[0].now + 2 * boxes[0].y;
    zoom(Math.min(1, stage.clientWidth / width, stage.clientHeight / height));
  }

  function begin() {
    foldToRead();
    toTheTop();
  }

  function toTheTop() {
    scale = Math.min(1, Math.max(readable(), stage.clientWidth / width));
    sized();
    reveal(0);
    stage.scrollTop = 0;
  }

  // Unfold all around a node and bring it into sight.
  function reveal(node) {
    const element = rows[node].element;
    let closed = false;
    for (let group = element.closest("[data-box]"); group; group = group.parentElement.closest("[data-box]")) {
      const box = boxes[group.dataset.box];
      closed ||= box.closed;
      box.closed = false;
      if (group === svg) break;
    }
    if (closed) layOut();
    const at = element.getBoundingClientRect(), frame = stage.getBoundingClientRect();
    if (at.left < frame.left || at.right > frame.right)
      stage.scrollLeft += at.left + at.width / 2 - frame.left - frame.width / 2;
    if (at.top < frame.top || at.bottom > frame.bottom)
      stage.scrollTop += at.top + at.height / 2 - frame.top - frame.height / 2;
  }

  // Boxes that hold any of these nodes say so, for as long as they are folded over them.
  function mark(style, among) {
    for (const box of foldable) box.group.classList.toggle(style, box.nodes.some((node) => among[node]));
  }

  return { svg, boxes, rows, nets, fold, foldAll, zoom: (by, x, y) => zoom(scale * by, x, y), fit, begin, reveal, mark, ...painting(data, boxes, rows, nets) };
}
