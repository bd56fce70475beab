"""Measure how far lung masks that belong to other images fall below right ones, which sets `agreement.LOW`.

``python experiments/doubted.py SOURCE:PATH …`` prints, for each set, the median Dice between the default model and the
masks as they are, those of the next case, and those that were flipped, turned, mirrored, transposed or halved.
"""

import sys

import numpy as np

from cxrseg.config import DataConfig
from cxrseg.data.prepare import read
from cxrseg.data.sources import find_cases
from cxrseg.data.square import mask_to_square, to_square
from cxrseg.segment.agreement import dice, spread

SIDE = 256


def main(on: str) -> None:
    source, _, path = on.partition(":")
    cases = find_cases(DataConfig(source=source, path=path))
    found = [read(cases[n], ["lungs"]) for n in spread(len(cases))]
    images = [to_square(one.image, SIDE) for one in found]
    masks = [mask_to_square(one.masks[0], SIDE) for one in found]
    half = np.arange(SIDE) < SIDE // 2
    wrong = {
        "as they are": masks,
        "of the next case": masks[1:] + masks[:1],
        "flipped": [mask[::-1] for mask in masks],
        "turned": [mask[::-1, ::-1] for mask in masks],
        "mirrored": [mask[:, ::-1] for mask in masks],
        "transposed": [mask.T for mask in masks],
        "one side": [mask & half for mask in masks],
    }
    for name, changed in wrong.items():
        print(
            f"{on}: {name}: median Dice {np.median(dice(zip(images, changed, strict=True))):.2f}, {len(images)} cases"
        )


if __name__ == "__main__":
    for given in sys.argv[1:]:
        main(given)
