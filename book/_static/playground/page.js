// The page "Phantom playground": show one step of one slider, what the network finds in it, and its Dice at all steps.
"use strict";

{
  const { size, low, sliders } = globalThis.playground;
  const ORGANS = ["lungs", "heart"];
  const part = (name) => document.getElementById(`playground-${name}`);
  const element = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);
  let moved = sliders[0]; // all others stand at their usual step

  const at = () => Number(moved.range.value);

  // Build one slider with its label, its value and its two ends.
  function build(slider) {
    const id = `playground-${slider.name}`;
    const label = element("label", { htmlFor: id, textContent: slider.title });
    const last = slider.values.length - 1;
    slider.range = element("input", { id, type: "range", min: 0, max: last, step: 1, value: slider.usual });
    slider.output = element("output", { htmlFor: id });
    slider.range.addEventListener("input", () => choose(slider));
    const ends = element("p", { ariaHidden: "true" });
    ends.append(...slider.ends.map((text) => element("span", { textContent: text })));
    const row = element("div");
    row.append(label, slider.output, slider.range, ends);
    part("sliders").append(row);
  }

  // Put every slider but one back, so that a single thing differs from the usual chest.
  function choose(slider) {
    moved = slider;
    for (const other of sliders) if (other !== slider) other.range.value = other.usual;
    show();
  }

  function show() {
    const shot = moved.shots[at()];
    part("view").querySelector("image").setAttribute("href", `data:image/webp;base64,${shot.picture}`);
    for (const organ of ORGANS) {
      for (const kind of ["truth", "found"]) {
        for (const path of document.querySelectorAll(`#playground .${kind}.${organ}`)) path.setAttribute("d", shot[kind][organ]);
      }
      part(`dice-${organ}`).textContent = shot.dice[organ].toFixed(3);
    }
    part("true-ratio").textContent = shot.true_ratio.toFixed(3);
    part("ratio").textContent = shot.ratio === null ? `none: ${shot.refused}` : shot.ratio.toFixed(3);
    part("predicted").textContent = shot.predicted.toFixed(3);
    part("warning").textContent = shot.warning || "none";
    for (const { range, output, values, unit, shots, usual } of sliders) {
      const step = Number(range.value);
      output.textContent = `${values[step]}${unit.includes("%") ? "%" : "°"}`;
      range.setAttribute("aria-valuetext", `${values[step]}, ${unit}${step === usual ? ", usual" : ""}: ${scores(shots[step])}`);
    }
    const said = `${moved.title} ${moved.values[at()]}, ${moved.unit}: ${scores(shot)}`;
    part("view").setAttribute("aria-label", `Synthetic chest X-ray, with true outlines and the network's. ${said}`);
    curve();
  }

  const scores = ({ dice }) => ORGANS.map((organ) => `Dice of the ${organ} ${dice[organ].toFixed(3)}`).join(", ");

  // Plot the Dice of both organs over the steps of the slider that was moved last.
  function curve() {
    const [left, right, top, bottom] = [52, 300, 12, 190];
    const { shots, values, title, unit } = moved;
    const dices = shots.flatMap(({ dice }) => ORGANS.map((organ) => dice[organ]));
    const least = Math.min(0.8, Math.floor(10 * Math.min(...dices)) / 10);
    const x = (step) => left + ((right - left) * step) / (shots.length - 1);
    const y = (dice) => bottom - ((bottom - top) * (dice - least)) / (1 - least);
    const line = (x1, y1, x2, y2, kind) => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${kind}"/>`;
    const word = (text, at, height, anchor) => `<text x="${at}" y="${height}" text-anchor="${anchor}">${text}</text>`;
    const marks = {
      lungs: (u, v, r) => `<circle cx="${u}" cy="${v}" r="${r}"/>`,
      heart: (u, v, r) => `<rect x="${u - r}" y="${v - r}" width="${2 * r}" height="${2 * r}"/>`,
    };
    const drawn = ORGANS.map((organ) => {
      const points = shots.map(({ dice }, step) => [x(step), y(dice[organ])]);
      const dots = points.map(([u, v], step) => marks[organ](u, v, step === at() ? 6 : 3)).join("");
      return `<g class="${organ}"><polyline points="${points.join(" ")}"/>${dots}</g>`;
    });
    part("curve").innerHTML = [
      line(left, bottom, right, bottom, "axis"),
      line(left, top, left, bottom, "axis"),
      ...[least, (1 + least) / 2, 1].map((dice) => word(dice.toFixed(2), left - 7, y(dice) + 4, "end") + line(left - 4, y(dice), left, y(dice), "axis")),
      ...values.map((value, step) => word(value, x(step), bottom + 17, "middle") + line(x(step), bottom, x(step), bottom + 4, "axis")),
      word(`${title}: ${unit}`, (left + right) / 2 - 14, bottom + 38, "middle"),
      `<text transform="translate(12 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">Dice</text>`,
      line(left, y(low), right, y(low), "low"),
      line(x(at()), top, x(at()), bottom, "now"),
      ...drawn,
      ...ORGANS.map((organ, k) => {
        const [u, v] = [left + 40 + 100 * k, bottom + 58];
        const sample = `<polyline points="${u - 18},${v} ${u + 18},${v}"/>${marks[organ](u, v, 3)}`;
        return `<g class="${organ}">${sample}</g>${word(organ, u + 24, v + 4, "start")}`;
      }),
    ].join("");
    const text = shots.map((shot, step) => `${values[step]}: ${ORGANS.map((organ) => `${organ} ${shot.dice[organ].toFixed(3)}`).join(", ")}`);
    part("curve").setAttribute("aria-label", `Dice over ${title}, ${unit}. ${text.join("; ")}`);
  }

  sliders.forEach(build);
  part("view").setAttribute("viewBox", `0 0 ${2 * size} ${2 * size}`); // the outlines are in half pixels
  for (const kind of ["truth", "found"]) {
    part(kind).addEventListener("change", ({ target }) => part("view").classList.toggle(`no-${kind}`, !target.checked));
  }
  part("back").addEventListener("click", () => {
    moved.range.value = moved.usual;
    show();
  });
  document.getElementById("playground").hidden = false;
  show();
}
