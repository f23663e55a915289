// What changes in the picture with the widths: colours, counts, bars, shares, ghosts. Words and steps come from Python.
function painting(data, boxes, rows, nets) {
  const percent = (share) => {
    const value = 100 * share;
    if (!value) return "0 %";
    const found = data.percent.digits.find(([least]) => value >= least);
    return found ? `${value.toFixed(found[1])} %` : data.percent.least;
  };

  const heat = (share) => 1 + data.heat.slice(0, -1).filter((most) => share > most).length;

  // The channels of a conv. What vanished has just those that another still decides.
  function channels(node, now) {
    const full = data.nodes.full[node], left = now.left[node];
    const kept = full === 0 || left === full || (now.state[node] === 2 && !data.nodes.own[node]);
    return kept ? String(full || left) : `${full} → ${left}`;
  }

  // What had to be shortened has no more room than for as many characters; the panel has the rest.
  const room = new Map();
  function write(text, words) {
    if (!text) return;
    if (!room.has(text)) room.set(text, text.textContent.endsWith("…") ? text.textContent.length : Infinity);
    const most = room.get(text), shown = words.length > most ? `${words.slice(0, most - 1)}…` : words;
    if (text.textContent !== shown) text.textContent = shown;
  }

  // `now` has for every node its state, shape, cost in all metrics, and the channels left of its width.
  function show(now) {
    const macs = now.cost.map((cost) => Number(cost[0]));
    const whole = macs.reduce((a, b) => a + b, 0) || 1, hottest = Math.max(...macs, 0) / whole;
    rows.forEach((row, i) => {
      const gone = now.state[i] !== 0, share = macs[i] / whole;
      row.element.classList.toggle("gone", gone);
      if (row.join) {
        row.element.classList.toggle("bypassed", now.state[i] === 1);
        for (const part of row.element.children) if (!part.matches(".wire,text")) part.classList.toggle("gone", gone);
        return;
      }
      row.heat.setAttribute("class", share ? `h${heat(share / hottest)}` : "hit");
      write(row.shape, now.shape[i].join("×"));
      if (!row.track) return;
      const full = data.nodes.full[i], left = now.left[i], vanished = now.state[i] === 2;
      write(row.count, channels(i, now));
      const length = (Number(row.track.getAttribute("width")) * left) / (full || 1);
      row.left.setAttribute("width", String(vanished || !left ? 0 : Math.max(2, length)));
    });
    for (const box of boxes.slice(1)) {
      if (!box.nodes.length || box.group.dataset.node) continue;
      box.group.classList.toggle("gone", box.nodes.every((node) => now.state[node] === 2));
      const share = box.nodes.reduce((sum, node) => sum + macs[node], 0) / whole;
      write(box.share, share ? percent(share) : "");
    }
    const changed = new Set();
    for (const net of nets) {
      const live = net.edges.some(([a, b]) => now.state[a] !== 2 && now.state[b] !== 2);
      if (live === net.live) continue;
      net.live = live;
      for (const part of net.element.children) part.classList.toggle("gone", !live);
      changed.add(net.element.parentElement);
    }
    // Living wires on top of dead ones.
    for (const group of changed) group.append(...[...group.children].filter((g) => !g.firstChild.classList.contains("gone")));
  }

  return { show, percent, channels };
}
