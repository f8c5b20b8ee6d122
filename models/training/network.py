"""The network, and how it is taught.

Two convolutions with batch normalisation, each halving the image by its stride, and two dense layers. Strides
in place of pooling are for the server: with one image per request they save operations to start, and about a
third of the time.
"""

import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from models.training.augmentation import augment
from tfsload.datasets.dataset import IMAGE_SHAPE, Dataset

FILTERS = (16, 32)
"""Output channels of each convolution."""

KERNEL = 5
"""Rows and columns of each convolution's kernel, in pixels."""

STRIDE = 2
"""Pixels from one place of the kernel to the next, in both directions."""

DENSE_UNITS = 64
CLASSES = 10

_BATCH_IMAGES = 50
_LEARNING_RATE = 2e-3
_DROPOUT = (0.4, 0.3)


def build() -> tf.keras.Model:
    """Return the untrained network: float32 (n, 28, 28, 1) in 0..1 → logits float32 (n, 10)."""
    layers = tf.keras.layers
    network = tf.keras.Sequential([layers.Input((*IMAGE_SHAPE, 1))])
    for filters in FILTERS:
        network.add(layers.Conv2D(filters, KERNEL, STRIDE, padding="same", use_bias=False))
        network.add(layers.BatchNormalization())
        network.add(layers.ReLU())
    network.add(layers.Flatten())
    network.add(layers.Dropout(_DROPOUT[0]))
    network.add(layers.Dense(DENSE_UNITS, activation="relu"))
    network.add(layers.Dropout(_DROPOUT[1]))
    network.add(layers.Dense(CLASSES))
    return network


def train(dataset: Dataset, epochs: int, seed: int, report: Callable[[str], None]) -> tf.keras.Model:
    """Return a network taught `epochs` (at least 1) times with freshly augmented copies of the images.

    The seed fixes weights, order, dropout and augmentation: the same seed on the same kind of processor gives
    the same network. `report` is called with a line of progress after each epoch.
    """
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    random = np.random.default_rng(seed)
    images = dataset.images.astype(np.float32) / 255
    network = build()
    _compile(network, steps=epochs * -(-len(dataset) // _BATCH_IMAGES))
    for epoch in range(1, epochs + 1):
        began = time.monotonic()
        batch = augment(images, random)[..., None]
        history = network.fit(batch, dataset.labels, batch_size=_BATCH_IMAGES, verbose=0)
        loss, took_s = history.history["loss"][0], time.monotonic() - began
        report(f"epoch {epoch:3}/{epochs}  loss {loss:.4f}  {took_s:.1f} s")
    return network


def _compile(network: tf.keras.Model, steps: int) -> None:
    schedule = tf.keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(tf.keras.optimizers.Adam(schedule), loss)
