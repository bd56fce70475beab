// The page "Try it": segment a chosen file, and show outlines, areas, the cardiothoracic ratio, a warning and a mask to
// download.
"use strict";

{
  const OVERLAY_SIDE = 1024; // longest side of the displayed image in pixels
  const COLOURS = { lungs: [0, 158, 115], heart: [213, 94, 0] };
  const TINT = 0.25; // share of the colour inside an outline

  const part = (name) => document.getElementById(`tryit-${name}`);
  const threshold = () => Number(part("threshold").value);
  const cutOf = (limit) => Math.fround(limit * 255); // compare interpolated levels in float32, as NumPy does
  const number = (value) => value.toLocaleString("en");
  let shown = null; // the displayed radiograph with its results
  let latest = 0;

  async function open(file, name) {
    const turn = ++latest;
    part("warning").hidden = true;
    try {
      say(`Reading ${name}`);
      const image = await tryit.decode(file, name);
      if (image.grey.every((value) => value === image.grey[0])) {
        throw new Error(`every pixel has one grey (${image.grey[0]}); expected a radiograph`);
      }
      if (!document.getElementById("tryit").dataset.loaded) say("Loading the network (5 to 7 MB, only once)");
      await tryit.painted();
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
    const found = await network.run(square);
    const [levels] = Object.values(found);
    const seems = await tryit.orientation(network, network.info.confidence, square, levels);
    const side = Math.min(OVERLAY_SIDE, Math.max(width, height));
    const [columns, rows] = tryit.fitted(width, height, side);
    const smaller = columns === width ? grey : shrunk(grey, width, height, columns, rows);
    const content = tryit.content(square, size, width, height);
    return { found, levels, square, size, seems, content, view: { columns, rows, grey: smaller } };
  }

  // Return the levels at this threshold of the components to keep: of the lungs, as one or as two structures, and of the
  // heart, null if the network does not know it.
  function kept(limit) {
    const levels = tryit.keptLevels(shown.found, shown.size, limit, shown.info.pieces);
    const bySide = tryit.SIDES.every((name) => name in levels);
    return { lungs: bySide ? tryit.SIDES.map((name) => levels[name]) : [Object.values(levels)[0]], heart: levels.heart ?? null };
  }

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

  // Return the masks of lungs and heart, as kept() has them, on a grid of the picture's shape.
  function masksOn(columns, rows, { lungs, heart }, cut) {
    const { size } = shown;
    const whole = columns === size && rows === size;
    const mask = (levels) =>
      whole
        ? levels.map((level) => (level >= cut ? 1 : 0))
        : tryit.wholeMask([levels], size, columns, rows, cut);
    return { lungs: lungs.map(mask), heart: heart && mask(heart) };
  }

  const union = (masks) => masks.reduce((all, mask) => all.map((value, k) => value | mask[k]));

  // Measure lungs and heart in the pixels of the image, of which the view may have fewer. The patient's right lung is on
  // the left of the image.
  function measure(levels, masks, cut) {
    const { size, width, height, view } = shown;
    const rows = (one, mask) =>
      view.columns === width
        ? (y) => mask.subarray(y * width, (y + 1) * width)
        : tryit.maskRows([one], size, width, height, cut);
    const bySide = levels.lungs.length === 2;
    const border = bySide ? 0 : tryit.border(shown.levels, size, width, height);
    const whole = tryit.measured(levels.lungs.map((one, k) => rows(one, masks.lungs[k])), height, border);
    const [right, left] = bySide ? whole.areas : [whole.onLeft, whole.areas[0] - whole.onLeft];
    const heart = levels.heart && tryit.measured([rows(levels.heart, masks.heart)], height);
    return { whole, right, left, heart: heart && { ...heart, area: heart.areas[0] } };
  }

  // Update everything that depends on the threshold.
  function show() {
    const limit = threshold();
    part("value").textContent = limit.toFixed(2);
    if (!shown) return;
    const { square, size, width, height, seems, view } = shown;
    const [cut, levels] = [cutOf(limit), kept(limit)];
    const masks = masksOn(view.columns, view.rows, levels, cut);
    const { whole, right, left, heart } = measure(levels, masks, cut);
    const score = tryit.predictDice(new Float32Array(shown.levels).map((level) => level / 255), square, size, limit);
    const [columns, rows] = tryit.fitted(width, height, size);
    const small = union(masksOn(columns, rows, { lungs: levels.lungs, heart: null }, cut).lungs);
    const reasons = tryit.objections(small, columns, left, right);
    const warning = tryit.warning(score, reasons, seems);
    const tooSmall = heart && !(heart.area && left + right) ? "the picture is too small" : "";
    const refused = heart && (tryit.strange(reasons, seems) || refusal(levels, cut) || tooSmall);
    const ctr = heart && !refused ? tryit.ratio(heart, whole) : null;
    draw(view, masks, ctr !== null);
    part("left").textContent = area(left);
    part("right").textContent = area(right);
    part("ratio").textContent = right ? (left / right).toFixed(2) : "none";
    for (const row of part("result").querySelectorAll(".heart")) row.hidden = !heart;
    part("heart").textContent = heart ? area(heart.area) : "";
    part("ctr").textContent = ctr !== null ? ctr.toFixed(2) : heart ? `none: ${refused}` : "";
    part("score").textContent = score.toFixed(2);
    part("canvas").setAttribute(
      "aria-label",
      `${shown.name} with the lungs${heart ? " and the heart" : ""} outlined. Patient's left lung ${area(left)}, ` +
        `right lung ${area(right)}${heart ? `, heart ${area(heart.area)}` : ""}.` +
        (ctr !== null ? ` Cardiothoracic ratio ${ctr.toFixed(2)}.` : ""),
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

  function refusal(levels, cut) {
    const { size, content } = shown;
    const { lungs, heart } = masksOn(size, size, levels, cut);
    return tryit.refusal(heart, union(lungs), size, content);
  }

  function draw({ columns, rows, grey }, masks, widths) {
    const canvas = part("canvas");
    [canvas.width, canvas.height] = [columns, rows];
    const image = new ImageData(columns, rows);
    for (let k = 0; k < grey.length; k++) {
      for (let c = 0; c < 3; c++) image.data[4 * k + c] = grey[k];
      image.data[4 * k + 3] = 255;
    }
    const context = canvas.getContext("2d");
    const lines = [];
    for (const [mask, colour] of [[union(masks.lungs), COLOURS.lungs], [masks.heart, COLOURS.heart]]) {
      if (!mask) continue;
      tint(image, mask, columns, rows, grey, colour);
      if (widths) lines.push([tryit.extent(mask, columns), colour]);
    }
    context.putImageData(image, 0, 0);
    for (const [found, colour] of lines) if (found) drawWidth(context, found, colour);
  }

  function tint(image, mask, columns, rows, grey, colour) {
    const inside = (x, y) => x >= 0 && y >= 0 && x < columns && y < rows && mask[y * columns + x];
    for (let y = 0, k = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++, k++) {
        if (!mask[k]) continue;
        const core = inside(x - 2, y) && inside(x + 2, y) && inside(x, y - 2) && inside(x, y + 2);
        const share = core ? TINT : 1;
        for (let c = 0; c < 3; c++) image.data[4 * k + c] = grey[k] * (1 - share) + colour[c] * share;
      }
    }
  }

  // Draw a width as a level line, with uprights from its ends to where the organ reaches them.
  function drawWidth(context, { first, last, firstRow, lastRow }, colour) {
    const level = Math.floor((firstRow + lastRow) / 2) + 0.5;
    context.lineWidth = 3;
    context.beginPath();
    context.moveTo(first + 1.5, firstRow + 0.5);
    context.lineTo(first + 1.5, level);
    context.lineTo(last - 0.5, level);
    context.lineTo(last - 0.5, lastRow + 0.5);
    context.strokeStyle = `rgb(${colour})`;
    context.stroke();
  }

  async function save() {
    const { size, width, height, name } = shown;
    const [limit, cut] = [threshold(), cutOf(threshold())];
    const row = tryit.maskRows(kept(limit).lungs, size, width, height, cut);
    const blob = await tryit.writePng(width, height, (y) => row(y).map((inside) => 255 * inside));
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

  function start() {
    if (!globalThis.DecompressionStream || !globalThis.OffscreenCanvas || !globalThis.WebAssembly) {
      complain("This browser is too old for this page: use one of 2023 or later.");
      return;
    }
    tryit.offerSamples(part("samples"), open);
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
