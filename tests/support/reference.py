"""What TensorFlow itself answers, and that a run came to the same."""

from dataclasses import dataclass

import numpy as np

from tfsload.analysis import exit_codes
from tfsload.records.confusion import ConfusionMatrix


def assert_equals_reference(ended, reference, n_images):
    """Hold a run against TensorFlow's own answers over the same images."""
    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert ended.outcome["predictions"] == n_images
    assert ended.outcome["confusion"] == reference.confusion(n_images).to_plain()
    assert ended.outcome["error_rate"] == reference.error_rate(n_images)
    assert ended.outcome["latency_count"] == ended.outcome["requests"]


@dataclass(frozen=True)
class Reference:
    """What TensorFlow itself answers to a data set.

    Attributes:
        scores: float32 (n, classes).
        labels: uint8 (n,).
    """

    scores: np.ndarray
    labels: np.ndarray

    def confusion(self, n_images: int) -> ConfusionMatrix:
        """Return the confusion matrix over the first images."""
        matrix = ConfusionMatrix()
        predicted = self.scores[:n_images].argmax(axis=1).tolist()
        matrix.add_all(self.labels[:n_images].tolist(), predicted)
        return matrix

    def error_rate(self, n_images: int) -> float:
        """Return the share of the first images that is answered wrongly."""
        return self.confusion(n_images).wrong / n_images
