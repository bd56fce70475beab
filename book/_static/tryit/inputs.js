// What the network sees: cxrseg/inputs.py again, in the arithmetic of float32.
"use strict";
globalThis.tryit ??= {};

{
  const LOCAL = 1 / 16; // scale of the local normalisation, as a share of the side

  // square: Uint8Array (size x size). Returns Float32Array (size x size x channels).
  function networkInput(square, size, contrast) {
    if (contrast === "as_is") return Float32Array.from(square, (value) => value / 255);
    const even = equalise(square);
    const kernel = gaussian(size, LOCAL * size);
    const mean = blur(even, kernel, size);
    const detail = even.map((value, k) => value - mean[k]);
    const power = blur(detail.map((value) => value * value), kernel, size);
    const input = new Float32Array(2 * size * size);
    for (let k = 0; k < even.length; k++) {
      input[2 * k] = even[k];
      input[2 * k + 1] = detail[k] / Math.fround(Math.sqrt(power[k] + Math.fround(0.01)));
    }
    return input;
  }

  // The share of pixels that are darker, -1 to 1; what is outside the middle 98% counts as clipped.
  function equalise(square) {
    const count = new Float64Array(256);
    for (const value of square) count[value]++;
    const table = new Float32Array(256);
    let sum = 0;
    for (let value = 0; value < 256; value++) {
      sum += count[value];
      const rank = (sum - count[value] / 2) / square.length;
      table[value] = 2 * Math.min(Math.max((rank - 0.01) / 0.98, 0), 1) - 1;
    }
    return Float32Array.from(square, (value) => table[value]);
  }

  // The matrix that blurs along one side; at the edges, it averages what there is.
  function gaussian(size, sigma) {
    const matrix = new Float32Array(size * size);
    for (let y = 0; y < size; y++) {
      const row = Float64Array.from({ length: size }, (_, x) => Math.exp(-0.5 * ((y - x) / sigma) ** 2));
      const sum = row.reduce((a, b) => a + b);
      row.forEach((value, x) => (matrix[y * size + x] = value / sum));
    }
    return matrix;
  }

  function blur(values, kernel, size) {
    const down = new Float32Array(size * size);
    const line = new Float64Array(size);
    for (let y = 0; y < size; y++) {
      line.fill(0);
      for (let k = 0; k < size; k++) {
        const weight = kernel[y * size + k];
        if (weight < 1e-12) continue; // beyond float32's reach
        for (let x = 0; x < size; x++) line[x] += weight * values[k * size + x];
      }
      down.set(line, y * size);
    }
    const result = new Float32Array(size * size);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += kernel[x * size + k] * down[y * size + k];
        result[y * size + x] = sum;
      }
    }
    return result;
  }

  Object.assign(tryit, { networkInput });
}
