"""How many radiographs make a step? Four, against the eight of `best`.

    python benchmarks/batches.py --data A.zip

Both networks start from one that learnt from phantoms, and learn from the same patients in as many passes. They are
tested on others, none of them a case of the study `quex`: this is a choice, and those are for measuring what was
chosen. The network of eight is the one of `pictures.py`, whose run is taken where there is one.
"""

import argparse

from pictures import GREY, PATIENTS, plan, sample
from series import MEASURES, arithmetic, command, difference, run, variant
from zero_shot import summarise

from cxrseg import compare, paths, runs

FOUR = "train.batch_size=4"


def main() -> None:
    """Run what is missing, and write ``book/published/batches.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    data = parser.parse_args().data
    phantoms, trained = plan()
    start, eight, four = (variant(*words) for words in (("phantom", GREY), ("patients", GREY), ("patients", FOUR)))
    run({start: phantoms[start]}, data)
    run({eight: trained[eight], four: ("best", [*PATIENTS, FOUR, f"train.init={start}"])}, data)
    tables = [compare.cases(name) for name in (eight, four)]
    measured = sample(data)
    eights, fours = (rows[~rows["case_id"].isin(measured)] for rows in tables)
    content = {
        "command": command(__file__, data, four),
        "n_patients": runs.summary(four)["provenance"]["training"][0]["n_training"],
        "eight": summarise(eights),
        "four": summarise(fours),
        "four_minus_eight": {measure: difference(fours, eights, measure) for measure in MEASURES},
        **arithmetic(four),
        "provenance": runs.provenance(),
    }
    runs.write_summary(paths.published() / "batches.json", content)
    for words in ("eight", "four"):
        print(words, {key: content[words][key] for key in ("n", "mean", "p5")})
    print(content["four_minus_eight"])


if __name__ == "__main__":
    main()
