// Tell whether a radiograph is turned or inverted, as cxrseg/segment/orientation.py does.
"use strict";
globalThis.tryit ??= {};

{
  const UNSURE = 2; // largest doubt in the best of the turns, in units of the network's usual doubt
  const MARGIN = 0.2; // confidence that another turn must gain over the picture as it is, in the same units

  // Return how many degrees clockwise a radiograph seems turned, and whether it seems inverted.
  // usual: the network's usual confidence; square: Uint8Array (grid x grid), levels: what the network finds in it,
  // of its first structure, the lungs.
  async function orientation(network, usual, square, levels) {
    const size = network.grid;
    const [least, margin] = [1 - UNSURE * (1 - usual), MARGIN * (1 - usual)];
    let best = { turn: 0, sure: confidence(levels), levels, picture: square };
    if (best.sure < usual) {
      const turns = [square];
      for (let k = 1; k < 4; k++) turns.push(turned(turns[k - 1], size));
      const found = [levels];
      for (const picture of turns.slice(1)) found.push(await network.runFirst(picture));
      best = surest(found, turns, margin);
      if (best.sure < (best.turn ? usual : least) || airIsBright(best, size)) {
        for (const [k, picture] of turns.entries()) {
          const inverse = await network.runFirst(inverted(picture));
          if (confidence(inverse) > confidence(found[k])) found[k] = inverse;
        }
        best = surest(found, turns, margin);
      }
    }
    if (best.sure < least) return { turned: 0, inverted: false };
    return { turned: 90 * best.turn, inverted: airIsBright(best, size) };
  }

  // Return the turn of which the network is surest, none unless it gains the margin, with what was found in it.
  function surest(found, turns, margin) {
    const sure = found.map(confidence);
    let turn = sure.indexOf(Math.max(...sure));
    if (sure[turn] < sure[0] + margin) turn = 0;
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
