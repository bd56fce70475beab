"""Why do ten patients do harm? The network before and after them, with one thing changed at a time.

    python benchmarks/few.py --data A.zip

Each network learns from phantoms, and then from ten radiographs as in `curve.py`. Before and after, it is tested on the
radiographs that `choices.py` tests on, none of them a case of the study `quex`. Interrupted, it goes on where it was.
"""

import argparse

from choices import AS_IT_IS, FINE, START
from curve import EPOCHS
from pictures import plan, read, sample
from series import command, difference, run, variant
from sizes import FEWER
from zero_shot import summarise

from cxrseg import compare, paths, runs

TEN = ["data.cases_per_class={}", "run_folds=2", "train.cases=10", f"train.epochs={EPOCHS[10]}"]
WAYS = {
    AS_IT_IS: (START, []),
    "pictures of 128 pixels": (START, ["train.input_size=128"]),
    "phantoms of 256 pixels": ("phantom-256", []),
    "a quarter of the learning rate": (START, ["train.learning_rate=0.0005"]),
}
"""The run that each starts from, and what is changed in the study best, by the words of the table."""


def main() -> None:
    """Run what is missing, and write ``book/published/few.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="COVID-QU-Ex, ZIP or folder")
    data = parser.parse_args().data
    starts = {START: plan()[0][START], "phantom-256": ("phantom", [*FEWER, *FINE])}
    trained = {
        variant("ten", words): ("best", [*TEN, *way, f"train.init={start}"]) for words, (start, way) in WAYS.items()
    }
    run(starts, data)
    run(trained, data)
    measured, rows = sample(data), {}
    unseen = {start: read(start, data) for start in starts}
    for name, (words, (start, _)) in zip(trained, WAYS.items(), strict=True):
        after = compare.cases(name)
        after = after[~after["case_id"].isin(measured)]
        before = unseen[start][unseen[start]["case_id"].isin(after["case_id"])]
        before = before.assign(dataset=after["dataset"].iloc[0])  # the same archive, by another way
        rows[words] = {
            "before": summarise(before),
            "after": summarise(after),
            "difference": difference(after, before),
        }
    content = {"command": command(__file__, data, START), "rows": rows, "provenance": runs.provenance()}
    runs.write_summary(paths.published() / "few.json", content)
    for words, row in rows.items():
        change = row["difference"]
        print(f"{words:32s} {row['before']['mean']:.4f} {row['after']['mean']:.4f} {change['ci95']}", end=" ")
        print(f"p5 {row['before']['p5']:.3f} {row['after']['p5']:.3f}")


if __name__ == "__main__":
    main()
