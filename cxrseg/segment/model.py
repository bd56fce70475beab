"""Segment radiographs with an exported network, as returned by `cxrseg.load_model`."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cxrseg import models
from cxrseg.data.read.images import Source, pixel_spacing, read_radiograph, source_name
from cxrseg.data.square import fitted
from cxrseg.evaluate import quality
from cxrseg.evaluate.predict import Network, Prediction, in_pixels, predict_image
from cxrseg.measure.heart import content, extent, ratio, refusal
from cxrseg.measure.lungs import lung_areas
from cxrseg.models import LUNGS, ModelCard
from cxrseg.segment.checks import objections, strange, warning
from cxrseg.segment.orientation import orientation


class Segmentation(NamedTuple):
    """Segmentation of one radiograph. Left and right are the patient's: the left lung is on the right of the image.

    Attributes
    ----------
    image : (height, width) uint8 array
        The radiograph, from 0 (black) to 255 (white).
    masks : dict of str to (height, width) bool array
        Mask of each structure at the native resolution of the radiograph. The default model finds ``"lungs"``, the
        union of ``"right_lung"`` and ``"left_lung"``, and ``"heart"``.
    left_px, right_px : int
        Areas of the left and the right lung in pixels.
    heart_px : int or None
        Area of the heart in pixels, or None if the network does not segment the heart.
    left_mm2, right_mm2, heart_mm2 : int or None
        The same areas in square millimetres, or None if the file does not state its pixel spacing.
    ctr : float or None
        Cardiothoracic ratio, see `cxrseg.measure.heart`, or None if the network does not segment the heart or the
        outlines do not give one.
    ctr_refused : str
        Why the outlines do not give a cardiothoracic ratio; otherwise empty.
    predicted_dice : float
        Predicted Dice, 0 to 1, between the mask of the lungs and one drawn by a person: see `cxrseg.evaluate.quality`.
    warning : str
        One-line warning about a doubtful result; empty if nothing is doubtful.
    """

    image: np.ndarray
    masks: dict[str, np.ndarray]
    left_px: int
    right_px: int
    heart_px: int | None
    left_mm2: int | None
    right_mm2: int | None
    heart_mm2: int | None
    ctr: float | None
    ctr_refused: str
    predicted_dice: float
    warning: str

    @property
    def mask(self) -> np.ndarray:
        """Mask of the lungs."""
        return self.masks["lungs"]


@dataclass(frozen=True)
class Model:
    """An exported network and its card.

    Attributes
    ----------
    network : cxrseg.evaluate.predict.Network
    card : cxrseg.models.ModelCard
        Training data, scores, and the threshold of the network.
    """

    network: Network
    card: ModelCard

    def segment(self, radiograph: Source | np.ndarray, threshold: float | None = None) -> Segmentation:
        """Segment lungs and heart in one frontal chest X-ray.

        Parameters
        ----------
        radiograph : path, bytes, binary file object or (height, width) uint8 array
            A PNG, JPEG, BMP, TIFF or DICOM file, or its pixels as `cxrseg.data.read.images.read_radiograph` returns
            them.
        threshold : float, optional
            Lowest probability, 0 to 1, at which a pixel belongs to a structure. The default is that of the model
            card.

        Returns
        -------
        Segmentation

        Raises
        ------
        ValueError
            The file cannot be read, the array is not (height, width) uint8, or the image is blank. The message is
            one line.
        """
        spacing = None
        if isinstance(radiograph, np.ndarray):
            image = radiograph
            if image.ndim != 2 or image.dtype != np.uint8 or not image.size:
                raise ValueError(f"expected a (height, width) uint8 array, got {image.dtype} of shape {image.shape}")
        else:
            image, spacing = read_radiograph(radiograph), pixel_spacing(radiograph)
        if image.min() == image.max():
            name = source_name(radiograph, None) if not isinstance(radiograph, np.ndarray) else "image"
            raise ValueError(f"{name}: every pixel has one grey ({image.min()}); expected a radiograph")
        threshold = self.card.threshold if threshold is None else threshold
        found = predict_image(self.network, image, threshold, self.card.pieces)
        masks = _by_name(found, in_pixels(found, threshold, image.shape))
        lungs, levels = masks["lungs"], found.levels[..., 0]
        if set(LUNGS) <= set(masks):
            right, left = (int(np.count_nonzero(masks[side])) for side in LUNGS)
        else:
            right, left = lung_areas(lungs, levels)
        heart = int(np.count_nonzero(masks["heart"])) if "heart" in masks else None
        small = in_pixels(found, threshold, fitted(image.shape, self.network.grid))[..., 0]
        reasons = objections(small, left, right)
        seems = orientation(self.network, self.card.confidence, found.square, levels)
        score = quality.predict(levels / 255, found.square, threshold)
        ctr, refused = None, ""
        if heart is not None:
            on_square = _by_name(found, found.masks)
            columns = content(found.square, image.shape)
            refused = strange(reasons, seems) or refusal(on_square["heart"], on_square["lungs"], columns)
            ctr = None if refused else ratio(extent(masks["heart"]), extent(masks["lungs"]))
            if ctr is None and not refused:
                refused = "the picture is too small"

        def square_mm(pixels: int | None) -> int | None:
            return round(pixels * spacing[0] * spacing[1]) if spacing and pixels is not None else None

        return Segmentation(
            image=image,
            masks=masks,
            left_px=left,
            right_px=right,
            heart_px=heart,
            left_mm2=square_mm(left),
            right_mm2=square_mm(right),
            heart_mm2=square_mm(heart),
            ctr=ctr,
            ctr_refused=refused,
            predicted_dice=score,
            warning=warning(score, reasons, seems),
        )


def _by_name(found: Prediction, masks: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(found.structures, np.moveaxis(masks, -1, 0), strict=True))


def load_model(name: str = models.DEFAULT) -> Model:
    """Load the network that comes with the package, or the one that ``cxrseg export`` wrote for a run.

    Parameters
    ----------
    name : str
        ``"default"``, or the name of an exported run in the checkout of the current directory.

    Returns
    -------
    Model

    Raises
    ------
    FileNotFoundError
        The network does not exist.
    ValueError
        The first structure of the network is not the lungs, of which everything else is measured, or its file is
        damaged.
    RuntimeError
        onnxruntime is not installed.

    Examples
    --------
    >>> model = load_model()
    >>> result = model.segment(np.arange(64 * 48).reshape(64, 48).astype(np.uint8))
    >>> result.mask.shape
    (64, 48)
    """
    card = models.card(name)
    if card.structures[0] != "lungs":
        raise ValueError(
            f"run {name!r} segments {', '.join(card.structures)}: expected lungs as the first of data.structures"
        )
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise RuntimeError("onnxruntime is not installed: pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one radiograph per core is faster than all cores on one
    options.log_severity_level = 3
    file = models.graph_file(name)
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no class of their own
        remedy = "install cxrseg again" if name == models.DEFAULT else f"export the run again: cxrseg export {name}"
        raise ValueError(f"{file}: cannot be read ({error}); if it is damaged, {remedy}") from None
    probability = lambda inputs: session.run(["probability"], {"image": inputs})[0]  # noqa: E731
    return Model(Network(card.input_size, probability, card.structures), card)
