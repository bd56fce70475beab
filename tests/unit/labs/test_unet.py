"""Problems of the lab "Build the U-Net": a right answer gets nothing, each wrong one a sentence."""

import numpy as np
import pytest
from keras import layers

from cxrseg.labs import unet


def double(x, width, times=2):
    for _ in range(times):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    return x


def transposed(x, width):
    return layers.Conv2DTranspose(width, 2, strides=2)(x)


def step_up(x, skip, width):
    return double(layers.Concatenate()([transposed(x, width), skip]), width)


def counted(width, depth, bias=1, skips=2, transposed=1, output=1):
    """Count the network level by level, with parts left out as a student may forget them."""
    total, before = 0, 1
    for level in range(depth):
        now = width * 2**level
        total += (9 * before + bias) * now + (9 * now + bias) * now
        before = now
    for level in range(depth - 1):
        now = width * 2**level
        total += transposed * (8 * now + bias) * now + (9 * skips * now + bias) * now + (9 * now + bias) * now
    return total + output * (width + bias)


@pytest.mark.parametrize(
    ("problem", "right", "wrong"),
    [
        (unet.bottom, [(16, 256)], [(64, 16), (16, 16), (16, 64), (32, 256), (0, 0)]),
        (
            unet.convolution,
            [(lambda k, i, o: k * k * i * o + o,)],
            [
                (lambda k, i, o: k * k * i * o,),
                (lambda k, i, o: k * k * i * o + 1,),
                (lambda k, i, o: (k * k + 1) * o,),
                (lambda k, i, o: (k * i + 1) * o,),
                (lambda k, i, o: None,),
            ],
        ),
        (
            unet.step_up,
            [(step_up,), (lambda x, skip, w: double(layers.Concatenate()([skip, transposed(x, w)]), w),)],
            [
                (lambda x, skip, w: None,),
                (lambda x, skip, w: double(x, w),),
                (lambda x, skip, w: double(transposed(x, w), w),),
                (lambda x, skip, w: double(layers.Add()([transposed(x, w), skip]), w),),
                (lambda x, skip, w: double(layers.Concatenate()([transposed(x, w), skip]), w, 1),),
                (lambda x, skip, w: double(layers.Concatenate()([layers.UpSampling2D(2)(x), skip]), w),),
            ],
        ),
        (
            unet.whole,
            [(counted,)],
            [
                (lambda w, d: counted(w, d, bias=0),),
                (lambda w, d: counted(w, d, skips=1),),
                (lambda w, d: counted(w, d, transposed=0),),
                (lambda w, d: counted(w, d, output=0),),
                (lambda w, d: 7_759_521,),
                (lambda w, d: None,),
            ],
        ),
        (unet.what_changes, [(7_759_521, 1 / 4)], [(4 * 7_759_521, 1 / 4), (7_759_521, 1 / 2), (7_759_521, 1 / 8)]),
        (
            unet.unsure,
            [(lambda p: np.mean(abs(p - 0.5) <= 0.4),)],
            [
                (lambda p: np.mean(abs(p - 0.5) > 0.4),),
                (lambda p: np.sum(abs(p - 0.5) <= 0.4),),
                (lambda p: np.mean(p >= 0.1),),
                (lambda p: None,),
            ],
        ),
    ],
)
def test_problem(problem, right, wrong):
    assert [problem(*answers) for answers in right] == [""] * len(right)
    assert all(problem(*answers) for answers in wrong)


def test_what_was_forgotten_is_named():
    assert "skip" in unet.whole(lambda w, d: counted(w, d, skips=1))
    assert "transposed" in unet.whole(lambda w, d: counted(w, d, transposed=0))
    assert "1 x 1" in unet.whole(lambda w, d: counted(w, d, output=0))
    assert "not used" in unet.step_up(lambda x, skip, w: double(transposed(x, w), w))


def test_the_count_by_hand_is_the_paper_s():
    # 320 + 9,248 + 18,496 + 36,928 + 73,856 + 147,584 + 295,168 + 590,080 + 1,180,160 + 2,359,808 on the way down.
    assert counted(32, 5) == unet.PAPER == 7_759_521
