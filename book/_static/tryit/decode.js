// Read a radiograph as 8-bit grey levels, as cxrseg/data/read/images.py does: PNG, JPEG, BMP and uncompressed DICOM.
"use strict";
globalThis.tryit ??= {};

{
  const MAX_SIDE = 8192; // pixels
  const MAX_BYTES = 4 * MAX_SIDE ** 2;
  const STRIP = 256; // rows drawn at a time, because phones do not allow a canvas of a whole large radiograph

  function checkSize(width, height) {
    if (!(width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE)) {
      throw new Error(`the image is ${width} x ${height} pixels; expected sides of 1 to ${MAX_SIDE}`);
    }
  }

  // Return the width and height in an image's header, which are checked before anything is decompressed.
  function pictureSize(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const png = tryit.pngHeader(bytes);
    if (png) return [png.width, png.height];
    if (bytes[0] === 0x42 && bytes[1] === 0x4d && bytes.length > 26) {
      return [Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))];
    }
    if (bytes[0] === 0xff && bytes[1] === 0xd8) {
      for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
        const kind = bytes[at + 1];
        const isFrame = kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind);
        if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
      }
      throw new Error("truncated or damaged JPEG");
    }
    throw new Error("not an image that is read here; expected one PNG, JPEG, BMP or uncompressed DICOM file");
  }

  // file: a File or Blob with a name. Returns {grey: Uint8Array, width, height, spacing: [row, column] mm or null}.
  async function decode(file, name = file.name ?? "image") {
    if (!file.size) throw new Error("the file is empty (0 bytes)");
    if (file.size > MAX_BYTES) throw new Error(`the file has ${file.size} bytes; expected at most ${MAX_BYTES}`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const signature = new TextDecoder("latin1").decode(bytes.subarray(128, 132));
    if (signature === "DICM" || /\.(dcm|dicom)$/i.test(name)) {
      try {
        return tryit.readDicom(bytes);
      } catch (error) {
        throw error instanceof RangeError ? new Error("truncated or damaged DICOM") : error;
      }
    }
    checkSize(...pictureSize(bytes));
    const png = tryit.pngHeader(bytes);
    if (png?.depth === 16 && png.colour !== 0) {
      throw new Error("16 bits in each of several channels; save it as grey of 8 or 16");
    }
    const [plain, orientation] = png ? tryit.pngOrientation(bytes) : [bytes, 1];
    const picture = png?.depth === 16
      ? { grey: tryit.toBytes(await tryit.readDeepPng(plain)), width: png.width, height: png.height }
      : await drawn(png ? new Blob([plain]) : file);
    return { ...tryit.upright(picture, orientation), spacing: null };
  }

  async function drawn(file) {
    const options = { colorSpaceConversion: "none", imageOrientation: "from-image" };
    const picture = await createImageBitmap(file, options).catch(() => {
      throw new Error("the image cannot be decoded: truncated or damaged?");
    });
    const { width, height } = picture;
    const canvas = new OffscreenCanvas(width, Math.min(STRIP, height));
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const grey = new Uint8Array(width * height);
    for (let top = 0; top < height; top += STRIP) {
      context.fillStyle = "black";
      context.fillRect(0, 0, width, STRIP);
      context.drawImage(picture, 0, -top);
      const rows = Math.min(STRIP, height - top);
      const { data } = context.getImageData(0, 0, width, rows);
      for (let k = 0; k < width * rows; k++) {
        grey[top * width + k] = tryit.luminance(data[4 * k], data[4 * k + 1], data[4 * k + 2]);
      }
    }
    picture.close();
    return { grey, width, height };
  }

  Object.assign(tryit, { decode, checkSize });
}
