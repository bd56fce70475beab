// Convert pixels of more than 8 bits to 8 bits, as cxrseg/data/read/images.py does.
"use strict";
globalThis.tryit ??= {};

{
  // Return the frequency of each value as sorted [value, count] pairs, for the stored values accepted by `keep`.
  function ranked(stored, meaning, keep = () => true) {
    const counts = new Float64Array(65536);
    for (const value of stored) counts[value]++;
    const pairs = [];
    counts.forEach((count, value) => count && keep(value) && pairs.push([meaning[value], count]));
    return pairs.sort((a, b) => a[0] - b[0]);
  }

  // Return a percentile (share from 0 to 1) of a distribution given as such pairs, with linear interpolation.
  function percentile(pairs, share) {
    const total = pairs.reduce((sum, [, count]) => sum + count, 0);
    const place = share * (total - 1);
    const low = Math.floor(place);
    const at = (index) => {
      let sum = 0;
      for (const [value, count] of pairs) if ((sum += count) > index) return value;
      return pairs.at(-1)[0];
    };
    const [a, b] = [at(low), at(Math.min(low + 1, total - 1))];
    return a + (b - a) * (place - low);
  }

  // Map values linearly so that their 0.1st and 99.9th percentiles become 0 and 255.
  // stored: Uint16Array; meaning: the grey value that each of the 65,536 stored values represents.
  function toBytes(stored, meaning = Float64Array.from({ length: 65536 }, (_, k) => k)) {
    const pairs = ranked(stored, meaning);
    let low = percentile(pairs, 0.001);
    let high = percentile(pairs, 0.999);
    if (high === low) [low, high] = [pairs[0][0], pairs.at(-1)[0]];
    const table = new Uint8Array(65536);
    if (high > low) {
      const factor = 255 / (high - low);
      meaning.forEach((value, k) => {
        table[k] = tryit.round(Math.min(Math.max((Math.fround(value) - low) * factor, 0), 255));
      });
    }
    return new Uint8Array(stored.length).map((_, k) => table[stored[k]]);
  }

  // Luminance of one colour by ITU-R 601-2, with the integer coefficients of Pillow.
  const luminance = (red, green, blue) => (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;

  Object.assign(tryit, { toBytes, luminance, ranked, percentile });
}
