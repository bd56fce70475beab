// Make masks of what the network finds, as cxrseg/evaluate/masks.py and cxrseg/evaluate/predict.py do.
"use strict";
globalThis.tryit ??= {};

{
  const SIDES = ["right_lung", "left_lung"]; // their union are the lungs
  const ONE_PIECE = [...SIDES, "heart"];
  const SMALL = 0.1; // a component smaller than this share of the largest is dropped

  // Label connected components from 1, in the order of their first pixels. mask: Uint8Array of 0 and 1; `eight` sets 8-
  // instead of 4-connectivity. Returns the labels, Int32Array, 0 outside the mask, and the number of pixels of each.
  function label(mask, width, eight = true) {
    const labels = new Int32Array(mask.length);
    const parents = [0]; // of provisional labels, each the smallest known to touch
    const root = (at) => {
      while (parents[at] !== at) at = parents[at];
      return at;
    };
    const touch = (k, other) => {
      if (!other || labels[k] === other) return;
      if (!labels[k]) labels[k] = other;
      else {
        const [one, two] = [root(labels[k]), root(other)];
        parents[Math.max(one, two)] = Math.min(one, two);
      }
    };
    for (let k = 0, x = 0; k < mask.length; k++, x = x + 1 === width ? 0 : x + 1) {
      if (!mask[k]) continue;
      if (x) touch(k, labels[k - 1]);
      if (k >= width) {
        touch(k, labels[k - width]);
        if (eight && x) touch(k, labels[k - width - 1]);
        if (eight && x + 1 < width) touch(k, labels[k - width + 1]);
      }
      if (!labels[k]) labels[k] = parents.push(parents.length) - 1;
    }
    const sizes = [];
    const final = parents.map((parent, at) => (at && parent === at ? sizes.push(0) : 0));
    for (let at = 1; at < parents.length; at++) final[at] = final[root(at)];
    for (let k = 0; k < labels.length; k++) {
      if (labels[k]) sizes[(labels[k] = final[labels[k]]) - 1]++;
    }
    return { labels, sizes };
  }

  // Return the `pieces` largest components of a mask with filled holes, as cxrseg/evaluate/masks.py does.
  function largest(mask, size, pieces) {
    const { labels, sizes } = label(mask, size);
    const order = sizes.map((_, k) => k).sort((a, b) => sizes[b] - sizes[a]);
    const large = order.slice(0, pieces).filter((k) => sizes[k] >= SMALL * sizes[order[0]]);
    const keep = Uint8Array.from([0, ...sizes], (_, k) => (large.includes(k - 1) ? 1 : 0));
    const rest = mask.map((_, k) => 1 - keep[labels[k]]);
    const background = label(rest, size, false);
    const hole = new Uint8Array(background.sizes.length + 1).fill(1);
    for (let k = 0; k < size; k++) {
      for (const edge of [k, (size - 1) * size + k, k * size, k * size + size - 1]) hole[background.labels[edge]] = 0;
    }
    return rest.map((outside, k) => (outside ? hole[background.labels[k]] : 1));
  }

  // Change levels so that their mask has only the `pieces` largest components, with filled holes.
  function keepLargest(levels, size, threshold, pieces) {
    const mask = levels.map((value) => (value >= threshold * 255 ? 1 : 0));
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
