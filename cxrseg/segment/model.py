"""Segment radiographs with an exported network, as returned by `cxrseg.load_model`."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cxrseg import models
from cxrseg.data.read.images import Source, pixel_spacing, read_radiograph, source_name
from cxrseg.data.square import fitted
from cxrseg.evaluate import quality
from cxrseg.evaluate.predict import Network, in_pixels, network_of, predict_image
from cxrseg.models import ModelCard
from cxrseg.segment.checks import objections, warning
from cxrseg.segment.measure import lung_areas
from cxrseg.segment.orientation import orientation


class Segmentation(NamedTuple):
    """Segmentation of one radiograph. Left and right are the patient's: the left lung is on the right of the image.

    Attributes
    ----------
    image : (height, width) uint8 array
        The radiograph, from 0 (black) to 255 (white).
    mask : (height, width) bool array
        Lung mask at the native resolution of the radiograph.
    left_px, right_px : int
        Areas of the left and the right lung in pixels.
    left_mm2, right_mm2 : int or None
        The same areas in square millimetres, or None if the file does not state its pixel spacing.
    predicted_dice : float
        Predicted Dice, 0 to 1, between the mask and one drawn by a person: see `cxrseg.evaluate.quality`.
    warning : str
        One-line warning about a doubtful result; empty if nothing is doubtful.
    """

    image: np.ndarray
    mask: np.ndarray
    left_px: int
    right_px: int
    left_mm2: int | None
    right_mm2: int | None
    predicted_dice: float
    warning: str


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
        """Segment the lungs in one frontal chest X-ray.

        Parameters
        ----------
        radiograph : path, bytes, binary file object or (height, width) uint8 array
            A PNG, JPEG, BMP, TIFF or DICOM file, or its pixels as `cxrseg.data.read.images.read_radiograph` returns
            them.
        threshold : float, optional
            Lowest probability, 0 to 1, at which a pixel is lung. The default is that of the model card.

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
        mask = in_pixels(found, threshold, image.shape)[..., 0]
        right, left = lung_areas(mask, found.levels[..., 0])
        score = quality.predict(found.levels[..., 0] / 255, found.square, threshold)
        seems = orientation(self.network, self.card.confidence, found.square, found.levels[..., 0])
        small = in_pixels(found, threshold, fitted(image.shape, self.network.grid))[..., 0]
        pixel = spacing[0] * spacing[1] if spacing else None
        return Segmentation(
            image=image,
            mask=mask,
            left_px=left,
            right_px=right,
            left_mm2=round(left * pixel) if pixel else None,
            right_mm2=round(right * pixel) if pixel else None,
            predicted_dice=score,
            warning=warning(score, objections(small, left, right), seems),
        )


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
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise RuntimeError("onnxruntime is not installed: pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one radiograph per core is faster than all cores on one
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(models.graph_file(name)), options, providers=["CPUExecutionProvider"])
    probability = lambda inputs: session.run(["probability"], {"image": inputs})[0]  # noqa: E731
    return Model(network_of(card.input_size, probability, card.structures), card)
