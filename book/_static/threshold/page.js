// The page "Move the threshold": show one test case, its mask at any threshold, and the scores of that mask.
"use strict";

{
  const WIDTH = 512; // width of the drawing in pixels, or the nearest multiple of the width of the mask
  const COLOURS = { outline: [0, 158, 115, 255], missed: [230, 159, 0, 190], extra: [204, 121, 167, 190] }; // RGBA
  const STEPS = Array.from({ length: 99 }, (_, k) => (k + 1) / 100); // thresholds of the slider

  const { cases, threshold: usual, pieces } = globalThis.threshold;
  const part = (name) => document.getElementById(`threshold-${name}`);
  const slider = part("slider");
  let shown = null;
  let latest = null;

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  async function unpacked(text) {
    const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  async function unpack(item) {
    item.picture = await createImageBitmap(new Blob([bytes(item.jpeg)], { type: "image/jpeg" }));
    item.levels = await Promise.all(item.levels.map(unpacked));
    item.truth = await unpacked(item.truth);
    item.dice = [];
  }

  // Compute the curve of a case, a few thresholds at a time, so that the page stays responsive.
  async function follow(item) {
    while (item.dice.length < STEPS.length) {
      const next = STEPS.slice(item.dice.length, item.dice.length + 8);
      item.dice.push(...next.map((threshold) => score(item, threshold).dice));
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  async function choose(item) {
    latest = item;
    await (item.unpacked ??= unpack(item));
    if (latest !== item) return; // another case was chosen in the meantime
    shown = item;
    part("link").href = `atlas.html#${item.anchor}`;
    part("link").textContent = `${item.name} in the atlas`;
    show();
    await (item.followed ??= follow(item));
    if (shown === item) curve();
  }

  const maskAt = (item, threshold) => tryit.maskAt(item.levels, item.side, threshold, pieces);
  const score = (item, threshold) => tryit.overlap(item.truth, maskAt(item, threshold));

  function show() {
    const threshold = Number(slider.value);
    const mask = maskAt(shown, threshold);
    const found = tryit.overlap(shown.truth, mask);
    draw(mask);
    for (const name of ["dice", "iou", "sensitivity", "precision"]) part(name).textContent = found[name].toFixed(3);
    for (const name of ["missed", "extra"]) part(name).textContent = found[name].toLocaleString("en");
    part("value").textContent = threshold.toFixed(2);
    slider.setAttribute("aria-valuetext", `${threshold.toFixed(2)}: Dice ${found.dice.toFixed(3)}`);
    part("canvas").setAttribute(
      "aria-label",
      `Chest X-ray ${shown.name} with the predicted outline: ${found.missed} pixels missed, ${found.extra} extra`,
    );
    curve();
  }

  function draw(mask) {
    const { side, truth, picture } = shown;
    const scale = Math.max(1, Math.round(WIDTH / side));
    const canvas = part("canvas");
    canvas.width = canvas.height = side * scale;
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    tryit.drawMask(context, side, scale, mask, truth, COLOURS);
  }

  // Plot Dice against threshold, with the axis starting below the curve and a dot at the slider's threshold.
  function curve() {
    const [left, right, top, bottom] = [58, 312, 10, 180];
    const values = shown.dice;
    const least = Math.min(0.9, ...values.map((value) => Math.floor(10 * value) / 10));
    const x = (threshold) => left + (right - left) * threshold;
    const y = (dice) => bottom - ((bottom - top) * (dice - least)) / (1 - least);
    const line = (x1, y1, x2, y2, kind) => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${kind}"/>`;
    const word = (text, at, height, anchor) => `<text x="${at}" y="${height}" text-anchor="${anchor}">${text}</text>`;
    const ticks = [least, (1 + least) / 2, 1];
    const points = values.map((dice, k) => `${x(STEPS[k]).toFixed(1)},${y(dice).toFixed(1)}`).join(" ");
    const now = values[Math.round(Number(slider.value) * 100) - 1];
    part("curve").innerHTML = [
      line(left, bottom, right, bottom, "axis"),
      line(left, top, left, bottom, "axis"),
      ...ticks.map((dice) => word(dice.toFixed(2), left - 6, y(dice) + 4, "end") + line(left - 3, y(dice), left, y(dice), "axis")),
      ...[0, 0.5, 1].map((at) => word(at, x(at), bottom + 16, "middle") + line(x(at), bottom, x(at), bottom + 3, "axis")),
      word("threshold", (left + right) / 2, bottom + 34, "middle"),
      `<text transform="translate(14 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">Dice</text>`,
      line(x(usual), top, x(usual), bottom, "usual"),
      `<polyline points="${points}"/>`,
      now === undefined ? "" : `<circle cx="${x(slider.value)}" cy="${y(now)}" r="5"/>`,
    ].join("");
    if (values.length < STEPS.length) return;
    const best = values.indexOf(Math.max(...values));
    const text = `Dice against threshold: best ${values[best].toFixed(3)} at ${STEPS[best].toFixed(2)}, ` +
      `${values[0].toFixed(3)} at 0.01, ${values.at(-1).toFixed(3)} at 0.99`;
    part("curve").setAttribute("aria-label", text);
  }

  cases.forEach((item, k) => {
    const label = document.createElement("label");
    const choice = document.createElement("input");
    Object.assign(choice, { type: "radio", name: "threshold-case", checked: !k });
    choice.addEventListener("change", () => choose(item));
    label.append(choice, ` ${item.role}`);
    part("cases").append(label);
  });
  slider.value = usual;
  slider.addEventListener("input", () => shown && show());
  const able = globalThis.DecompressionStream && globalThis.OffscreenCanvas;
  document.getElementById("threshold").hidden = !able;
  part("old").hidden = able;
  if (able) choose(cases[0]);
}
