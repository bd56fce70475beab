"""The U-Net of the paper, written as a single function."""

import keras
from keras import layers


def unet(
    input_size: int = 256,
    structures: int = 1,
    base_filters: int = 32,
    depth: int = 5,
    *,
    growth: float = 2,
    stride: int = 1,
    batch_norm: bool = False,
) -> keras.Model:
    """Build a U-Net with the layers of the paper; the defaults give 7,759,521 parameters.

    Each level has two 3x3 convolutions with ReLU. The encoder downsamples by 2x2 max-pooling. The decoder
    upsamples by a 2x2 transposed convolution of stride 2 and concatenates the encoder's features of the same
    level (Ronneberger et al. 2015, but with same-padding and half as many channels).

    Parameters
    ----------
    input_size : int
        Side of the square input in pixels, a multiple of ``stride * 2 ** (depth - 1)``.
    structures : int
        Number of output channels, each with an independent sigmoid.
    base_filters : int
        Number of channels at the first level.
    depth : int
        Number of resolution levels, including the lowest.
    growth : float
        Factor by which the number of channels grows from one level to the next lower one.
    stride : int
        With 2, a strided convolution first halves the input, and the output is interpolated back to full size.
    batch_norm : bool
        Whether to insert batch normalisation between each 3x3 convolution and its ReLU.

    Returns
    -------
    keras.Model
        Maps (batch, size, size, 1) float to (batch, size, size, structures) float32
        probabilities.

    Raises
    ------
    ValueError
        `input_size` is not a multiple of ``stride * 2 ** (depth - 1)``.

    References
    ----------
    Ronneberger, Fischer & Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation,
    MICCAI 2015, doi 10.1007/978-3-319-24574-4_28.
    """
    step = stride * 2 ** (depth - 1)
    if input_size % step:
        raise ValueError(
            f"input_size {input_size} does not suit depth {depth} and stride {stride}: use a multiple of {step}"
        )
    widths = [round(base_filters * growth**level) for level in range(depth)]  # 32 64 128 256 512

    def double_convolution(x, width, name):
        for part in "ab":
            if batch_norm:
                x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_{part}")(x)
                x = layers.BatchNormalization(momentum=0.95, name=f"{name}_{part}_norm")(x)
                x = layers.ReLU(name=f"{name}_{part}_relu")(x)
            else:
                x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"{name}_{part}")(x)
        return x

    image = keras.Input((input_size, input_size, 1), name="image")  # 256 256 1
    x, skips = image, []
    if stride > 1:
        x = layers.Conv2D(widths[0], 2 * stride, stride, padding="same", name="stem")(x)
    for level, width in enumerate(widths[:-1]):
        x = double_convolution(x, width, f"down{level}")  # 256 256 32 | 128 128 64 | 64 64 128 | 32 32 256
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"down{level}_pool")(x)  # 128 | 64 | 32 | 16
    x = double_convolution(x, widths[-1], "bottom")  # 16 16 512
    for level in reversed(range(depth - 1)):
        width = widths[level]
        x = layers.Conv2DTranspose(width, 2, strides=2, name=f"up{level}_transpose")(x)  # 32 32 256 | … | 256 256 32
        x = layers.Concatenate(name=f"up{level}_concatenate")([x, skips[level]])  # 32 32 512 | … | 256 256 64
        x = double_convolution(x, width, f"up{level}")  # 32 32 256 | … | 256 256 32
    # The output is float32 under every policy, because 16 bits are too coarse near 0 and 1 for the loss.
    activation = "sigmoid" if stride == 1 else None
    x = layers.Conv2D(structures, 1, activation=activation, dtype="float32", name="output")(x)  # 256 256 1
    if stride > 1:
        x = layers.UpSampling2D(stride, interpolation="bilinear", dtype="float32", name="whole_size")(x)
        x = layers.Activation("sigmoid", dtype="float32", name="probability")(x)
    return keras.Model(image, x, name="unet")


def layer_table(model: keras.Model):
    """Tabulate the layers, as in Fig 3.2 of the paper: name, kind, output shape and number of parameters.

    Returns
    -------
    pandas.DataFrame
        One row per layer, with columns ``layer``, ``kind``, ``output`` (height x width x channels) and ``parameters``.
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
