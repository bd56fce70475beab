// Make masks of what the network finds, as cxrseg/evaluate/masks.py and cxrseg/evaluate/predict.py do.
"use strict";
globalThis.tryit ??= {};

{
  const SIDES = ["right_lung", "left_lung"]; // their union are the lungs
  const ONE_PIECE = [...SIDES, "heart"];
  const SMALL = 0.1; // a component smaller than this share of the largest is dropped

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
    const mask = Uint8Array.from(levels, (value) => (value >= threshold * 255 ? 1 : 0));
    const kept = largest(mask, size, pieces);
    return levels.map((value, k) => (mask[k] === kept[k] ? value : 255 * kept[k]));
  }

  // Return the structures that the network predicts: not lungs before both sides, whose union they are.
  function predicted(structures) {
    const bySide = structures[0] === "lungs" && SIDES.every((name) => structures.includes(name));
    return bySide ? structures.slice(1) : structures;
  }

  // Change the levels of each predicted structure, by name, so that their masks have only the components to keep.
  function keptLevels(found, size, threshold, pieces) {
    const names = Object.keys(found);
    const count = (name) => (ONE_PIECE.includes(name) ? 1 : name === names[0] ? pieces : 0);
    const kept = (name) => (pieces && count(name) ? keepLargest(found[name], size, threshold, count(name)) : found[name]);
    return Object.fromEntries(predicted(names).map((name) => [name, kept(name)]));
  }

  // Return a function that gives row y of a mask in the picture's pixels, as Uint8Array (width). The mask is the union
  // of those of one or more structures. cut: lowest level inside, in float32.
  function maskRows(structures, size, width, height, cut) {
    const { side, top } = tryit.squareAround(width, height);
    const found = structures.map((levels) => {
      const reached = (y) => levels.subarray(y * size, (y + 1) * size).some((level) => level >= cut);
      const rows = Array.from({ length: size }, (_, y) => y).filter(reached);
      const spread = 1 + size / side; // as far as the filter carries a value
      const [first, last] = rows.length ? [rows[0], rows.at(-1) + 1] : [Infinity, -Infinity];
      const place = (y) => (y * side) / size - top;
      return { row: tryit.fromSquare(levels, size, width, height), from: place(first - spread), to: place(last + spread) };
    });
    return (y) => {
      const result = new Uint8Array(width);
      for (const { row, from, to } of found) {
        if (y < from || y > to) continue;
        const values = row(y);
        for (let x = 0; x < width; x++) if (values[x] >= cut) result[x] = 1;
      }
      return result;
    };
  }

  function wholeMask(structures, size, width, height, cut) {
    const row = maskRows(structures, size, width, height, cut);
    const result = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) result.set(row(y), y * width);
    return result;
  }

  Object.assign(tryit, { SIDES, label, largest, predicted, keptLevels, maskRows, wholeMask });
}
