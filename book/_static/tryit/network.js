// Fetch and decompress the network on first use, and run it with onnxruntime-web in this page, on one thread.
"use strict";
globalThis.tryit ??= {};
tryit.packed = {};

{
  const here = document.currentScript?.src;

  const missing = (name) => new Error(`a part of this page is missing (${name}): reload it, or build the book again`);

  const script = (name, base) =>
    new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = new URL(name, base).href;
      element.onload = resolve;
      element.onerror = () => reject(missing(name));
      document.head.append(element);
    });

  // Do something once. After a failure, the next call tries again.
  function once(act) {
    let done;
    return () => (done ??= act().catch((error) => ((done = undefined), Promise.reject(error))));
  }

  // A page opened from a file may load scripts but may not fetch data, so its data are in scripts, in base64.
  async function packed(name, base) {
    if (location.protocol === "file:") {
      await script(`${name}.js`, base);
      const bytes = Uint8Array.from(atob(tryit.packed[name]), (letter) => letter.charCodeAt(0));
      delete tryit.packed[name];
      return new Blob([bytes]).stream();
    }
    const answer = await fetch(new URL(`${name}.bin`, base));
    if (!answer.ok) throw missing(`${name}.bin`);
    return answer.body;
  }

  // Return a part of a page, of this one or of that whose script has the address `base`, as Uint8Array.
  async function unpacked(name, base = here) {
    const stream = (await packed(name, base)).pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  async function start() {
    // A page opened from a file may not import a module from another file either, so import it from memory.
    const module = URL.createObjectURL(new Blob([await unpacked("runtime")], { type: "text/javascript" }));
    const ort = await import(module);
    URL.revokeObjectURL(module);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = await unpacked("wasm");
    return ort;
  }

  // Return what a network gets. square: Uint8Array (grid x grid).
  function imageTensor(ort, square, { input_size: size }) {
    return new ort.Tensor("float32", tryit.networkInput(square, tryit.gridOf(size), size), [1, size, size, 1]);
  }

  // Return the probability of each structure times 255, Uint8Array (grid x grid), by name and in the order of
  // structures. probability: Float32Array (size x size x predicted structures).
  function structureLevels(probability, { input_size: size, structures }) {
    const predicted = tryit.predicted(structures);
    const channel = (k) => new Float32Array(size * size).map((_, n) => probability[n * predicted.length + k]);
    const levels = Object.fromEntries(
      predicted.map((name, k) => [name, tryit.toLevels(channel(k), size, tryit.gridOf(size))]),
    );
    if (predicted.length === structures.length) return levels;
    const [right, left] = tryit.SIDES.map((name) => levels[name]);
    return { [structures[0]]: right.map((level, k) => Math.max(level, left[k])), ...levels };
  }

  async function load() {
    const info = JSON.parse(new TextDecoder().decode(await unpacked("info")));
    if (!info) throw new Error("this copy of the book has no network to try; whoever built it can add one: cxrseg export RUN, then cxrseg book RUN");
    const ort = await tryit.runtime();
    const session = await ort.InferenceSession.create(await unpacked("model"));
    const grid = tryit.gridOf(info.input_size);

    async function run(square) {
      const { probability } = await session.run({ image: imageTensor(ort, square, info) });
      return structureLevels(probability.data, info);
    }

    await run(new Uint8Array(grid * grid)); // the first run is slow, so do it before the user waits for a result
    return { info, grid, run, runFirst: async (square) => Object.values(await run(square))[0] };
  }

  Object.assign(tryit, { once, unpacked, imageTensor, structureLevels, runtime: once(start), network: once(load) });
}
