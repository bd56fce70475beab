// The page "Try it": segment a chosen file, and show an outline, two areas, a warning and a mask to download.
"use strict";

{
  const OVERLAY_SIDE = 1024; // longest side of the displayed image in pixels
  const TINT = [0, 158, 115];

  const part = (name) => document.getElementById(`tryit-${name}`);
  const threshold = () => Number(part("threshold").value);
  const cutOf = (limit) => Math.fround(limit * 255); // compare interpolated levels in float32, as NumPy does
  const number = (value) => value.toLocaleString("en");
  let shown = null; // the displayed radiograph with its results
  let latest = 0;

  // Let the browser paint the text before the thread is busy.
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

  async function open(file, name) {
    const turn = ++latest;
    part("warning").hidden = true;
    try {
      say(`Reading ${name}`);
      const image = await tryit.decode(file, name);
      if (image.grey.every((value) => value === image.grey[0])) {
        throw new Error(`every pixel has one grey (${image.grey[0]}); expected a radiograph`);
      }
      if (!document.getElementById("tryit").dataset.loaded) say("Loading the network, once: some 6 MB");
      await painted();
      const network = await tryit.network();
      document.getElementById("tryit").dataset.loaded = "yes";
      if (turn !== latest) return; // another file was chosen in the meantime
      const began = performance.now();
      const found = await segment(network, image);
      shown = { ...image, ...found, name, info: network.info };
      if (!part("result").dataset.moved) part("threshold").value = network.info.threshold;
      show();
      shown.milliseconds = performance.now() - began;
      say(`${name}: outlined in ${Math.round(shown.milliseconds)} ms, in this browser`);
    } catch (error) {
      if (turn !== latest) return;
      say("");
      complain(`${name}: ${error.message}`);
    }
  }

  async function segment(network, { grey, width, height }) {
    const size = network.grid;
    const square = tryit.toSquare(grey, width, height, size);
    const levels = await network.run(square);
    const seems = await tryit.orientation(network, network.info.confidence, square, levels);
    const side = Math.min(OVERLAY_SIDE, Math.max(width, height));
    const [columns, rows] = tryit.fitted(width, height, side);
    const smaller = columns === width ? grey : shrunk(grey, width, height, columns, rows);
    return { levels, square, size, seems, view: { columns, rows, grey: smaller } };
  }

  // Return the levels at this threshold with only the components that the network's study keeps.
  const kept = (limit) => tryit.keepLargest(shown.levels, shown.size, limit, shown.info.pieces);

  // Shrink the image for display by averaging pixels.
  function shrunk(grey, width, height, columns, rows) {
    const result = new Uint8Array(columns * rows);
    const edge = (k, from, to) => Math.floor((k * from) / to);
    for (let y = 0; y < rows; y++) {
      const [top, bottom] = [edge(y, height, rows), edge(y + 1, height, rows)];
      for (let x = 0; x < columns; x++) {
        const [left, right] = [edge(x, width, columns), edge(x + 1, width, columns)];
        let sum = 0;
        for (let v = top; v < bottom; v++) for (let u = left; u < right; u++) sum += grey[v * width + u];
        result[y * columns + x] = sum / ((bottom - top) * (right - left));
      }
    }
    return result;
  }

  function whole(levels, size, width, height) {
    const row = tryit.fromSquare(levels, size, width, height);
    const result = new Float32Array(width * height);
    for (let y = 0; y < height; y++) result.set(row(y), y * width);
    return result;
  }

  // Count the lung pixels on the left and the right of the image. levels: those of the kept components.
  function sides(levels, cut) {
    const { size, width, height } = shown;
    const border = tryit.border(shown.levels, size, width, height);
    const row = tryit.fromSquare(levels, size, width, height);
    let [onLeft, onRight] = [0, 0];
    for (let y = 0; y < height; y++) {
      const values = row(y);
      for (let x = 0; x < border; x++) if (values[x] >= cut) onLeft++;
      for (let x = border; x < width; x++) if (values[x] >= cut) onRight++;
    }
    return [onLeft, onRight];
  }

  // Update everything that depends on the threshold.
  function show() {
    const limit = threshold();
    part("value").textContent = limit.toFixed(2);
    if (!shown) return;
    const { square, size, width, height, seems, view } = shown;
    const [cut, levels] = [cutOf(limit), kept(limit)];
    draw(view, whole(levels, size, view.columns, view.rows), cut);
    const [right, left] = sides(levels, cut); // the patient's left is on the right of the image
    const score = tryit.predictDice(Float32Array.from(shown.levels, (level) => level / 255), square, size, limit);
    const [columns, rows] = tryit.fitted(width, height, size);
    const mask = whole(levels, size, columns, rows).map((value) => (value >= cut ? 1 : 0));
    const warning = tryit.warning(score, tryit.objections(mask, columns, left, right), seems);
    part("left").textContent = area(left);
    part("right").textContent = area(right);
    part("ratio").textContent = right ? (left / right).toFixed(2) : "none";
    part("score").textContent = score.toFixed(2);
    part("canvas").setAttribute(
      "aria-label",
      `${shown.name} with the lungs outlined. Patient's left lung ${area(left)}, right lung ${area(right)}.`,
    );
    if (warning) complain(`Check this one: ${warning}.`);
    else part("warning").hidden = true;
    part("result").hidden = false;
    const { dice, cases } = shown.info.scores;
    part("about").textContent =
      `${shown.info.trained_on} Mean Dice ${dice.toFixed(3)} on ${cases} test cases of study ${shown.info.study}.`;
  }

  function area(pixels) {
    const { width, height, spacing } = shown;
    const share = `${((100 * pixels) / (width * height)).toFixed(1)}% of the picture`;
    const size = spacing ? `, ${number(Math.round((pixels * spacing[0] * spacing[1]) / 100))} cm²` : "";
    return `${number(pixels)} pixels (${share}${size})`;
  }

  function draw({ columns, rows, grey }, levels, cut) {
    const canvas = part("canvas");
    [canvas.width, canvas.height] = [columns, rows];
    const image = new ImageData(columns, rows);
    const inside = (x, y) => x >= 0 && y >= 0 && x < columns && y < rows && levels[y * columns + x] >= cut;
    for (let y = 0, k = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++, k++) {
        let share = 0;
        if (levels[k] >= cut) {
          const core = inside(x - 2, y) && inside(x + 2, y) && inside(x, y - 2) && inside(x, y + 2);
          share = core ? 0.25 : 1;
        }
        for (let c = 0; c < 3; c++) image.data[4 * k + c] = grey[k] * (1 - share) + TINT[c] * share;
        image.data[4 * k + 3] = 255;
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  async function save() {
    const { size, width, height, name } = shown;
    const [limit, cut] = [threshold(), cutOf(threshold())];
    const row = tryit.fromSquare(kept(limit), size, width, height);
    const blob = await tryit.writePng(width, height, (y) => Uint8Array.from(row(y), (level) => (level >= cut ? 255 : 0)));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name.replace(/\.[^.]*$/, "")}-mask.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    say(`${link.download}: ${number(width)} x ${number(height)} pixels, 255 where lung is`);
  }

  const say = (text) => (part("status").textContent = text);

  function complain(text) {
    if (part("warning").textContent !== text) part("warning").textContent = text; // do not repeat the alert
    part("warning").hidden = false;
  }

  function offerSamples() {
    tryit.samples.forEach(({ label, jpeg }, k) => {
      const button = document.createElement("button");
      const picture = document.createElement("img");
      picture.src = `data:image/jpeg;base64,${jpeg}`;
      picture.alt = "";
      button.type = "button";
      button.append(picture, `Made X-ray ${k + 1}: ${label}`);
      button.addEventListener("click", () => {
        const bytes = Uint8Array.from(atob(jpeg), (letter) => letter.charCodeAt(0));
        open(new Blob([bytes], { type: "image/jpeg" }), `sample-${k + 1}.jpg`);
      });
      part("samples").append(button);
    });
  }

  function start() {
    if (!globalThis.DecompressionStream || !globalThis.OffscreenCanvas || !globalThis.WebAssembly) {
      complain("This browser is too old to run the network; one of 2023 or later can.");
      return;
    }
    offerSamples();
    part("file").addEventListener("change", ({ target }) => {
      if (target.files.length) open(target.files[0], target.files[0].name);
      target.value = ""; // allows the user to choose the same file again
    });
    part("threshold").addEventListener("input", () => {
      part("result").dataset.moved = "yes";
      show();
    });
    part("save").addEventListener("click", save);
    const drop = part("drop");
    for (const event of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(event, (happening) => {
        happening.preventDefault();
        drop.classList.toggle("over", event === "dragover");
        const [file] = happening.dataTransfer?.files ?? [];
        if (event === "drop" && file) open(file, file.name);
      });
    }
  }

  Object.defineProperty(tryit, "shown", { get: () => shown });
  document.addEventListener("DOMContentLoaded", start);
}
