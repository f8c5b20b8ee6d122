"""Scores computed with TensorFlow straight from the SavedModel; run as a process of its own by the tests.

    python tests/support/reference_scores.py MODEL_DIR DATASET OUTPUT.npz

writes `scores` float32 (n, classes) and `labels` uint8 (n,).
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parents[2]))
import tfsload.datasets.dataset


def main(model_dir: str, dataset_name: str, output: str) -> None:
    dataset = tfsload.datasets.dataset.load(dataset_name)
    predict = tf.saved_model.load(model_dir).signatures["predict_images"]
    rows = dataset.images.reshape(len(dataset), -1).astype(np.float32) / np.float32(255)
    batches = [predict(images=tf.constant(rows[i : i + 500]))["scores"].numpy() for i in range(0, len(rows), 500)]
    np.savez(output, scores=np.concatenate(batches), labels=dataset.labels)


if __name__ == "__main__":
    main(*sys.argv[1:])
