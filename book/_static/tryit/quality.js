// Predict the Dice of a segmentation, as cxrseg/evaluate/quality.py does. The weights and the mean shape are in
// quality-model.js, so that this code does not depend on their values.
"use strict";
globalThis.tryit ??= {};

{
  const GRID = 16; // number of cells along each side of the coarse grid for the shape and the edge agreement
  const [RING, RIM] = [1 / 20, 1 / 40]; // widths of ring and strips, as shares of the side

  // Predict the Dice of a mask without a reference mask.
  // probability: Float32Array, image: Uint8Array, both size x size; threshold: double precision, not rounded.
  function predictDice(probability, image, size, threshold) {
    const measured = qualityFeatures(probability, image, size, threshold);
    if (!measured) return 0; // every chest has lungs
    const { bias, ...weights } = tryit.qualityModel.weights;
    const sum = Object.entries(weights).reduce((total, [name, weight]) => total + weight * measured[name], bias);
    return 1 / (1 + Math.exp(-sum));
  }

  // Return the seven features by name, or null if the mask is empty.
  function qualityFeatures(probability, image, size, threshold) {
    // Compare in float32, as NumPy does.
    const [limit, lowered] = [Math.fround(threshold), Math.fround(0.6 * threshold)];
    const mask = new Uint8Array(probability.map((value) => (value >= limit ? 1 : 0)));
    const outside = complement(mask);
    const area = sum(mask);
    if (!area) return null;
    const grown = probability.reduce((count, value) => count + (value >= lowered), 0);

    const cell = cells(size);
    const everywhere = outside.map(() => 1);
    const [held, whole] = [byCell(mask, cell), byCell(everywhere, cell)];
    const coarse = held.map((count, k) => count / Math.max(whole[k], 1));
    const mean = tryit.qualityModel.mean_shape.flat().map((percent) => percent / 100);
    const common = coarse.reduce((total, share, k) => total + Math.min(share, mean[k]), 0);
    const agreement = (2 * common) / (sum(coarse) + sum(mean));

    const pieces = tryit.label(mask, size, false).sizes.sort((a, b) => b - a);
    const half = Math.floor(size / 2);
    const left = mask.reduce((count, value, k) => count + (k % size < half ? value : 0), 0);
    const right = mask.reduce((count, value, k) => count + (k % size >= size - half ? value : 0), 0);

    const ring = strip(outside, size, RING);
    const inside = brightness(mask, image);
    const brighter = (part) => (sum(part) ? (brightness(part, image) - inside) / 255 : 0);
    return {
      stability: -Math.log(1.01 - (2 * area) / (area + grown)),
      shape: Math.log(Math.max(agreement, 0.05)),
      stray: Math.min(sum(pieces.slice(2)) / area, 0.5),
      balance: Math.min(left, right) / Math.max(left, right, 1),
      contrast: brighter(outside),
      edge_contrast: brighter(ring),
      edge_agreement: edgeAgreement(mask, image, size),
    };
  }

  function sum(values) {
    let total = 0;
    for (const value of values) total += value;
    return total;
  }

  function brightness(part, image) {
    let total = 0;
    for (let k = 0; k < part.length; k++) if (part[k]) total += image[k];
    return total / sum(part);
  }

  // Return the grid cell of each pixel.
  function cells(size) {
    const place = Uint8Array.from({ length: size }, (_, k) => Math.floor((k * GRID) / size));
    return new Uint8Array(size * size).map((_, k) => place[Math.floor(k / size)] * GRID + place[k % size]);
  }

  // Return the sum of values, or the number of pixels, of a region in each cell.
  function byCell(part, cell, values) {
    const result = new Array(GRID * GRID).fill(0);
    for (let k = 0; k < part.length; k++) if (part[k]) result[cell[k]] += values ? values[k] : 1;
    return result;
  }

  const complement = (mask) => mask.map((value) => 1 - value);

  // Return the pixels of a region up to a distance, a share of the side, from those outside it.
  function strip(part, size, share) {
    const width = Math.max(1, tryit.round(share * size));
    const steps = distance(part, size);
    return part.map((value, k) => (value && steps[k] <= width ? 1 : 0));
  }

  // Return the share of cells along the outline that are brighter just outside it than just inside, of those that hold
  // at least two pixels of either side. mask: Uint8Array of 0 and 1, image: Uint8Array, both size x size.
  function edgeAgreement(mask, image, size) {
    const cell = cells(size);
    const [outer, inner] = [complement(mask), mask].map((part) => strip(part, size, RIM));
    const counts = [outer, inner].map((part) => byCell(part, cell));
    const light = [outer, inner].map((part) => byCell(part, cell, image));
    const passed = counts[0].map((_, k) => k).filter((k) => counts[0][k] >= 2 && counts[1][k] >= 2);
    const agreed = passed.filter((k) => light[0][k] / counts[0][k] > light[1][k] / counts[1][k]);
    return passed.length ? agreed.length / passed.length : 0;
  }

  // Return the city-block distance from each pixel of a region to the nearest pixel outside it.
  function distance(part, size) {
    const steps = new Int32Array(part.length);
    for (let k = 0, x = 0; k < steps.length; k++, x = x + 1 === size ? 0 : x + 1) {
      if (!part[k]) continue;
      const [left, above] = [x ? steps[k - 1] : 2 * size, k >= size ? steps[k - size] : 2 * size];
      steps[k] = 1 + Math.min(left, above);
    }
    for (let k = steps.length - 1, x = size - 1; k >= 0; k--, x = x ? x - 1 : size - 1) {
      if (x + 1 < size) steps[k] = Math.min(steps[k], steps[k + 1] + 1);
      if (k + size < steps.length) steps[k] = Math.min(steps[k], steps[k + size] + 1);
    }
    return steps;
  }

  Object.assign(tryit, { predictDice, qualityFeatures, edgeAgreement });
}
