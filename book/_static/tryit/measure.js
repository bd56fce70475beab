// Measure and check a segmentation without a reference mask, as cxrseg/segment/ does.
"use strict";
globalThis.tryit ??= {};

{
  const LOW = 0.9; // predicted Dice below which the user is asked to check the outline
  const SHARE = [0.05, 0.6]; // plausible share of the image covered by lungs, smallest and largest
  const RATIO = 3; // largest plausible ratio of the areas of the two lungs
  const SMALL = 0.1; // a component smaller than this share of the largest is dropped
  const PIECE = 0.05; // smallest share of the mask at which a component is counted
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

  // Label connected components from 1. where(k) selects the pixels, and `eight` sets 8- instead of 4-connectivity.
  function label(length, width, where, eight = true) {
    const labels = new Int32Array(length);
    const sizes = [];
    for (let start = 0; start < length; start++) {
      if (!where(start) || labels[start]) continue;
      const stack = [start];
      labels[start] = sizes.push(0);
      while (stack.length) {
        const k = stack.pop();
        const x = k % width;
        sizes[labels[start] - 1]++;
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) {
            const next = k + dy * width + dx;
            const inside = next >= 0 && next < length && x + dx >= 0 && x + dx < width;
            if (!inside || labels[next] || !where(next) || (!eight && dx && dy)) continue;
            labels[next] = labels[start];
            stack.push(next);
          }
        }
      }
    }
    return { labels, sizes };
  }

  // Return the `pieces` largest components of a mask with filled holes, as cxrseg/evaluate/masks.py does.
  function largest(mask, size, pieces) {
    const { labels, sizes } = label(mask.length, size, (k) => mask[k]);
    const order = sizes.map((_, k) => k).sort((a, b) => sizes[b] - sizes[a]);
    const large = order.slice(0, pieces).filter((k) => sizes[k] >= SMALL * sizes[order[0]]);
    const kept = Uint8Array.from(labels, (k) => (large.includes(k - 1) ? 1 : 0));
    const outside = label(kept.length, size, (k) => !kept[k], false).labels;
    const reached = new Set();
    for (let k = 0; k < size; k++) {
      for (const edge of [k, (size - 1) * size + k, k * size, k * size + size - 1]) reached.add(outside[edge]);
    }
    return kept.map((value, k) => (value || !reached.has(outside[k]) ? 1 : 0));
  }

  // Change levels so that their mask has only the `pieces` largest components, with filled holes.
  function keepLargest(levels, size, threshold, pieces) {
    if (!pieces) return levels;
    const mask = Uint8Array.from(levels, (value) => (value >= threshold * 255 ? 1 : 0));
    const kept = largest(mask, size, pieces);
    return levels.map((value, k) => (mask[k] === kept[k] ? value : 255 * kept[k]));
  }

  // Count the connected components with at least the share PIECE of the mask.
  function pieces(mask, width) {
    const { sizes } = label(mask.length, width, (k) => mask[k]);
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
    if (count !== 2) reasons.push(`${count} large ${count === 1 ? "piece" : "pieces"}, expected 2`);
    const [small, large] = [Math.min(left, right), Math.max(left, right)];
    if (large > RATIO * small) {
      reasons.push(small ? `one lung is ${(large / small).toFixed(1)} times the other` : "lung on one side only");
    }
    return reasons;
  }

  // Return a one-line warning, or an empty string if nothing is doubtful.
  function warning(score, reasons, { turned, inverted }) {
    const parts = [];
    const looks = turned ? [TURNED[turned]] : [];
    if (inverted) looks.push("inverted");
    if (looks.length) parts.push(`looks ${looks.join(" and ")}: correct it, and segment again`);
    if (reasons.length) parts.push(`does not look like a frontal chest X-ray: ${reasons.join("; ")}`);
    if (score < LOW) parts.push(`low predicted quality (${score.toFixed(2)}): check the outline`);
    return parts.join("; ");
  }

  Object.assign(tryit, { betweenLungs, border, label, largest, keepLargest, objections, warning });
}
