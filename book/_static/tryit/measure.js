// Measure masks and check them, as cxrseg/measure/ and cxrseg/segment/checks.py do.
"use strict";
globalThis.tryit ??= {};

{
  const LOW = 0.9; // predicted Dice below which the user is asked to check the outline
  const SHARE = [0.05, 0.6]; // plausible share of the image covered by lungs, smallest and largest
  const RATIO = 3; // largest plausible ratio of the areas of the two lungs
  const PIECE = 0.05; // smallest share of the mask at which a component is counted
  const LIMITS = [0.25, 0.85]; // smallest and largest plausible cardiothoracic ratio
  const EDGE = 0.01; // share of the picture's longer side within which an organ may be cut off
  const BORDER = 8; // largest range of grey levels within a column of a border
  const TURNED = {
    90: "turned by 90 degrees clockwise",
    180: "turned by 180 degrees or flipped upside down",
    270: "turned by 90 degrees counter-clockwise",
  };

  // Return the position, 0 (left) to 1 (right), of the lowest summed probability in the middle third of the columns.
  function betweenLungs(levels, size) {
    const third = Math.floor(size / 3);
    let best = Infinity;
    let place = 0;
    for (let x = third; x < size - third; x++) {
      let cost = 0.25 * Math.abs(x - (size - 1) / 2); // prefers the most central of several empty columns
      for (let y = 0; y < size; y++) cost += levels[y * size + x];
      if (cost < best) [best, place] = [cost, x];
    }
    return (place + 0.5) / size;
  }

  // Return the first column, in image pixels, on the right of the column between the lungs.
  function border(levels, size, width, height) {
    const { side, left } = tryit.squareAround(width, height);
    return Math.min(Math.max(tryit.round(betweenLungs(levels, size) * side) - left, 0), width);
  }

  // Measure masks together. rows: for each mask a function that gives its row y. Returns the pixels of each mask, the
  // first and the last column that any reaches, and the number of pixels of all left of a border.
  function measured(rows, height, border = 0) {
    const found = { areas: rows.map(() => 0), onLeft: 0, first: Infinity, last: -Infinity };
    for (let y = 0; y < height; y++) {
      rows.forEach((row, k) => {
        const values = row(y);
        const first = values.indexOf(1);
        if (first < 0) return;
        const last = values.lastIndexOf(1);
        found.first = Math.min(found.first, first);
        found.last = Math.max(found.last, last);
        let [area, onLeft] = [0, 0];
        for (let x = first; x <= last; x++) area += values[x];
        for (let x = first; x <= Math.min(last, border - 1); x++) onLeft += values[x];
        found.areas[k] += area;
        found.onLeft += onLeft;
      });
    }
    return found;
  }

  // Return the widest extent of a mask, or null if it is empty: columns, and where the organ reaches them.
  function extent(mask, width) {
    const height = mask.length / width;
    const rows = (x) => Array.from({ length: height }, (_, y) => y).filter((y) => mask[y * width + x]);
    const { first, last } = measured([(y) => mask.subarray(y * width, (y + 1) * width)], height);
    if (first > last) return null;
    const [firstRow, lastRow] = [rows(first), rows(last)].map((found) => found[Math.floor(found.length / 2)]);
    return { first, last, firstRow, lastRow };
  }

  const ratio = (heart, lungs) => (heart.last - heart.first + 1) / (lungs.last - lungs.first + 1);

  // Return the first and the last column of a picture, on the square around it, without the borders at its sides.
  function content(square, size, width, height) {
    const { side, left, top } = tryit.squareAround(width, height);
    const scale = size / side;
    const mixed = top ? Math.max(1, scale) : 0; // rows into which padding was resampled: it makes every column vary
    const [above, below] = [Math.ceil(top * scale + mixed), Math.floor((top + height) * scale - mixed)];
    const [from, to] = [Math.ceil(left * scale), Math.floor((left + width) * scale)];
    const varied = (x) => {
      let [low, high] = [255, 0];
      for (let y = above; y < Math.max(below, above + 1); y++) {
        low = Math.min(low, square[y * size + x]);
        high = Math.max(high, square[y * size + x]);
      }
      return high - low > BORDER;
    };
    const columns = Array.from({ length: Math.max(to - from, 1) }, (_, k) => from + k).filter(varied);
    return columns.length ? [columns[0], columns.at(-1)] : [from, Math.max(to - 1, from)];
  }

  // Return why two masks on the square do not give a cardiothoracic ratio, or an empty string if they do.
  // columns: as content() returns them.
  function refusal(heart, lungs, size, columns) {
    const [inner, outer] = [extent(heart, size), extent(lungs, size)];
    if (!inner || !outer) return `no ${inner ? "lung" : "heart"} found`;
    for (const [verb, found] of [["lungs reach", outer], ["heart reaches", inner]]) {
      if (found.first - columns[0] < EDGE * size || columns[1] - found.last < EDGE * size) {
        return `the ${verb} the edge of the picture and may be cut off`;
      }
    }
    if (inner.first < outer.first || inner.last > outer.last) return "the heart reaches beyond the lungs";
    const share = ratio(inner, outer);
    const plausible = share >= LIMITS[0] && share <= LIMITS[1];
    return plausible ? "" : `a ratio of ${share.toFixed(2)} is not plausible (expected ${LIMITS.join(" to ")})`;
  }

  // Count the connected components with at least the share PIECE of the mask.
  function pieces(mask, width) {
    const { sizes } = tryit.label(mask, width);
    const whole = sizes.reduce((a, b) => a + b, 0);
    return sizes.filter((size) => size >= PIECE * whole).length;
  }

  const percent = (share) => `${Math.round(100 * share)}%`;

  // Return why a mask is implausible for the lungs of a frontal chest X-ray; left and right are the patient's.
  function objections(mask, width, left, right) {
    const area = mask.reduce((a, b) => a + b, 0);
    if (!area) return ["no lung found"];
    const reasons = [];
    const share = area / mask.length;
    if (share < SHARE[0] || share > SHARE[1]) {
      reasons.push(
        `the lungs cover ${percent(share)} of the picture, expected ${percent(SHARE[0])} to ${percent(SHARE[1])}`,
      );
    }
    const count = pieces(mask, width);
    if (count !== 2) reasons.push(`the lungs are in ${count} large ${count === 1 ? "piece" : "pieces"}, expected 2`);
    const [small, large] = [Math.min(left, right), Math.max(left, right)];
    if (large > RATIO * small) {
      const times = `${(large / small).toFixed(1)} times`;
      reasons.push(small ? `one lung is ${times} as large as the other` : "lung on one side only");
    }
    return reasons;
  }

  // Return in one line why nothing is measured in a picture, or an empty string.
  function strange(reasons, { turned, inverted }) {
    if (turned || inverted) return "the picture looks turned or inverted";
    return reasons.length ? "the picture does not look like a frontal chest X-ray" : "";
  }

  // Return a one-line warning, or an empty string if nothing is doubtful.
  function warning(score, reasons, { turned, inverted }) {
    const parts = [];
    const looks = turned ? [TURNED[turned]] : [];
    if (inverted) looks.push("inverted");
    if (looks.length) parts.push(`looks ${looks.join(" and ")}: correct it, and segment again`);
    if (reasons.length) parts.push(`does not look like a frontal chest X-ray: ${reasons.join("; ")}`);
    if (score < LOW) parts.push(`low predicted quality (${score.toFixed(3)}): check the outline`);
    return parts.join("; ");
  }

  Object.assign(tryit, { betweenLungs, border, measured, extent, ratio, content, refusal, strange, objections, warning });
}
