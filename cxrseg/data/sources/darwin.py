"""V7's COVID-19 chest X-ray dataset on Darwin: 6,504 images with polygons (github.com/v7labs/covid-19-xray-dataset).

Layout: ``…/images/*`` and ``…/annotations/*.json`` in the format Darwin JSON, version 1 or 2, a file for each image. It
names the image, tags the disease, and has a polygon for each annotation called ``Lung``. These lungs include what lies
behind the heart, so that scores cannot be compared with those of other sets. Images without a lung (lateral
radiographs, CT) are left out. Patients are not identified.
"""

import json
from collections import Counter
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image as Picture
from PIL import ImageChops, ImageDraw

from cxrseg.config import DataConfig
from cxrseg.data.cases import About, Case, class_name, is_class
from cxrseg.data.pairing import check_known, refuse, sample_cases
from cxrseg.data.read import archive
from cxrseg.data.read.images import SUFFIXES, check_size

ABOUT = About(
    "6,504",
    "CC BY 4.0",
    "darwin dataset pull v7-labs/covid-19-chest-x-ray-dataset:all-images",
    "the lungs include what lies behind the heart: scores cannot be compared with those of other sets",
)
_EXPECTED = "the folder or ZIP of V7's dataset (images/* and annotations/*.json)"


def cases(config: DataConfig) -> list[Case]:
    """List the images that have an outlined lung, and print how their outlines differ.

    Parameters
    ----------
    config : DataConfig
        `path` names the folder or ZIP; `cases_per_class` and `seed` are used; `structures` can only be lungs.

    Returns
    -------
    list of Case
        By annotation file. The class is COVID or Normal where a tag says so, Non-COVID for other pneumonia, else
        ``"other"``.

    Raises
    ------
    ValueError
        No such data, a damaged annotation file, another structure, an unknown class, or too few cases of a class.
    """
    check_known("data.structures (source darwin)", config.structures, ["lungs"])
    path = archive.existing(config.path, "darwin", _EXPECTED)
    names = list(map(PurePosixPath, archive.list_files(path)))
    images: dict[str, list[PurePosixPath]] = {}
    for name in names:
        if name.suffix.lower() in SUFFIXES and "images" in name.parts:
            images.setdefault(name.name, []).append(name)
    annotations = [str(name) for name in names if name.suffix.lower() == ".json"]
    stems = Counter(PurePosixPath(annotation).stem for annotation in annotations)
    if not images or not annotations:
        raise ValueError(f"{path}: no images and annotations of V7's dataset; expected {_EXPECTED}")
    read = {annotation: _annotation(path, annotation) for annotation in annotations}
    titles = Counter(PurePosixPath(title).name for title, *_ in read.values())
    listed = []
    for annotation, (title, _, paths, tags) in read.items():
        if not paths:
            continue
        place, named = PurePosixPath(annotation), PurePosixPath(title)
        fits = images.get(named.name, [])
        if len(fits) > 1 or titles[named.name] > 1:
            fits = _in_its_folder(place, named, fits)
        why = f"{len(fits)} of images/ fit its image {title}" if len(fits) > 1 else f"its image {title} is missing"
        refused = partial(refuse, f"{path}/{annotation}: {why}; expected one in images/")
        listed.append(
            Case(
                place.stem if stems[place.stem] == 1 else str(place.with_suffix("")),
                _label(tags),
                partial(archive.radiograph, path, str(fits[0])) if len(fits) == 1 else refused,
                {"lungs": partial(outline, path, annotation)},
            )
        )
    if not listed:
        raise ValueError(f"{path}: no annotation outlines a lung; expected {_EXPECTED}")
    print(
        f"{path.name}: {len(annotations) - len(listed)} of {len(annotations)} images have no outlined lung", flush=True
    )
    print(f"note: {ABOUT.outlines}", flush=True)
    return sample_cases(listed, config)


def outline(path: Path, name: str) -> np.ndarray:
    """Draw the lungs of an annotation file.

    Returns
    -------
    (height, width) bool array
        The union of the lungs. Where the outlines of one lung overlap, the inner one is a hole.

    Raises
    ------
    ValueError
        An outline is no polygon.
    """
    _, (width, height), polygons, _ = _annotation(path, name)
    check_size(width, height, f"{path}/{name}")
    mask = Picture.new("1", (width, height))
    for outlines in polygons:
        lung = Picture.new("1", (width, height))
        for points in outlines:
            if len(points) < 3 or not np.isfinite(points).all():
                raise ValueError(f"{path}/{name}: an outline is no polygon; expected three points or more, all finite")
            part = Picture.new("1", (width, height))
            ImageDraw.Draw(part).polygon(points, fill=1)
            lung = ImageChops.logical_xor(lung, part)
        mask = ImageChops.logical_or(mask, lung)
    return np.asarray(mask.convert("L")) > 0  # a 1-bit picture becomes booleans stored as 255


def _in_its_folder(annotation: PurePosixPath, named: PurePosixPath, images: list[PurePosixPath]) -> list[PurePosixPath]:
    """Return the images in the folder that an annotation names, or else in one that is called as its own is."""
    said = [image for image in images if image.parts[-len(named.parts) :] == named.parts and len(named.parts) > 1]
    return said or [image for image in images if _below(image, "images") == _below(annotation, "annotations")]


def _below(file: PurePosixPath, folder: str) -> tuple[str, ...]:
    """Return the folders of a file below the last one of this name."""
    parts = file.parts[:-1]
    return parts[len(parts) - parts[::-1].index(folder) :] if folder in parts else parts


def _annotation(path: Path, name: str) -> tuple[str, tuple[int, int], list[list[list[tuple]]], list[str]]:
    """Return the image's name in its folder, its width and height, the outlines of each lung, and the tags."""
    try:
        content = json.loads(archive.content(path, name))
        item = content.get("image") or content["item"]
        size = item if "width" in item else item["slots"][0]
        title = f"{item.get('path') or ''}/{item.get('filename') or item['name']}".lstrip("/")
        polygons, tags = [], []
        for annotation in content["annotations"]:
            shape = annotation.get("polygon") or annotation.get("complex_polygon")
            if "tag" in annotation:
                tags.append(str(annotation["name"]))
            elif shape and annotation["name"].strip().casefold() == "lung":
                outlines = shape.get("paths") or shape["path"]
                outlines = [outlines] if isinstance(outlines[0], dict) else outlines
                outlines += shape.get("additional_paths") or []
                polygons.append([[(float(point["x"]), float(point["y"])) for point in line] for line in outlines])
        return title, (int(size["width"]), int(size["height"])), polygons, tags
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"{path}/{name}: not an annotation in Darwin JSON ({error!r}); expected {_EXPECTED}") from None


def _label(tags: list[str]) -> str:
    said = [tag.casefold() for tag in tags]
    if known := [class_name(tag) for tag in tags if is_class(tag)]:
        return known[0]
    if any("healthy" in tag or "no pneumonia" in tag for tag in said):
        return "Normal"
    return "Non-COVID" if any("pneumonia" in tag for tag in said) else "other"
