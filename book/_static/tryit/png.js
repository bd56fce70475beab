// PNG functions that browsers lack: reading 16 bits, which a canvas reduces to 8, and writing any number of grey rows.
"use strict";
globalThis.tryit ??= {};

{
  const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

  // Return the content of the IHDR chunk, or null if the bytes are not a PNG.
  function pngHeader(bytes) {
    if (bytes.length < 29 || SIGNATURE.some((value, k) => bytes[k] !== value)) return null;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return { width: view.getUint32(16), height: view.getUint32(20), depth: bytes[24], colour: bytes[25], interlaced: bytes[28] };
  }

  // Return the name, the start and the end of each chunk. The content lies between start + 8 and end - 4.
  function chunks(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = [];
    for (let at = 8, end; at + 12 <= bytes.length; at = end) {
      end = at + 12 + view.getUint32(at);
      found.push([String.fromCharCode(...bytes.subarray(at + 4, at + 8)), at, end]);
    }
    return found;
  }

  // Return a PNG without its EXIF part, and the orientation that this gives (TIFF 6.0, tag 274), because browsers
  // differ in whether they turn a PNG.
  function pngOrientation(bytes) {
    const [, start, end] = chunks(bytes).find(([name]) => name === "eXIf") ?? [];
    if (start === undefined || end > bytes.length) return [bytes, 1];
    const plain = new Uint8Array(bytes.length - (end - start));
    plain.set(bytes.subarray(0, start));
    plain.set(bytes.subarray(end), start);
    return [plain, orientationOf(new DataView(bytes.buffer, bytes.byteOffset + start + 8, end - start - 12))];
  }

  function orientationOf(exif) {
    try {
      const little = exif.getUint16(0) === 0x4949;
      const list = exif.getUint32(4, little);
      for (let k = 0; k < exif.getUint16(list, little); k++) {
        const entry = list + 2 + 12 * k;
        if (exif.getUint16(entry, little) === 274) return exif.getUint16(entry + 8, little);
      }
    } catch {} // the list lies outside: it gives no orientation
    return 1;
  }

  // Turn pixels upright, from the orientation in which they are stored.
  function upright({ grey, width: w, height: h }, orientation) {
    const places = {
      2: (x, y) => [w - 1 - x, y], 3: (x, y) => [w - 1 - x, h - 1 - y], 4: (x, y) => [x, h - 1 - y],
      5: (x, y) => [y, x], 6: (x, y) => [y, h - 1 - x], 7: (x, y) => [w - 1 - y, h - 1 - x], 8: (x, y) => [w - 1 - y, x],
    };
    const place = places[orientation];
    if (!place) return { grey, width: w, height: h };
    const [width, height] = orientation > 4 ? [h, w] : [w, h];
    const turned = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [column, row] = place(x, y);
        turned[y * width + x] = grey[row * w + column];
      }
    }
    return { grey: turned, width, height };
  }

  // Read a 16-bit grey PNG as Uint16Array.
  async function readDeepPng(bytes) {
    const { width, height, interlaced } = pngHeader(bytes);
    if (interlaced) throw new Error("this page does not read interlaced 16-bit PNG; save it without interlacing");
    const data = chunks(bytes).filter(([name]) => name === "IDAT");
    const parts = data.map(([, start, end]) => bytes.subarray(start + 8, end - 4));
    const reader = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
    const line = 1 + 2 * width;
    const raw = new Uint8Array(line * height); // bounds memory, however much the file decompresses to
    let filled = 0;
    while (filled < raw.length) {
      const { done, value } = await reader.read();
      if (done) throw new Error("truncated or damaged PNG");
      raw.set(value.subarray(0, raw.length - filled), filled);
      filled += value.length;
    }
    reader.cancel().catch(() => {});
    const pixels = new Uint16Array(width * height);
    let above = new Uint8Array(line - 1);
    for (let y = 0; y < height; y++) {
      const row = raw.subarray(y * line + 1, (y + 1) * line);
      const filter = raw[y * line];
      for (let k = 0; k < row.length; k++) {
        const [left, up, corner] = [k > 1 ? row[k - 2] : 0, above[k], k > 1 ? above[k - 2] : 0];
        if (filter === 1) row[k] += left;
        else if (filter === 2) row[k] += up;
        else if (filter === 3) row[k] += (left + up) >> 1;
        else if (filter === 4) row[k] += paeth(left, up, corner);
      }
      above = row;
      for (let x = 0; x < width; x++) pixels[y * width + x] = row[2 * x] * 256 + row[2 * x + 1];
    }
    return pixels;
  }

  function paeth(left, up, corner) {
    const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
    return a <= b && a <= c ? left : b <= c ? up : corner;
  }

  const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
  });

  function chunk(name, content) {
    const bytes = new Uint8Array(12 + content.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, content.length);
    bytes.set([...name].map((letter) => letter.charCodeAt(0)), 4);
    bytes.set(content, 8);
    let crc = 0xffffffff;
    for (const value of bytes.subarray(4, -4)) crc = CRC[(crc ^ value) & 255] ^ (crc >>> 8);
    view.setUint32(bytes.length - 4, ~crc >>> 0);
    return bytes;
  }

  // Write an 8-bit grey PNG as a Blob. row(y) returns one row, so that a large image is never in memory as a whole.
  async function writePng(width, height, row) {
    let y = 0;
    const rows = new ReadableStream({
      pull(controller) {
        if (y === height) return controller.close();
        const line = new Uint8Array(width + 1); // the first byte is the filter type, 0 for none
        line.set(row(y++), 1);
        controller.enqueue(line);
      },
    });
    const packed = await new Response(rows.pipeThrough(new CompressionStream("deflate"))).arrayBuffer();
    const header = new Uint8Array(13);
    new DataView(header.buffer).setUint32(0, width);
    new DataView(header.buffer).setUint32(4, height);
    header[8] = 8;
    const parts = [chunk("IHDR", header), chunk("IDAT", new Uint8Array(packed)), chunk("IEND", [])];
    return new Blob([Uint8Array.from(SIGNATURE), ...parts], { type: "image/png" });
  }

  Object.assign(tryit, { pngHeader, pngOrientation, upright, readDeepPng, writePng });
}
