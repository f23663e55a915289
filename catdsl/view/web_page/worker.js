// Runs the model beside the page, which stays usable meanwhile. One message asks for one picture.
import * as ort from "./ort.wasm.min.mjs";

// More threads would need headers of isolation, which a plain server does not send.
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;

let session = null;

// RGBA bytes to a batch of one, channels first, from -1 to 1.
const tensorOf = ({data, width, height}, channels) => {
  const pixels = width * height, values = new Float32Array(channels * pixels);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < pixels; i++) values[c * pixels + i] = data[4 * i + c] / 127.5 - 1;
  return new ort.Tensor("float32", values, [1, channels, height, width]);
};

// And back; a grey output becomes three equal channels. The array rounds and clamps.
const imageOf = ({data, dims}) => {
  const [, channels, height, width] = dims, pixels = width * height;
  const image = new ImageData(width, height);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = (data[(channels === 1 ? 0 : c) * pixels + i] + 1) * 127.5;
    image.data[4 * i + 3] = 255;
  }
  return image;
};

// The network alone is timed. Of several runs the first only warms up; they end early when they take long.
const translate = async ({image, channels, runs}) => {
  const feeds = {[session.inputNames[0]]: tensorOf(image, channels)}, times = [];
  let result = null;
  const end = performance.now() + 3000;
  for (let i = 0; i === 0 || (i < runs && performance.now() < end); i++) {
    const start = performance.now();
    result = (await session.run(feeds))[session.outputNames[0]];
    times.push(performance.now() - start);
  }
  return {image: imageOf(result), times: times.length > 1 ? times.slice(1) : times};
};

const answer = async (data) => {
  try {
    if (data.model) {
      const place = new URL(data.model, import.meta.url).href;
      session = await ort.InferenceSession.create(place, {executionProviders: ["wasm"]});
      postMessage({kind: "ready"});
    } else postMessage({kind: "done", id: data.id, ...(await translate(data))});
  } catch (error) {
    postMessage({kind: "failed", id: data.id, what: String(error?.message ?? error)});
  }
};

// One after the other, since runs that take turns would be timed together.
let last = Promise.resolve();
onmessage = ({data}) => {
  last = last.then(() => answer(data));
};
