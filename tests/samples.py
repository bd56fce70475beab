"""Small inputs that several unit tests share."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from pictures import dicom
from PIL import Image
from scipy.ndimage import gaussian_filter
from support import mask, picture

from cxrseg import models
from cxrseg.config import DataConfig, EvaluateConfig, TrainConfig
from cxrseg.data.cases import Case
from cxrseg.evaluate.predict import Network
from cxrseg.phantom import phantom
from cxrseg.segment.model import Model
from cxrseg.studies import read_study


def unpacked(path: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def config(source: str, path: Path | str, **options) -> DataConfig:
    return DataConfig(source=source, path=str(path), **options)


def quex_members(root: str = "Infection Segmentation Data/") -> dict[str, bytes]:
    members = {}
    for part, count in {"Train": 3, "Val": 1, "Test": 2}.items():
        for index, name in enumerate(("COVID-19", "Non-COVID", "Normal")):
            for number in range(1, count + 1):
                where = f"{root}{part}/{name}"
                file = f"{name} ({number}).png"
                members[f"{where}/images/{file}"] = picture(10 * index + number, "PNG")
                members[f"{where}/lung masks/{file}"] = mask(number, "PNG")
                empty = picture(0, "PNG")
                members[f"{where}/infection masks/{file}"] = mask(7, "PNG") if index == 0 else empty
    return members


def mask_column(case: Case, structure: str = "lungs") -> list[int]:
    return np.flatnonzero(case.masks[structure]()[0]).tolist()


RSUA_CLASSES = {"Covid": "COVID", "Non_Covid": "Normal", "Non_Covid_Pneumonia": "Non-COVID"}


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


CONFIG = EvaluateConfig(resamples=200)


def chest(height, width):
    """Return two ellipses as a mask: a larger one at the left, a smaller one at the right and higher up."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    y, x = y - height / max(height, width) / 2, x - width / max(height, width) / 2
    return ((x + 0.15) / 0.1) ** 2 + (y / 0.25) ** 2 < 1, ((x - 0.15) / 0.08) ** 2 + ((y + 0.05) / 0.2) ** 2 < 1


CARD = models.ModelCard(
    input_size=128, structures=["lungs"], threshold=0.5, pieces=0, study="demo", run="demo", trained_on="On nothing.",
    dataset_fingerprint="", commit="", seed=1, seconds=1, confidence=0.95, agreement={}, sha256="",
    scores={"dice": 0.9, "ci95": [0.88, 0.92], "cases": 12},
)  # fmt: skip


def bright(inputs):
    """Take what is bright for lung, and be sure of it."""
    return np.clip(20 * inputs - 9, 0, 1)


def dark(inputs):
    """Take what is dark for lung, but not black as a border is."""
    return np.where(inputs > 0.1, np.clip(8 - 20 * inputs, 0, 1), 0).astype(np.float32)


BRIGHT, DARK = (Model(Network(128, answer, ["lungs"]), CARD) for answer in (bright, dark))

LUNGS = phantom(7, 1, "Normal", 256).lungs
CHEST = np.where(LUNGS, 60, 170).astype(np.uint8)
PLACE = gaussian_filter(np.where(LUNGS, 255.0, 0), 3).astype(np.uint8)
"""Where lungs are expected, 0 to 255."""


def template(inputs):
    """Take for lung what is dark and where lungs are expected; be unsure of what is only one of the two."""
    return (np.where(inputs[..., 0] < 0.5, 255 + PLACE.astype(int), PLACE)[..., None] // 2 / np.float32(255)).astype(
        np.float32
    )


TEMPLATE = Network(256, template, ["lungs"])


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def planted_file(kind, folder):
    """Write a picture that is bright on two known ellipses; return the file and the mask as one sees it upright."""
    height, width = (700, 1100) if kind != "tall" else (1100, 600)
    right, left = chest(height, width)
    grey = np.where(right | left, 220, 20).astype(np.uint8)
    file = folder / f"{kind}.png"
    if kind == "sixteen":
        Image.fromarray(grey.astype(np.uint16) * 16).save(file)
    elif kind == "exif":
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned a quarter to the right when shown
        file = folder / "exif.jpg"
        Image.fromarray(np.rot90(grey)).save(file, exif=exif, quality=95)
    elif kind == "monochrome1":
        file = folder / "inverted.dcm"
        file.write_bytes(dicom(4095 - grey.astype(np.uint16) * 16, "MONOCHROME1"))
    else:
        Image.fromarray(grey).save(file)
    return file, right, left


def study(tmp_path, text="", *overrides):
    file = tmp_path / "mine.yml"
    file.write_text(text)
    return read_study(file, list(overrides))


SMALL = TrainConfig(input_size=32, base_filters=4, depth=3, epochs=4, augment=True, learning_rate=2e-3)


def weights(folder):
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    return np.concatenate([w.ravel() for w in model.get_weights()])


def organs(inputs):
    """Take one grey for lung, the patient's right one in the left half, and another one for heart."""
    right, heart = (np.clip(3 - 15 * np.abs(inputs - grey / 255), 0, 1).astype(np.float32) for grey in (60, 240))
    left, middle = right.copy(), inputs.shape[2] // 2
    right[:, :, middle:] = left[:, :, :middle] = 0
    return np.concatenate([right, left, heart], axis=-1)


ORGANS_CARD = replace(CARD, structures=["lungs", "right_lung", "left_lung", "heart"], pieces=2)
ORGANS = Model(Network(128, organs, ORGANS_CARD.structures), ORGANS_CARD)


def planted_organs(height, width):
    """Return a picture for `ORGANS`, and the masks of right lung, left lung and heart in it."""
    y, x = np.mgrid[:height, :width]
    right, left = chest(height, width)
    heart = ((x - 0.5 * width) / (0.09 * width)) ** 2 + ((y - 0.55 * height) / (0.2 * height)) ** 2 < 1
    heart &= ~(right | left)
    around = 155 + 10 * y // height  # no border, which is of one grey
    return np.select([right | left, heart], [60, 240], around).astype(np.uint8), right, left, heart
