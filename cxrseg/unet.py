"""The U-Net of the paper, as one function to be read in one go."""

import keras
from keras import layers


def unet(
    input_size: int = 256, structures: int = 1, base_filters: int = 32, depth: int = 5, channels: int = 1
) -> keras.Model:
    """Build a U-Net with the paper's layers: 7,759,521 parameters at the defaults.

    Every level has two 3x3 convolutions with ReLU; 2x2 max-pooling leads down, a 2x2 transposed
    convolution of stride 2 leads up, and each level's features are concatenated on the way back
    (Ronneberger et al. 2015, with same-padding, and half the paper's number of channels).

    Parameters
    ----------
    input_size : int
        Side of the square input, pixels; a multiple of ``2 ** (depth - 1)``.
    structures : int
        Number of output channels, one independent sigmoid each.
    base_filters : int
        Channels of the first level; each level down has twice as many.
    depth : int
        Number of resolution levels, the lowest included.
    channels : int
        Channels of the input.

    Returns
    -------
    keras.Model
        Maps (batch, size, size, channels) float to (batch, size, size, structures) float32
        probabilities.

    Raises
    ------
    ValueError
        The input cannot be halved ``depth - 1`` times.

    References
    ----------
    Ronneberger, Fischer & Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation,
    MICCAI 2015, doi 10.1007/978-3-319-24574-4_28.
    """
    if input_size % 2 ** (depth - 1):
        raise ValueError(
            f"input_size {input_size} cannot be halved {depth - 1} times (depth {depth}): "
            f"use a multiple of {2 ** (depth - 1)}"
        )
    widths = [base_filters * 2**level for level in range(depth)]  # 32 64 128 256 512

    image = keras.Input((input_size, input_size, channels), name="image")  # 256 256 1
    x, skips = image, []
    for level, width in enumerate(widths[:-1]):
        x = _double_convolution(x, width, f"down{level}")  # 256 256 32 | 128 128 64 | 64 64 128 | 32 32 256
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"down{level}_pool")(x)  # 128 | 64 | 32 | 16
    x = _double_convolution(x, widths[-1], "bottom")  # 16 16 512
    for level in reversed(range(depth - 1)):
        width = widths[level]
        x = layers.Conv2DTranspose(width, 2, strides=2, name=f"up{level}_transpose")(x)  # 32 32 256 | … | 256 256 32
        x = layers.Concatenate(name=f"up{level}_concatenate")([x, skips[level]])  # 32 32 512 | … | 256 256 64
        x = _double_convolution(x, width, f"up{level}")  # 32 32 256 | … | 256 256 32
    # float32 whatever the policy: sixteen-bit probabilities near 0 and 1 would spoil the loss.
    probability = layers.Conv2D(structures, 1, activation="sigmoid", dtype="float32", name="probability")(x)
    return keras.Model(image, probability, name="unet")  # 256 256 1


def _double_convolution(x, width: int, name: str):
    for part in "ab":
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"{name}_{part}")(x)
    return x


def layer_table(model: keras.Model):
    """Return one row per layer, as the paper's Fig 3.2: name, kind, output shape, parameters.

    Returns
    -------
    pandas.DataFrame
        Columns ``layer``, ``kind``, ``output`` (height x width x channels) and ``parameters``.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "layer": layer.name,
            "kind": type(layer).__name__,
            "output": " x ".join(str(n) for n in layer.output.shape[1:]),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
    )
