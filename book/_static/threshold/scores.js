// Score a thresholded mask, with the definitions of cxrseg/evaluate/masks.py and cxrseg/evaluate/metrics.py (overlap).
"use strict";
globalThis.tryit ??= {};

{
  // parts: of both lungs or of each, Uint8Array (side x side), probability times 255. pieces: to keep of each part.
  // Returns the union, Uint8Array of 0 and 1.
  function maskAt(parts, side, threshold, pieces) {
    const masks = parts.map((levels) => levels.map((level) => (level >= threshold * 255 ? 1 : 0)));
    const kept = pieces ? masks.map((mask) => tryit.largest(mask, side, pieces)) : masks;
    return kept.reduce((all, mask) => all.map((value, k) => value | mask[k]));
  }

  // truth, mask: Uint8Array of 0 and 1. A ratio of 0/0 is 1 if the masks are equal, else 0.
  function overlap(truth, mask) {
    let [both, missed, extra] = [0, 0, 0];
    for (let k = 0; k < mask.length; k++) {
      if (truth[k] && mask[k]) both++;
      else if (truth[k]) missed++;
      else if (mask[k]) extra++;
    }
    const ratio = (share, whole) => (whole ? share / whole : Number(missed + extra === 0));
    return {
      dice: ratio(2 * both, 2 * both + missed + extra),
      iou: ratio(both, both + missed + extra),
      sensitivity: ratio(both, both + missed),
      precision: ratio(both, both + extra),
      missed,
      extra,
    };
  }

  Object.assign(tryit, { maskAt, overlap });
}
