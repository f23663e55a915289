// Where pictures come from: a file, an example, the camera. The last one asked for is the one that is shown.
let picture = null, stream = null, turn = 0;

const translatePicture = async () => {
  if (!picture || stream) return;
  const mine = ++turn;
  document.body.setAttribute("aria-busy", "true");
  try {
    await ready;
    if (mine !== turn) return;
    const {image, times} = await translate(draw(picture, picture.width, picture.height), RUNS);
    if (mine !== turn) return;
    show(image, times, times.length > 1 ? `the median of ${times.length} runs` : "one run");
    say("");
  } catch (error) {
    say(`The picture could not be translated: ${error.message}`, true);
  } finally {
    if (mine === turn) document.body.setAttribute("aria-busy", "false");
  }
};

// As catdsl reads them: turned as the camera says, without regard to a colour profile.
const openPicture = async (blob, name) => {
  stopCamera();
  const mine = turn;
  try {
    const opened = await createImageBitmap(blob, {imageOrientation: "from-image", colorSpaceConversion: "none"});
    if (mine !== turn) return;
    picture = opened;
  } catch {
    return say(`${name} is no picture that this browser can read.`, true);
  }
  await translatePicture();
};

let example = 0;
const openExample = async () => {
  const file = facts.samples[example++ % facts.samples.length];
  try {
    const answer = await fetch(file);
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    await openPicture(await answer.blob(), file);
  } catch (error) {
    say(`The example ${file} could not be loaded: ${error.message}`, true);
  }
};

const CAMERA_TROUBLE = {
  NotAllowedError: "the browser was not allowed to use it",
  NotFoundError: "there is none",
  NotReadableError: "another program uses it",
};

const startCamera = async () => {
  if (!navigator.mediaDevices)
    return say("The camera is there only for pages from localhost or over https.", true);
  const mine = ++turn;
  try {
    const found = await navigator.mediaDevices.getUserMedia({video: {facingMode: "environment"}});
    if (mine !== turn) return found.getTracks().forEach((track) => track.stop());
    stream = found;
    byId("video").srcObject = stream;
    await byId("video").play();
    await ready;
  } catch (error) {
    stopCamera();
    return say(`The camera could not be started: ${CAMERA_TROUBLE[error.name] ?? error.message}.`, true);
  }
  byId("camera").textContent = "Stop the camera";
  byId("camera").setAttribute("aria-pressed", "true");
  say("");
  watch(mine);
};

// What is in work is dropped; the camera's last picture stays, to be measured or to be seen at another size.
const stopCamera = () => {
  turn++;
  document.body.setAttribute("aria-busy", "false");
  const video = byId("video");
  if (stream && video.videoWidth) {
    picture = Object.assign(document.createElement("canvas"), {width: video.videoWidth, height: video.videoHeight});
    picture.getContext("2d").drawImage(video, 0, 0);
  }
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
  byId("camera").textContent = "Start the camera";
  byId("camera").setAttribute("aria-pressed", "false");
};

// Picture after picture, each when the one before is done.
const watch = async (mine) => {
  const video = byId("video"), recent = [];
  try {
    while (mine === turn && stream) {
      if (video.videoWidth) {
        const {image, times} = await translate(draw(video, video.videoWidth, video.videoHeight), 1);
        if (mine !== turn) return;
        recent.push(...times);
        if (recent.length > 15) recent.shift();
        show(image, recent, `the median of the last ${recent.length} pictures of the camera`);
      }
      await new Promise(requestAnimationFrame);
    }
  } catch (error) {
    stopCamera();
    say(`The picture could not be translated: ${error.message}`, true);
  }
};
