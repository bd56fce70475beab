"""Build the network of a training configuration, with its optimiser, loss and metrics."""

import keras
from keras import ops

from cxrseg.config import TrainConfig
from cxrseg.train.unet import unet


def network(config: TrainConfig, structures: int) -> keras.Model:
    """Build the U-Net of a configuration under the current Keras precision policy.

    Parameters
    ----------
    config : TrainConfig
    structures : int
        Number of output channels.

    Returns
    -------
    keras.Model
        The model returned by `cxrseg.train.unet.unet`.
    """
    return unet(
        config.input_size,
        structures,
        config.base_filters,
        config.depth,
        growth=config.growth,
        stride=config.stride,
        batch_norm=config.batch_norm,
    )


def compile_network(config: TrainConfig, structures: int, precision: str, steps_per_epoch: int) -> keras.Model:
    """Build and compile the network of a configuration, with initial weights drawn from its seed."""
    keras.utils.set_random_seed(config.seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        model = network(config, structures)
    finally:  # other networks of this process have a precision of their own
        keras.config.set_dtype_policy(usual)
    rate = config.learning_rate
    if config.schedule == "cosine":
        steps = steps_per_epoch * config.epochs
        warmup = min(100, steps // 10)
        # Weight averaging helps only while the weights still change, so the learning rate stays higher.
        lowest = 0.3 if config.averaging else 0.02
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 20, steps - warmup, alpha=lowest, warmup_target=rate, warmup_steps=warmup
        )
    model.compile(keras.optimizers.Adam(rate), LOSSES[config.loss], metrics=["binary_accuracy", dice])
    model.optimizer.build(model.trainable_variables)
    return model


def cross_entropy_dice(truth, probability):
    """Return binary cross-entropy plus one minus the soft Dice, averaged over structures; shape (batch,)."""
    truth = ops.cast(truth, "float32")
    entropy = ops.mean(ops.binary_crossentropy(truth, probability), axis=(1, 2, 3))
    common = ops.sum(truth * probability, axis=(1, 2))
    total = ops.sum(truth, axis=(1, 2)) + ops.sum(probability, axis=(1, 2))
    return entropy + 1 - ops.mean((2 * common + 1) / (total + 1), axis=-1)  # the 1s define 0/0


def dice(truth, probability):
    """Return the Dice of each image at threshold 0.5, averaged over structures; shape (batch,)."""
    truth = ops.cast(truth, "float32")
    predicted = ops.cast(probability >= 0.5, "float32")
    common = ops.sum(truth * predicted, axis=(1, 2))
    total = ops.sum(truth, axis=(1, 2)) + ops.sum(predicted, axis=(1, 2))
    return ops.mean(ops.where(total > 0, 2 * common / ops.maximum(total, 1), 1), axis=-1)  # both empty: 1


LOSSES = {"cross_entropy": "binary_crossentropy", "cross_entropy_dice": cross_entropy_dice}
"""Loss functions by their name in ``train.loss``."""
