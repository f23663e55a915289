// Sizes that the network takes, pictures drawn at them, and the worker that translates them.
const facts = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const RUNS = 6, LARGEST = 1024;

const say = (words, wrong = false) => {
  byId("status").textContent = words;
  byId("status").hidden = !words;
  byId("status").classList.toggle("wrong", wrong);
};

// The nearest side that is taken.
const taken = ({step, least}, side) => (step ? least + step * Math.max(0, Math.round((side - least) / step)) : least);
const nearest = (height, width) => ({height: taken(facts.height, height), width: taken(facts.width, width)});

// "picture" is the picture's own size, as far as memory and patience go.
const sizeFor = (choice, picture) => {
  if (choice !== "picture") return nearest(...choice.split("x").map(Number));
  const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
  return nearest(picture.height * scale, picture.width * scale);
};

const fillSizes = () => {
  const {height, width} = facts.declared, known = new Set();
  for (const times of [1, 0.5, 2]) {
    const size = nearest(height * times, width * times), key = `${size.height}x${size.width}`;
    if (known.has(key)) continue;
    known.add(key);
    byId("size").add(new Option(`${size.height} x ${size.width}${times === 1 ? " (as made for)" : ""}`, key));
  }
  if (facts.height.step && facts.width.step) byId("size").add(new Option("as the picture", "picture"));
};

// The picture on the input's canvas, scaled until it covers it, and cut to its middle.
const draw = (picture, ownWidth, ownHeight) => {
  const canvas = byId("input"), size = sizeFor(byId("size").value, {width: ownWidth, height: ownHeight});
  canvas.width = size.width;
  canvas.height = size.height;
  const pen = canvas.getContext("2d", {alpha: false, willReadFrequently: true});
  pen.imageSmoothingQuality = "high";
  const scale = Math.max(size.width / ownWidth, size.height / ownHeight);
  const width = ownWidth * scale, height = ownHeight * scale;
  pen.drawImage(picture, (size.width - width) / 2, (size.height - height) / 2, width, height);
  const image = pen.getImageData(0, 0, size.width, size.height);
  if (facts.channels === 1) pen.putImageData(greyed(image), 0, 0);
  return image;
};

const greyed = (image) => {
  for (let i = 0; i < image.data.length; i += 4) {
    const [red, green, blue] = image.data.subarray(i, i + 3);
    image.data.fill(Math.round(0.299 * red + 0.587 * green + 0.114 * blue), i, i + 3);
  }
  return image;
};

// One picture is in work at a time; `translate` answers with what became of it.
const asked = new Map();
let worker = null, ready = null, count = 0;
const translate = (image, runs) => new Promise((resolve, reject) => {
  asked.set(++count, {resolve, reject});
  worker.postMessage({id: count, image, runs, channels: facts.channels});
});

// `ready` is kept once the model is loaded. A worker that fails later fails what was asked of it, too.
const loadModel = () => {
  worker = new Worker("worker.js", {type: "module"});
  ready = new Promise((resolve, reject) => {
    worker.onmessage = ({data}) => {
      if (data.kind === "ready") return resolve();
      const waiting = asked.get(data.id);
      asked.delete(data.id);
      if (data.kind === "done") waiting.resolve(data);
      else (waiting?.reject ?? reject)(new Error(data.what));
    };
    worker.onerror = (event) => {
      const error = new Error(event.message || "its script did not load");
      for (const waiting of [...asked.values(), {reject}]) waiting.reject(error);
      asked.clear();
    };
  });
  worker.postMessage({model: facts.model});
  return ready;
};

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const show = (image, times, words) => {
  const canvas = byId("output");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  byId("result").hidden = false;
  byId("time").textContent = `${median(times).toFixed(1)} ms at ${image.height} x ${image.width}, ${words}`;
};
