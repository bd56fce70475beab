// Fetch and decompress the network on first use, and run it with onnxruntime-web in this page, on one thread.
"use strict";
globalThis.tryit ??= {};
tryit.packed = {};

{
  const here = document.currentScript?.src;

  const missing = (name) => new Error(`${name} is missing beside this page: build the book again`);

  const script = (name) =>
    new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = new URL(name, here).href;
      element.onload = resolve;
      element.onerror = () => reject(missing(name));
      document.head.append(element);
    });

  // A page opened from a file may load scripts but may not fetch data, so its data are in scripts, in base64.
  async function packed(name) {
    if (location.protocol === "file:") {
      await script(`${name}.js`);
      const bytes = Uint8Array.from(atob(tryit.packed[name]), (letter) => letter.charCodeAt(0));
      delete tryit.packed[name];
      return new Blob([bytes]).stream();
    }
    const answer = await fetch(new URL(`${name}.bin`, here));
    if (!answer.ok) throw missing(`${name}.bin`);
    return answer.body;
  }

  async function unpacked(name) {
    const stream = (await packed(name)).pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  async function load() {
    const info = JSON.parse(new TextDecoder().decode(await unpacked("info")));
    if (!info) throw new Error("this book was built without a network to try");
    // A page opened from a file may not import a module from another file either, so import it from memory.
    const module = URL.createObjectURL(new Blob([await unpacked("runtime")], { type: "text/javascript" }));
    const ort = await import(module);
    URL.revokeObjectURL(module);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = await unpacked("wasm");
    const session = await ort.InferenceSession.create(await unpacked("model"));
    const size = info.input_size;
    const grid = tryit.gridOf(size);

    const predicted = tryit.predicted(info.structures);

    // square: Uint8Array (grid x grid). Returns the probability of each structure times 255, Uint8Array (grid x grid),
    // by name and in the order of info.structures.
    async function run(square) {
      const image = new ort.Tensor("float32", tryit.networkInput(square, grid, size), [1, size, size, 1]);
      const { probability } = await session.run({ image });
      const channel = (k) => new Float32Array(size * size).map((_, n) => probability.data[n * predicted.length + k]);
      const levels = Object.fromEntries(predicted.map((name, k) => [name, tryit.toLevels(channel(k), size, grid)]));
      if (predicted.length === info.structures.length) return levels;
      const [right, left] = tryit.SIDES.map((name) => levels[name]);
      return { [info.structures[0]]: right.map((level, k) => Math.max(level, left[k])), ...levels };
    }

    await run(new Uint8Array(grid * grid)); // the first run is slow, so do it before the user waits for a result
    return { info, grid, run, runFirst: async (square) => Object.values(await run(square))[0] };
  }

  let loaded;

  // Load the network once. After a failure, the next call tries again.
  tryit.network = () => (loaded ??= load().catch((error) => ((loaded = undefined), Promise.reject(error))));
}
