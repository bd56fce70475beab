// Tell whether a radiograph is turned or inverted, as cxrseg/segment/orientation.py does.
"use strict";
globalThis.tryit ??= {};

{
  const SURE = 0.945; // confidence from which on a radiograph is taken for upright without trying the other turns
  const UNSURE = 0.9; // confidence below which, in the best of the turns, nothing is said
  const MARGIN = 0.01; // confidence that another turn must gain over the picture as it is

  // Return how many degrees clockwise a radiograph seems turned, and whether it seems inverted.
  // square: Uint8Array (grid x grid), levels: what the network finds in it.
  async function orientation(network, square, levels) {
    const size = network.grid;
    let best = { turn: 0, sure: confidence(levels), levels, picture: square };
    if (best.sure < SURE) {
      const turns = [square];
      for (let k = 1; k < 4; k++) turns.push(turned(turns[k - 1], size));
      const found = [levels];
      for (const picture of turns.slice(1)) found.push(await network.run(picture));
      best = surest(found, turns);
      if (best.sure < UNSURE || airIsBright(best, size)) {
        for (const [k, picture] of turns.entries()) {
          const inverse = await network.run(inverted(picture));
          if (confidence(inverse) > confidence(found[k])) found[k] = inverse;
        }
        best = surest(found, turns);
      }
    }
    if (best.sure < UNSURE) return { turned: 0, inverted: false };
    return { turned: 90 * best.turn, inverted: airIsBright(best, size) };
  }

  // Return the turn of which the network is surest, none unless it gains MARGIN, with what was found in it.
  function surest(found, turns) {
    const sure = found.map(confidence);
    let turn = sure.indexOf(Math.max(...sure));
    if (sure[turn] < sure[0] + MARGIN) turn = 0;
    return { turn, sure: sure[turn], levels: found[turn], picture: turns[turn] };
  }

  function airIsBright({ levels, picture }, size) {
    const mask = levels.map((level) => (level >= 127.5 ? 1 : 0));
    const agreed = (grey) => tryit.edgeAgreement(mask, grey, size);
    return agreed(picture) < 0.5 && agreed(inverted(picture)) > 0.5;
  }

  const inverted = (picture) => picture.map((value) => 255 - value);

  // Return the Dice of the mask at a threshold of 0.5 that the probabilities themselves lead one to expect.
  function confidence(levels) {
    let [inside, everywhere] = [0, 0];
    for (const level of levels) {
      everywhere += level;
      if (level >= 127.5) [inside, everywhere] = [inside + level, everywhere + 255];
    }
    return everywhere ? (2 * inside) / everywhere : 0;
  }

  // Turn a square by 90 degrees counter-clockwise.
  function turned(square, size) {
    return square.map((_, k) => square[(k % size) * size + size - 1 - Math.floor(k / size)]);
  }

  Object.assign(tryit, { orientation, confidence });
}
