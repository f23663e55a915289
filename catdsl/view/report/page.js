"use strict";

// Without this script every picture stands in the page by itself; with it, two lie over each other.
(() => {
  const TINY = 160; // pixels up to which a picture is shown as the squares that it is made of

  const viewer = document.querySelector("[data-viewer]");
  if (viewer) compare(viewer);
  for (const button of document.querySelectorAll("[data-copy]")) offerCopy(button);

  function compare(viewer) {
    const examples = [...document.querySelectorAll("[data-example]")].map((part) => ({
      name: part.dataset.example,
      images: new Map([...part.querySelectorAll("img[data-role]")].map((image) => [image.dataset.role, image])),
    }));
    const sides = ["left", "right"].map((side) => ({
      choice: viewer.querySelector(`select[data-side="${side}"]`),
      layer: viewer.querySelector(`.layer.${side}`),
      tag: viewer.querySelector(`.tag.${side}`),
    }));
    const stage = viewer.querySelector(".stage");
    const range = viewer.querySelector('input[type="range"]');
    const now = viewer.querySelector(".now");
    const thumbs = viewer.querySelector(".thumbs");
    const title = viewer.querySelector("[data-title]");
    const chosen = sides.map(({ choice }) => choice.value);
    let current = 0;

    function show() {
      const { name, images } = examples[current];
      title.textContent = name;
      sides.forEach((side, i) => {
        for (const option of side.choice.options) option.disabled = !images.has(option.value);
        // What this example lacks is replaced until one that has it is shown again.
        const role = images.has(chosen[i]) ? chosen[i] : [...images.keys()][Math.min(i, images.size - 1)];
        const image = images.get(role).cloneNode();
        image.draggable = false;
        side.choice.value = role;
        side.tag.textContent = role;
        side.layer.replaceChildren(image);
      });
      now.replaceChildren(...[...images.values()].map((image) => image.closest("figure").cloneNode(true)));
      const size = (what) => Math.max(...[...images.values()].map((image) => Number(image.getAttribute(what))));
      stage.style.setProperty("--ratio", String(size("width") / size("height")));
      stage.classList.toggle("tiny", size("width") <= TINY);
      [...thumbs.children].forEach((thumb, i) => thumb.setAttribute("aria-pressed", String(i === current)));
      divide(Number(range.value));
    }

    function divide(percent) {
      const at = Math.min(100, Math.max(0, percent));
      range.value = String(at);
      range.setAttribute("aria-valuetext", `${Math.round(at)} % ${sides[0].tag.textContent}`);
      stage.style.setProperty("--at", `${at}%`);
      // A tag must not name what is hardly to be seen.
      sides[0].tag.hidden = at < 12;
      sides[1].tag.hidden = at > 88;
    }

    function follow(event) {
      const box = stage.getBoundingClientRect();
      divide((100 * (event.clientX - box.left)) / box.width);
    }

    sides.forEach(({ choice }, i) =>
      choice.addEventListener("change", () => {
        // The same picture on both sides shows nothing: they change places instead.
        if (choice.value === sides[1 - i].tag.textContent) chosen[1 - i] = sides[i].tag.textContent;
        chosen[i] = choice.value;
        show();
      }),
    );
    range.addEventListener("input", () => divide(Number(range.value)));
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      stage.setPointerCapture(event.pointerId);
      follow(event);
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) follow(event);
    });
    // From there the arrow keys go on.
    stage.addEventListener("pointerup", () => range.focus({ preventScroll: true }));

    examples.forEach(({ name, images }, i) => {
      const thumb = document.createElement("button");
      const image = [...images.values()][0].cloneNode();
      image.alt = "";
      const caption = document.createElement("span");
      caption.textContent = name;
      thumb.type = "button";
      thumb.title = name;
      thumb.append(image, caption);
      thumb.addEventListener("click", () => {
        current = i;
        show();
      });
      thumbs.append(thumb);
    });

    show();
    viewer.hidden = false;
    const all = document.querySelector("[data-all]");
    all.open = false;
    // Paper has no slider: there every picture is shown.
    let open = false;
    addEventListener("beforeprint", () => ([open, all.open] = [all.open, true]));
    addEventListener("afterprint", () => (all.open = open));
  }

  function offerCopy(button) {
    const text = document.getElementById(button.dataset.copy);
    const words = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.textContent = (await copied(text)) ? "Copied" : "Selected: press Ctrl+C";
      setTimeout(() => (button.textContent = words), 2000);
    });
  }

  async function copied(element) {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      // Refused, or not there, as in some browsers for files: select it, and try the older way.
      getSelection().selectAllChildren(element);
      return document.execCommand("copy");
    }
  }
})();
