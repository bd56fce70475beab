"""Command-line interface. Each command imports heavy packages only when needed, so that help appears at once."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cxrseg import models
from cxrseg.terminal import label_values, plain_errors, say, say_segmented, say_version, silent_start

app = typer.Typer(
    name="cxrseg",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

SET = "Radiographs with masks: folder:PATH, csv:FILE, a set of `cxrseg sources`, or run:NAME, the data of a run."
Cores = Annotated[int | None, typer.Option(min=1, help="Processor cores to use.", show_default="all")]
Profile = Annotated[str, typer.Option(help="A folder of profiles/: local, gpu or slurm.")]


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=say_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Lung segmentation in chest X-rays, as a study that anybody can run again. Not a medical device."""


@app.command()
def run(
    study: Annotated[str, typer.Argument(help="A study of studies/ by name, or a YAML file.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key, e.g. train.epochs=30. Repeatable."),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the run.", show_default="the study's")] = "",
    data: Annotated[str, typer.Option(metavar="PATH", help="Archive or folder with the study's radiographs.")] = "",
    cores: Cores = None,
    profile: Profile = "",
) -> None:
    """Run a study, from radiographs to scores.

    Writes runs/NAME/. An interrupted run continues where it stopped. The keys for --set are in cxrseg/config.py.
    If a key lists several values, as in train.base_filters=[8,16,32], each gets its own run, e.g. NAME-base_filters=8.
    """
    with plain_errors(resumable=True):
        from cxrseg import paths, runs, workflow
        from cxrseg.studies import data_override, read_sweep

        sweep = read_sweep(paths.study_file(study), [*(set_ or []), *data_override(data)])
        studies = {(name or content.name) + suffix: content for suffix, content in sweep.items()}
        runs.start(studies)
        workflow.execute(list(studies), "all", cores, profile)
        for run in studies:
            say(runs.summary(run))
        if len(studies) > 1:
            print(f"side by side: cxrseg compare {' '.join(studies)}")
        print(f"report: cxrseg book {next(iter(studies))}")


@app.command()
def book(
    study: Annotated[str, typer.Argument(help="A study of studies/, or the name of a run.")] = "demo",
    cores: Cores = None,
) -> None:
    """Render the report of a run or a study.

    A study is run first if needed; if it has radiographs of its own, `cxrseg run STUDY --data PATH` comes before. A run
    is shown with the parameters that it was made with.
    For a sweep, the report is that of the first run, and its page 04 compares all runs.
    """
    with plain_errors(resumable=True):
        from cxrseg import paths, runs, workflow
        from cxrseg.studies import read_sweep

        names = [study]
        if not paths.study_file(study).is_file() and not paths.run(study).is_dir():
            raise ValueError(f"no study and no run {study!r}: see `cxrseg studies`, and the folders of {paths.run('')}")
        if paths.study_file(study).is_file() or not (paths.run(study) / "study.yml").is_file():
            studies = {
                content.name + suffix: content for suffix, content in read_sweep(paths.study_file(study)).items()
            }
            # A run is shown as it was made, with what --set and --data changed.
            studies = {name: runs.as_made(name, content) for name, content in studies.items()}
            runs.start(studies)
            names = list(studies)
        workflow.execute(names, "book", cores)
        print(f"open {paths.root() / '_build' / 'html' / 'index.html'}")


@app.command()
def evaluate(
    run: Annotated[str, typer.Argument(help="A run, or default: the model that comes with cxrseg.")],
    on: Annotated[str, typer.Option(metavar="SOURCE:PATH", help=SET)],
    labels: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE,…", help="Values of a structure in label maps, e.g. lungs=1,2."),
    ] = None,
    native: Annotated[bool, typer.Option("--native", help="Score each mask in its own pixels.")] = False,
) -> None:
    """Score a run on another set of radiographs.

    Writes runs/RUN/external/, which `cxrseg book RUN` shows. Masks are scored on a square of 256 pixels, as those of a
    study, so that distances can be compared.
    """
    with plain_errors():
        from cxrseg import runs

        if run != models.DEFAULT:
            runs.study(run)
        with silent_start():
            import keras  # noqa: F401  # its back end greets at the first import

            from cxrseg.data import sets
            from cxrseg.evaluate import external
            from cxrseg.segment import agreement

        values = label_values(labels or [])
        say(external.evaluate_external(run, *sets.parse(on), native, values, agreement.doubt_cases))


@app.command()
def matrix(
    runs_: Annotated[
        list[str], typer.Option("--runs", metavar="RUN,…", help="Evaluated runs, e.g. a,b; default not first.")
    ],
    on: Annotated[list[str], typer.Option(metavar="SOURCE:PATH", help=f"{SET} Give it once for each set.")],
    cores: Cores = None,
    profile: Profile = "",
) -> None:
    """Score several runs on several sets.

    matrix.csv and matrix.png, with runs as rows and sets as columns, are written to the first run's folder and shown in
    its book. A set from which a run was made gets the score of that run's own test cases, and is marked.
    """
    with plain_errors(resumable=True):
        from cxrseg import runs, workflow
        from cxrseg.report import matrix as scores

        names = [run for given in runs_ for name in given.split(",") for run in runs.expand(name)]
        request = scores.start(names, on)
        failure = None
        try:
            workflow.execute([name for name in names if name != models.DEFAULT], "matrix", cores, profile)
        except workflow.StageFailed as error:
            failure = error
        print(scores.finish(request))
        if failure:
            raise failure


@app.command()
def fetch(
    dataset: Annotated[str, typer.Argument(help="rsua: the RSUA Chest X-Ray Dataset, 35 MB.")],
    listing: Annotated[
        str, typer.Option(metavar="URL", help="File listing to read.", show_default="the publisher's")
    ] = "",
) -> None:
    """Download the paper's data and check it against its publisher's listing. An interrupted download continues."""
    with plain_errors(resumable=True):
        if dataset != "rsua":
            raise ValueError(f"cannot fetch {dataset!r}, only rsua; `cxrseg sources` says how to get the other sets")
        from cxrseg.data.sources import rsua

        print(rsua.fetch(listing) if listing else rsua.fetch())
        print("next: cxrseg run paper")


@app.command()
def compare(
    names: Annotated[
        list[str], typer.Argument(metavar="RUN…", help="Evaluated runs, or a sweep; the first is the reference.")
    ],
) -> None:
    """Compare the Dice of runs, with intervals and tests, case by case if they share cases."""
    with plain_errors():
        from cxrseg import runs
        from cxrseg.evaluate import compare as comparison

        print(comparison.report([run for name in names for run in runs.expand(name)]))


@app.command()
def publish(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Experiments of experiments/, or all.")],
    data: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder with the archives of experiments/sets.yml.")
    ] = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Compare with what is published, and publish nothing.")
    ] = False,
    cores: Cores = None,
    profile: Profile = "",
) -> None:
    """Measure the numbers that the book quotes.

    NAME is a file of experiments/ without its ending. Overwrites book/published/, and starts only if no file differs
    from the commit; --check only lists what differs. It may take many hours; the same command continues after a stop.
    """
    with plain_errors(resumable=True):
        from cxrseg.publish import command

        command.publish(names, data, check, cores, profile)


@app.command()
def export(run: Annotated[str, typer.Argument(help="An evaluated run.")]) -> None:
    """Export the network of a run's first fold as model.onnx and model.json, for `cxrseg segment`."""
    with plain_errors():
        from cxrseg import runs

        runs.summary(run)
        with silent_start():
            from cxrseg.segment.export import export

            card = export(run)
        file = models.graph_file(run)
        print(
            f"{file}: {file.stat().st_size:,} bytes; the masks agree with Keras' "
            f"(Dice {card.agreement['dice']:.5f} on the worst of {card.agreement['cases']} cases)"
        )
        if card.structures[0] == "lungs":
            print(f"next: cxrseg segment IMAGE --run {run}")


@app.command(epilog=models.about_default())
def segment(
    files: Annotated[list[str], typer.Argument(metavar="IMAGE…", help="Files, folders or patterns.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("segmentations"),
    run: Annotated[str, typer.Option(help="An exported run, or the model that comes with cxrseg.")] = "default",
    threshold: Annotated[
        float | None,
        typer.Option(min=0.01, max=0.99, help="Lowest probability inside a structure.", show_default="the network's"),
    ] = None,
    structure: Annotated[
        str, typer.Option(help="Structure of the mask: lungs, right_lung, left_lung or heart.")
    ] = "lungs",
    crop: Annotated[bool, typer.Option("--crop", help="Also save the radiograph cropped to the structure.")] = False,
    dicom_seg: Annotated[
        bool, typer.Option("--dicom-seg", help="Also save all structures of DICOM files as DICOM Segmentation objects.")
    ] = False,
) -> None:
    """Segment lungs and heart in radiographs of your own.

    Reads PNG, JPEG, BMP, TIFF and DICOM. For each radiograph, write a mask at its native resolution, an overlay, and a
    row in segmentations.csv with the areas of both lungs and the heart, and the cardiothoracic ratio. Left and right
    are the patient's: the left lung is on the right of the image.
    """
    # Each core works on one radiograph, so additional linear-algebra threads would only compete for the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with plain_errors():
        from tqdm import tqdm

        from cxrseg import load_model
        from cxrseg.segment.files import find_files, segment_files

        model = load_model(run)
        print(model.card.describe())
        found, problems = find_files(files, out)
        results = segment_files(model, found, out, threshold, structure, crop, dicom_seg) if found else ()
        rows, failed = say_segmented(tqdm(results, total=len(found), unit="image", disable=None, leave=False), out)
        if dicom_seg and rows:
            print(f"{sum('dicom_seg' in row for row in rows)} of them are DICOM and have a DICOM Segmentation object")
        if problems + failed:
            raise ValueError("\nerror: ".join(problems + failed))


@app.command()
def sources() -> None:
    """List the sets of radiographs that can be read, their licences, and how to get them."""
    with plain_errors():
        from cxrseg.data.sources import SOURCES

        for name, module in SOURCES.items():
            about = module.ABOUT
            print(f"{name}: {about.cases} cases; licence: {about.licence}; to get it: {about.get}")
            if about.outlines:
                print(f"  its masks: {about.outlines}")


@app.command()
def studies() -> None:
    """List the studies, one line each."""
    with plain_errors():
        from cxrseg import paths
        from cxrseg.studies import read_sweep

        for file in sorted((paths.root() / "studies").glob("*.yml")):
            first, *others = read_sweep(file).values()
            print(f"{file.stem:12s} {first.title}{f' (a sweep of {len(others) + 1} runs)' if others else ''}")


if __name__ == "__main__":
    app()
