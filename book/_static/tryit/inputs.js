// Convert between square image, network input and levels, as cxrseg/train/inputs.py and cxrseg/evaluate/predict.py do.
"use strict";
globalThis.tryit ??= {};

{
  const GRID = 256; // side in pixels of the square on which masks are computed, unless the network has a larger input

  // square: Uint8Array (side x side). Returns Float32Array (size x size), grey levels from 0 to 1.
  function networkInput(square, side, size) {
    const small = side === size ? square : tryit.toSquare(square, side, side, size);
    return new Float32Array(small).map((value) => value / 255);
  }

  // probability: Float32Array (size x size). Returns Uint8Array (grid x grid), probability times 255.
  function toLevels(probability, size, grid) {
    const levels = new Uint8Array(grid * grid);
    const row = tryit.fromSquare(probability, size, grid, grid);
    for (let y = 0; y < grid; y++) levels.set(row(y).map((p) => tryit.round(Math.fround(p * 255))), y * grid);
    return levels;
  }

  Object.assign(tryit, { gridOf: (size) => Math.max(GRID, size), networkInput, toLevels });
}
