// What is pressed, chosen and dropped.
const start = async () => {
  for (const part of ["choices", "work"]) byId(part).hidden = false;
  fillSizes();
  say("Loading the model ...");
  byId("file").addEventListener("change", ({target}) => {
    const file = target.files[0];
    // The same file may be chosen again.
    target.value = "";
    if (file) openPicture(file, file.name);
  });
  byId("sample")?.addEventListener("click", openExample);
  byId("camera").addEventListener("click", () => (stream ? stopCamera() : startCamera()));
  byId("size").addEventListener("change", translatePicture);
  byId("again").addEventListener("click", translatePicture);
  byId("save").addEventListener("click", () => {
    const link = Object.assign(document.createElement("a"), {download: "output.png"});
    link.href = byId("output").toDataURL("image/png");
    link.click();
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("drop").classList.add("over");
  });
  for (const kind of ["dragleave", "drop"]) addEventListener(kind, () => byId("drop").classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    if (file) openPicture(file, file.name);
    else say("What was dropped is no file; save the picture first, and drop the file.", true);
  });
  try {
    await loadModel();
    if (!picture) say("Ready: the model is loaded.");
  } catch (error) {
    say(`The model could not be loaded: ${error.message}`, true);
  }
};

// From the disk no worker starts; the page then says what it said at first.
if (location.protocol !== "file:") start();
