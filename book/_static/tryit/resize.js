// Resize like Pillow's bilinear filter, bit for bit for 8-bit pixels, so that the network gets the same input as on
// the command line. The filter is a triangle that widens when an image shrinks.
"use strict";
globalThis.tryit ??= {};

{
  const BITS = 22; // precision of the fixed-point weights for bytes

  // Return the weights of `count` output pixels over `size` input pixels, of which [from, to) is resized.
  function weights(size, from, to, count) {
    const scale = Math.fround(to - from) / count;
    const reach = Math.max(scale, 1);
    const first = new Int32Array(count);
    const values = [];
    for (let x = 0; x < count; x++) {
      const center = from + (x + 0.5) * scale;
      const low = Math.max(Math.trunc(center - reach + 0.5), 0);
      const high = Math.min(Math.trunc(center + reach + 0.5), size);
      const row = new Float64Array(high - low);
      let sum = 0;
      for (let k = low; k < high; k++) {
        row[k - low] = Math.max(1 - Math.abs((k - center + 0.5) / reach), 0);
        sum += row[k - low];
      }
      first[x] = low;
      values.push(sum ? row.map((value) => value / sum) : row);
    }
    return { first, values };
  }

  function fixed({ first, values }) {
    return { first, values: values.map((row) => Int32Array.from(row, (value) => Math.trunc(0.5 + value * 2 ** BITS))) };
  }

  // Resize bytes along one axis of `size` pixels with spacing `step`, on `count` lines with spacing `stride`.
  // The first pixel is pixel `offset` of the frame. Line y of the result starts at y * resultStride.
  function pass(source, size, step, count, stride, offset, { first, values }, result, resultStep, resultStride) {
    for (let x = 0; x < first.length; x++) {
      const low = first[x] - offset;
      const from = Math.max(low, 0);
      const row = values[x].subarray(from - low, Math.max(Math.min(values[x].length, size - low), from - low));
      for (let y = 0; y < count; y++) {
        let sum = 1 << (BITS - 1);
        for (let k = 0, at = y * stride + from * step; k < row.length; k++, at += step) sum += source[at] * row[k];
        sum >>= BITS;
        result[y * resultStride + x * resultStep] = sum < 0 ? 0 : sum > 255 ? 255 : sum;
      }
    }
  }

  // Resize a frame of an 8-bit image. Parts of the frame outside the image are black.
  // source: Uint8Array (height x width); frame: {left, top, width, height} in its pixels.
  function resizeBytes(source, width, height, frame, columns, rows) {
    const across = fixed(weights(frame.width, 0, frame.width, columns));
    const middle = new Uint8Array(columns * height);
    pass(source, width, 1, height, width, -frame.left, across, middle, 1, columns);
    const down = fixed(weights(frame.height, 0, frame.height, rows));
    const result = new Uint8Array(columns * rows);
    pass(middle, height, columns, columns, 1, -frame.top, down, result, columns, 1);
    return result;
  }

  // Return the side of the centred square around an image, and the position of the image in it.
  function squareAround(width, height) {
    const side = Math.max(width, height);
    return { side, left: Math.floor((side - width) / 2), top: Math.floor((side - height) / 2) };
  }

  // Pad an image with black to a square, and resize it to `size` pixels a side.
  function toSquare(source, width, height, size) {
    const { side, left, top } = squareAround(width, height);
    return resizeBytes(source, width, height, { left: -left, top: -top, width: side, height: side }, size, size);
  }

  // Return the inverse for probabilities, as a function that returns row y of the image as Float32Array (width).
  // It works row by row, because a whole large radiograph would take hundreds of megabytes.
  function fromSquare(square, size, width, height) {
    const { side, left, top } = squareAround(width, height);
    const scale = size / side;
    const box = [left, left + width, top, top + height].map((edge) => Math.fround(edge * scale));
    const across = weights(size, box[0], box[1], width);
    const down = weights(size, box[2], box[3], height);
    const middle = new Float32Array(size * width);
    for (let x = 0; x < width; x++) {
      const row = across.values[x];
      for (let y = 0; y < size; y++) {
        let sum = 0;
        for (let k = 0; k < row.length; k++) sum += square[y * size + across.first[x] + k] * row[k];
        middle[y * width + x] = sum;
      }
    }
    const sum = new Float64Array(width);
    const result = new Float32Array(width);
    return (y) => {
      sum.fill(0);
      down.values[y].forEach((weight, k) => {
        const line = middle.subarray((down.first[y] + k) * width, (down.first[y] + k + 1) * width);
        for (let x = 0; x < width; x++) sum[x] += line[x] * weight;
      });
      result.set(sum);
      return result;
    };
  }

  // Round to the nearest integer, with halves to even, as Python and NumPy do.
  function round(value) {
    const low = Math.floor(value);
    const rest = value - low;
    return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
  }

  // Return the width and height of an image after its longer side is resized to `size` pixels.
  function fitted(width, height, size) {
    const side = Math.max(width, height);
    return [Math.max(1, round((width * size) / side)), Math.max(1, round((height * size) / side))];
  }

  Object.assign(tryit, { resizeBytes, squareAround, toSquare, fromSquare, round, fitted });
}
