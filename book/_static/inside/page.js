// The page "Inside the network": show what each level of the network sees of a picture, and what each skip is worth.
"use strict";

{
  const SCALE = 2; // pixels drawn for each of the grid
  const COLOURS = { outline: [0, 158, 115, 255], missed: [230, 159, 0, 190], extra: [204, 121, 167, 190] }; // RGBA
  const HEART = { ...COLOURS, outline: [213, 94, 0, 255] };
  const ORGANS = ["lungs", "heart"];

  const { info, blocks, truths } = inside;
  const grid = tryit.gridOf(info.input_size);
  const levels = Object.keys(blocks).filter((name) => name.startsWith("encoder")).map((_, k) => k); // that have a skip
  const part = (name) => document.getElementById(`inside-${name}`);
  const size = (name) => `${blocks[name].side} × ${blocks[name].side} pixels`;
  const maps = {}; // canvases by the name of the block
  const crossings = []; // texts between encoder and decoder
  let shown = null;
  let latest = 0; // picture
  let moved = 0; // switch

  function make(kind, properties, ...children) {
    const element = Object.assign(document.createElement(kind), properties);
    element.append(...children);
    return element;
  }

  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  const masksOf = (found) =>
    Object.fromEntries(ORGANS.map((name) => [name, found[name].map((level) => Number(level >= 255 * info.threshold))]));

  const score = (truth, masks) =>
    Object.fromEntries(ORGANS.map((name) => [name, tryit.overlap(truth[name], masks[name])]));

  // Show a picture with all skips on. sample: number of the phantom whose truth is known, if it is one.
  async function open(file, name, sample) {
    const turn = ++latest;
    part("warning").hidden = true;
    try {
      say(`Reading ${name}`);
      const { grey, width, height } = await tryit.decode(file, name);
      if (!document.getElementById("inside").dataset.loaded) say("Loading the network (5 to 7 MB, only once)");
      await tryit.painted();
      const run = await inside.network();
      document.getElementById("inside").dataset.loaded = "yes";
      const square = tryit.toSquare(grey, width, height, grid);
      const whole = await run(square, levels.map(() => true));
      const truth = truths[sample] && Object.fromEntries(
        await Promise.all(ORGANS.map(async (organ) => [organ, await unpacked(truths[sample][organ])])),
      );
      if (turn !== latest) return; // another picture was chosen in the meantime
      const masks = masksOf(whole.levels);
      const reference = truth ?? masks;
      shown = { name, run, square, truth: reference, masks, features: whole.features };
      shown.whole = { features: whole.features, scores: score(reference, masks) };
      for (const input of part("skips").querySelectorAll("input")) input.checked = true;
      part("reference").textContent = truth
        ? "Compared with the true outline, which is known because this chest is synthetic"
        : "Compared with the network's own outline with all skips on, because your picture has no reference outline";
      show();
      part("result").hidden = false;
    } catch (error) {
      if (turn !== latest) return;
      say("");
      part("warning").textContent = `${name}: ${error.message}`;
      part("warning").hidden = false;
    }
  }

  const switches = () => [...part("skips").querySelectorAll("input")].map((input) => input.checked);

  async function cut() {
    const [turn, picture] = [++moved, shown];
    const { levels: found, features } = await picture.run(picture.square, switches());
    if (turn !== moved || picture !== shown) return; // something else was chosen in the meantime
    Object.assign(shown, { masks: masksOf(found), features });
    show();
  }

  function show() {
    const now = score(shown.truth, shown.masks);
    for (const [column, found] of [["now", now], ["whole", shown.whole.scores]]) {
      for (const organ of ORGANS) part(`${organ}-${column}`).textContent = found[organ].dice.toFixed(3);
      for (const kind of ["missed", "extra"]) {
        part(`${kind}-${column}`).textContent = found.lungs[kind].toLocaleString("en");
      }
    }
    draw();
    drawFeatures();
    const off = switches().flatMap((on, k) => (on ? [] : [k + 1]));
    const which = off.length > 1 ? "skips of levels" : "skip of level";
    const state = off.length ? `${which} ${off.join(", ")} off` : "all skips on";
    const [lungs, heart] = ORGANS.map((organ) => now[organ].dice.toFixed(3));
    say(`${shown.name}, ${state}: Dice of the lungs ${lungs}, of the heart ${heart}`);
    part("canvas").setAttribute(
      "aria-label",
      `Chest X-ray ${shown.name} with lungs and heart outlined, ${state}: ` +
        `${now.lungs.missed} pixels of the lungs missed, ${now.lungs.extra} extra`,
    );
  }

  function grey(values, width) {
    const image = new ImageData(width, values.length / width);
    values.forEach((value, k) => image.data.set([value, value, value, 255], 4 * k));
    return image;
  }

  function draw() {
    const canvas = part("canvas");
    canvas.width = canvas.height = grid * SCALE;
    const picture = new OffscreenCanvas(grid, grid);
    picture.getContext("2d").putImageData(grey(shown.square, grid), 0, 0);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const { lungs, heart } = shown.masks;
    tryit.drawMask(context, grid, SCALE, lungs, shown.truth.lungs, COLOURS);
    tryit.drawMask(context, grid, SCALE, heart, heart, HEART);
  }

  // Draw each map from black, nothing, to white, the largest value that it has with all skips on.
  function drawFeatures() {
    for (const [name, { side, shown: channels }] of Object.entries(blocks)) {
      channels.forEach((channel, k) => {
        const [from, to] = [channel * side * side, (channel + 1) * side * side];
        const top = Math.max(...shown.whole.features[name].subarray(from, to));
        const values = shown.features[name].subarray(from, to).map((value) => (top ? (255 * value) / top : 0));
        maps[name][k].getContext("2d").putImageData(grey(Uint8ClampedArray.from(values), side), 0, 0);
      });
    }
    switches().forEach((on, level) => {
      crossings[level].textContent = on ? "skip on" : "skip off";
      crossings[level].classList.toggle("cut", !on);
    });
  }

  function figure(name, title) {
    const { side, channels, shown: numbers } = blocks[name];
    const text = `${title}: ${size(name)}, ${numbers.length} of ${channels} channels`;
    maps[name] = numbers.map(() => make("canvas", { width: side, height: side }));
    const about = { className: "inside-maps", role: "img", ariaLabel: `Feature maps. ${text}` };
    return make("figure", {}, make("div", about, ...maps[name]), make("figcaption", { textContent: text }));
  }

  const say = (text) => (part("status").textContent = text);

  function start() {
    if (!globalThis.DecompressionStream || !globalThis.OffscreenCanvas || !globalThis.WebAssembly) {
      part("warning").textContent = "This browser is too old for this page: use one of 2023 or later.";
      part("warning").hidden = false;
      return;
    }
    for (const level of levels) {
      const ends = { 0: ", the finest", [levels.length - 1]: ", the coarsest" };
      const input = make("input", { type: "checkbox", checked: true });
      input.addEventListener("change", cut);
      const text = ` Level ${level + 1}: ${size(`encoder${level}`)}${ends[level] ?? ""}`;
      part("skips").append(make("label", {}, input, text));
      crossings.push(make("p", { className: "inside-crossing" }));
      part("levels").append(
        figure(`encoder${level}`, `Level ${level + 1}, encoder`),
        crossings[level],
        figure(`decoder${level}`, `Level ${level + 1}, decoder`),
      );
    }
    part("levels").append(figure("bottom", `Level ${levels.length + 1}, the bottom`));
    tryit.offerSamples(part("samples"), open);
    part("file").addEventListener("change", ({ target }) => {
      if (target.files.length) open(target.files[0], target.files[0].name);
      target.value = ""; // allows the user to choose the same file again
    });
  }

  Object.defineProperty(inside, "shown", { get: () => shown });
  document.addEventListener("DOMContentLoaded", start);
}
