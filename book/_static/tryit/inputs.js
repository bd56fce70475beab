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

  // The weights that blur along one side, row by row; at the edges, they average what there is. Beyond six
  // standard deviations a weight is less than float32 can add.
  function gaussian(size, sigma) {
    return Array.from({ length: size }, (_, y) => {
      const first = Math.max(0, Math.ceil(y - 6 * sigma));
      const last = Math.min(size - 1, Math.floor(y + 6 * sigma));
      const row = Float64Array.from({ length: last - first + 1 }, (_, k) => Math.exp(-0.5 * ((first + k - y) / sigma) ** 2));
      const sum = row.reduce((a, b) => a + b);
      return { first, row: row.map((value) => Math.fround(value / sum)) };
    });
  }

  const blur = (values, kernel, size) => blurAndTurn(blurAndTurn(values, kernel, size), kernel, size);

  // Blur down the columns, and return the result with rows and columns exchanged.
  function blurAndTurn(values, kernel, size) {
    const result = new Float32Array(size * size);
    const line = new Float64Array(size);
    kernel.forEach(({ first, row }, y) => {
      line.fill(0);
      for (let k = 0; k < row.length; k++) {
        const [weight, start] = [row[k], (first + k) * size];
        for (let x = 0; x < size; x++) line[x] += weight * values[start + x];
      }
      for (let x = 0; x < size; x++) result[x * size + y] = line[x];
    });
    return result;
  }

  Object.assign(tryit, { networkInput });
}
