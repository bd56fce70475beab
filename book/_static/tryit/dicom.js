// Read DICOM radiographs: one uncompressed little-endian frame, with its rescaling and its window.
"use strict";
globalThis.tryit ??= {};

{
  const SYNTAXES = { "1.2.840.10008.1.2": false, "1.2.840.10008.1.2.1": true }; // whether the VR is explicit
  // What the command line reads, but no browser does.
  const COMPRESSIONS = {
    "1.99": "deflated", "2": "big-endian", "5": "RLE",
    "4.50": "JPEG", "4.51": "JPEG Extended", "4.57": "JPEG lossless", "4.70": "JPEG lossless",
    "4.80": "JPEG-LS", "4.81": "JPEG-LS", "4.90": "JPEG 2000", "4.91": "JPEG 2000",
    "4.201": "HTJ2K", "4.202": "HTJ2K", "4.203": "HTJ2K",
  };
  const LONG = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]);
  const UNDEFINED = 0xffffffff;
  const MAX_SPACING = 100; // mm; larger values are errors, because a chest would cover less than ten pixels

  // Read the elements of a data set up to `end`. Sequences become lists of data sets.
  function elements(view, start, end, explicit) {
    const found = new Map();
    let at = start;
    while (at + 8 <= end) {
      const tag = view.getUint16(at, true) * 0x10000 + view.getUint16(at + 2, true);
      if (tag === 0xfffee00d || tag === 0xfffee0dd) return [found, at + 8]; // end of item, end of sequence
      let kind = "";
      let length;
      if (explicit) {
        kind = String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5));
        const long = LONG.has(kind);
        length = long ? view.getUint32(at + 8, true) : view.getUint16(at + 6, true);
        at += long ? 12 : 8;
      } else {
        length = view.getUint32(at + 4, true);
        at += 8;
      }
      // Without VRs, only the standard says that these are sequences: the modality LUT and the VOI LUT.
      const tables = !explicit && (tag === 0x00283000 || tag === 0x00283010);
      if (kind === "SQ" || tables || length === UNDEFINED) {
        if (tag === 0x7fe00010) throw new Error("this page does not read compressed DICOM; the command line may: cxrseg segment FILE");
        const [list, next] = items(view, at, length === UNDEFINED ? end : at + length, explicit && kind !== "UN");
        found.set(tag, list);
        at = length === UNDEFINED ? next : at + length;
        continue;
      }
      if (at + length > end) {
        if (tag !== 0x7fe00010) throw new Error("truncated or damaged DICOM");
        length = end - at;
      }
      found.set(tag, new DataView(view.buffer, view.byteOffset + at, length));
      at += length;
    }
    return [found, at];
  }

  function items(view, start, end, explicit) {
    const list = [];
    let at = start;
    while (at + 8 <= end) {
      const tag = view.getUint16(at, true) * 0x10000 + view.getUint16(at + 2, true);
      const length = view.getUint32(at + 4, true);
      at += 8;
      if (tag !== 0xfffee000) break; // end of sequence
      const [item, next] = elements(view, at, length === UNDEFINED ? end : Math.min(at + length, end), explicit);
      list.push(item);
      at = length === UNDEFINED ? next : at + length;
    }
    return [list, at];
  }

  const text = (element) =>
    element ? new TextDecoder("latin1").decode(element).replace(/[\0 ]+$/, "").trim() : "";
  const numbers = (element) => (text(element) ? text(element).split("\\").map(Number) : []);
  const short = (element, fallback) => (element?.byteLength >= 2 ? element.getUint16(0, true) : fallback);

  // Return a look-up table as a function (PS3.3 C.11.1.1). Values outside its range take the first or last entry.
  function lookup(item, signed) {
    const descriptor = item.get(0x00283002);
    const data = item.get(0x00283006);
    const n = descriptor.getUint16(0, true) || 65536;
    const first = signed ? descriptor.getInt16(2, true) : descriptor.getUint16(2, true);
    const wide = data.byteLength >= 2 * n;
    if (!wide && data.byteLength < n) throw new Error(`the look-up table has ${data.byteLength} of ${n} entries`);
    return (value) => {
      const k = Math.min(Math.max(Math.trunc(value) - first, 0), n - 1);
      return wide ? data.getUint16(2 * k, true) : data.getUint8(k);
    };
  }

  // Return the modality LUT or the rescaling as a function, or null if there is neither or the slope is 0.
  function modalityOf(set, signed) {
    const [item] = set.get(0x00283000) ?? [];
    if (item) return lookup(item, signed);
    const [[slope], [intercept]] = [numbers(set.get(0x00281053)), numbers(set.get(0x00281052))];
    return slope && Number.isFinite(intercept) ? (value) => value * slope + intercept : null;
  }

  // Return the first VOI LUT or the first valid window as a function, or null if there is neither.
  function voiOf(set, signed) {
    const [item] = set.get(0x00283010) ?? [];
    if (item) return lookup(item, signed);
    const shape = text(set.get(0x00281056)).toUpperCase() || "LINEAR";
    const [centers, widths] = [numbers(set.get(0x00281050)), numbers(set.get(0x00281051))];
    const least = ["LINEAR_EXACT", "SIGMOID"].includes(shape) ? Number.MIN_VALUE : 1;
    const k = widths.findIndex((width, place) => width >= least && Number.isFinite(centers[place]));
    return k < 0 ? null : windowing(centers[k], widths[k], shape);
  }

  // Return a function that tells whether a stored value is padding: one value, or the range from it to a limit.
  function padding(set, signed) {
    const limits = [0x00280120, 0x00280121].map((tag) => set.get(tag)).filter((element) => element?.byteLength >= 2);
    const ends = limits.map((element) => (signed ? element.getInt16(0, true) : element.getUint16(0, true)));
    return set.get(0x00280120) ? (value) => value >= Math.min(...ends) && value <= Math.max(...ends) : () => false;
  }

  // Return a window as a function with values from 0 to 1 (PS3.3 C.11.2.1.2 and C.11.2.1.3).
  function windowing(center, width, shape) {
    if (shape === "SIGMOID") return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
    const [middle, extent] = shape === "LINEAR_EXACT" ? [center, width] : [center - 0.5, width - 1];
    if (!extent) return (value) => Number(value > middle);
    return (value) => {
      if (value <= middle - extent / 2) return 0;
      return value > middle + extent / 2 ? 1 : (value - middle) / extent + 0.5;
    };
  }

  // bytes: Uint8Array of a file. Returns {grey: Uint8Array, width, height, spacing: [row, column] mm or null}.
  function readDicom(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const marked = bytes.length > 132 && String.fromCharCode(...bytes.subarray(128, 132)) === "DICM";
    let start = 0;
    // Without a file header, the default encoding of the standard applies, unless the first VR is explicit.
    let syntax = /^[A-Z]{2}$/.test(String.fromCharCode(bytes[4], bytes[5])) ? "1.2.840.10008.1.2.1" : "1.2.840.10008.1.2";
    if (marked) {
      start = 132;
      while (start + 8 <= bytes.length && view.getUint16(start, true) === 2) {
        const long = LONG.has(String.fromCharCode(bytes[start + 4], bytes[start + 5]));
        const length = long ? view.getUint32(start + 8, true) : view.getUint16(start + 6, true);
        const value = start + (long ? 12 : 8);
        if (value + length > bytes.length) throw new Error("truncated or damaged DICOM");
        if (view.getUint16(start + 2, true) === 0x10) {
          syntax = text(new DataView(view.buffer, view.byteOffset + value, length));
        }
        start = value + length;
      }
    }
    if (!(syntax in SYNTAXES)) {
      const name = COMPRESSIONS[syntax.replace("1.2.840.10008.1.2.", "")];
      if (name) throw new Error(`this page does not read ${name} DICOM; the command line does: cxrseg segment FILE`);
      throw new Error(`DICOM in the transfer syntax ${syntax} is not read; export it uncompressed, or as PNG`);
    }
    const [set] = elements(view, start, bytes.length, SYNTAXES[syntax]);

    const [height, width] = [short(set.get(0x00280010), 0), short(set.get(0x00280011), 0)];
    const pixels = set.get(0x7fe00010);
    if (!pixels || !height || !width) throw new Error("DICOM without pixel data");
    tryit.checkSize(width, height);
    if (Number(text(set.get(0x00280008)) || 1) > 1) throw new Error("DICOM with several frames; export one of them, as PNG for example");
    const kind = text(set.get(0x00280004)).toUpperCase();
    const bits = short(set.get(0x00280100), 16);
    const n = width * height;
    const samples = short(set.get(0x00280002), 1);
    if (!["MONOCHROME1", "MONOCHROME2", "RGB"].includes(kind) || (bits !== 8 && bits !== 16)) {
      throw new Error(`this page does not read DICOM with ${kind || "no"} colours in ${bits} bits; export it as PNG`);
    }
    if (pixels.byteLength < (n * samples * bits) / 8) throw new Error("truncated or damaged DICOM");
    const spacing = [0x00280030, 0x00181164]
      .map((tag) => numbers(set.get(tag)))
      .find((pair) => pair.length === 2 && pair.every((value) => value > 0 && value < MAX_SPACING));
    const result = { width, height, spacing: spacing ?? null };

    const used = Math.min(short(set.get(0x00280101), bits), bits); // other bits do not belong to the value
    const whole = 2 ** used - 1;
    const below = Math.max(0, short(set.get(0x00280102), 0) + 1 - used); // the value ends at High Bit
    const numberAt = (k) => ((bits === 8 ? pixels.getUint8(k) : pixels.getUint16(2 * k, true)) >> below) & whole;
    if (kind === "RGB") {
      if (samples !== 3) throw new Error(`this page does not read RGB DICOM of ${samples} samples a pixel; export it as PNG`);
      const [pixel, plane] = short(set.get(0x00280006), 0) ? [1, n] : [3, 1];
      const part = (k, c) => tryit.round(numberAt(k * pixel + c * plane) * (255 / whole));
      return { ...result, grey: Uint8Array.from({ length: n }, (_, k) => tryit.luminance(part(k, 0), part(k, 1), part(k, 2))) };
    }
    const signed = short(set.get(0x00280103), 0) === 1;
    const stored = Uint16Array.from({ length: n }, (_, k) => numberAt(k));
    const bend = 2 ** (used - 1);
    const number = (k) => (signed && k >= bend ? k - 2 * bend : k);
    const isPadding = padding(set, signed);
    const ranked = (meaning) => tryit.ranked(stored, meaning, (k) => !isPadding(number(k)));
    const inverted = kind === "MONOCHROME1" || text(set.get(0x20500020)).toUpperCase() === "INVERSE";
    let meaning = Float64Array.from({ length: 65536 }, (_, k) => number(k));
    let steps = 0;
    const modality = modalityOf(set, signed);
    if (modality) [meaning, steps] = [meaning.map((value) => modality(value)), 1];
    const voi = voiOf(set, tryit.ranked(stored, meaning)[0][0] < 0);
    if (voi) {
      const shown = meaning.map((value) => voi(value));
      const kept = ranked(shown).length ? ranked(shown) : tryit.ranked(stored, shown);
      if (kept[0][0] < kept.at(-1)[0]) [meaning, steps] = [shown, steps + 1]; // else the image would be blank
    }
    const asItIs = bits === 8 && !signed && !steps;
    const others = ranked(meaning);
    if (others.length) {
      const clipped = asItIs ? 0 : 0.001;
      const black = tryit.percentile(others, inverted ? 1 - clipped : clipped);
      meaning.forEach((_, k) => isPadding(number(k)) && (meaning[k] = black));
    }
    let grey = asItIs ? new Uint8Array(stored.length).map((_, k) => meaning[stored[k]]) : tryit.toBytes(stored, meaning);
    if (inverted) grey = grey.map((value) => 255 - value);
    return { ...result, grey };
  }

  Object.assign(tryit, { readDicom });
}
