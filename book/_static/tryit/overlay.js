// Draw a mask over a square picture.
"use strict";
globalThis.tryit ??= {};

{
  // Draw the outline of a mask along its inner edge, and what it misses of a reference or has beyond it.
  // mask, truth: Uint8Array (side x side) of 0 and 1. scale: pixels drawn for each of these. colours: RGBA of outline,
  // missed and extra.
  function drawMask(context, side, scale, mask, truth, colours) {
    const width = side * scale;
    const over = new ImageData(width, width);
    const pixels = new Uint32Array(over.data.buffer);
    const packed = (colour) => new Uint32Array(Uint8Array.from(colour).buffer)[0];
    const [outline, missed, extra] = [colours.outline, colours.missed, colours.extra].map(packed);
    const inside = (x, y) => x >= 0 && y >= 0 && x < side && y < side && mask[y * side + x];
    for (let y = 0, k = 0; y < side; y++) {
      for (let x = 0; x < side; x++, k++) {
        if (!mask[k] && !truth[k]) continue;
        const fill = !mask[k] ? missed : truth[k] ? 0 : extra;
        const edges = mask[k] ? [!inside(x - 1, y), !inside(x + 1, y), !inside(x, y - 1), !inside(x, y + 1)] : [];
        for (let v = 0; v < scale; v++) {
          for (let u = 0; u < scale; u++) {
            const last = scale - 1;
            const edge = (edges[0] && !u) || (edges[1] && u === last) || (edges[2] && !v) || (edges[3] && v === last);
            pixels[(y * scale + v) * width + x * scale + u] = edge ? outline : fill;
          }
        }
      }
    }
    const layer = new OffscreenCanvas(width, width);
    layer.getContext("2d").putImageData(over, 0, 0);
    context.drawImage(layer, 0, 0);
  }

  tryit.drawMask = drawMask;
}
