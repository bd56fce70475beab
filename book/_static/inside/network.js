// Run the opened network of cxrseg/report/pages/inside.py: cut off skip connections, read the features of each block.
"use strict";

{
  const here = document.currentScript?.src;

  async function load() {
    const ort = await tryit.runtime();
    const session = await ort.InferenceSession.create(await tryit.unpacked("graph", here));

    // square: Uint8Array (grid x grid). on: for each skip connection, finest first, whether it is on. Returns the
    // levels of tryit.structureLevels and, by name, the features of each block, Float32Array (channels x side x side).
    async function run(square, on) {
      const skips = on.map((is, k) => [`skip${k}`, new ort.Tensor("float32", [Number(is)], [])]);
      const image = tryit.imageTensor(ort, square, inside.info);
      const found = await session.run({ image, ...Object.fromEntries(skips) });
      const features = Object.fromEntries(Object.keys(inside.blocks).map((name) => [name, found[name].data]));
      return { levels: tryit.structureLevels(found.probability.data, inside.info), features };
    }

    return run;
  }

  inside.network = tryit.once(load);
}
