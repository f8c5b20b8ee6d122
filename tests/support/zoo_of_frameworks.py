"""Models of the zoo as Keras 3 exports them, and as TensorFlow 1, its Estimators and its Hub save them."""

import numpy as np

from tests.support.zoo_model import CLASSIFY, DEFAULT, PREDICT, REGRESS, ZooModel

_TUTORIAL = {DEFAULT: CLASSIFY, "predict_images": PREDICT}
_ESTIMATOR = {DEFAULT: CLASSIFY, "classification": CLASSIFY, "regression": REGRESS, "predict": PREDICT}
_CLASSIFIED = {"method": CLASSIFY, "input": "inputs", "dtype": "DT_STRING", "shape": (-1,), "encoding": "example"}
_CLASSIFIED |= {"output": "classes", "gives": "labels", "outputs": ("classes", "scores")}
_KERAS = {DEFAULT: PREDICT, "serve": PREDICT}

OF_FRAMEWORKS = [
    # Keras 3, model.export
    ZooModel(
        name="keras_export",
        about="Keras 3's model.export",
        input="keras_tensor",
        shape=(-1, 28, 28),
        output="output_0",
        outputs=("output_0",),
        signatures=_KERAS,
    ),
    ZooModel(
        name="keras_tutorial",
        about="TF Serving's Keras tutorial: a convolution, logits",
        input="Conv1_input",
        shape=(-1, 28, 28, 1),
        output="output_0",
        gives="logits",
        outputs=("output_0",),
        signatures=_KERAS,
    ),
    ZooModel(
        name="keras_two_outputs",
        about="a functional Keras model with two heads",
        input="image",
        shape=(-1, 28, 28, 1),
        output="digit",
        outputs=("digit", "is_even"),
        signatures=_KERAS,
    ),
    ZooModel(
        name="keras_ensemble",
        about="a Keras model with a list of heads, such as GoogLeNet's: the first is the one that counts",
        input="image",
        shape=(-1, 28, 28, 1),
        output="output_0",
        outputs=("output_0", "output_1", "output_2"),
        signatures=_KERAS,
    ),
    ZooModel(
        name="autoencoder",
        about="the class, the image made again, and what lies between",
        input="image",
        shape=(-1, 28, 28, 1),
        output="digit",
        outputs=("digit", "latent", "reconstruction"),
        signatures=_KERAS,
    ),
    # TF1
    ZooModel(
        name="tutorial",
        about="TF Serving's mnist_saved_model.py; its placeholder has no shape, so that nothing behind it has one",
        signature="predict_images",
        shape=None,
        signatures=_TUTORIAL,
    ),
    ZooModel(
        name="tutorial_classify",
        about="the same, by its classify signature",
        model_name="tutorial",
        signatures=_TUTORIAL,
        **(_CLASSIFIED | {"shape": None}),
    ),
    ZooModel(
        name="estimator",
        about="an Estimator's four signatures",
        signature="predict",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="example",
        input="examples",
        output="probabilities",
        outputs=("all_class_ids", "all_classes", "class_ids", "classes", "logits", "probabilities"),
        signatures=_ESTIMATOR,
    ),
    ZooModel(
        name="estimator_classify",
        about="the same, by its classify signature: classes in their own order",
        model_name="estimator",
        signatures=_ESTIMATOR,
        **(_CLASSIFIED | {"output": "scores", "gives": "probabilities"}),
    ),
    ZooModel(
        name="official",
        about="TensorFlow's official MNIST model: an Estimator with raw inputs, the same signature by two names",
        input="image",
        shape=(-1, 28, 28),
        output="probabilities",
        outputs=("classes", "probabilities"),
        signatures={DEFAULT: PREDICT, "classify": PREDICT},
    ),
    ZooModel(
        name="hub_module",
        about="a module of TF Hub: its signatures and its first output are called default",
        signature="default",
        shape=(-1, 28, 28, 1),
        output="default",
        gives="logits",
        outputs=("Digits/Logits", "Digits/Predictions", "Digits/embedding", "default"),
        signatures={"default": PREDICT, "image_feature_vector": PREDICT},
    ),
    ZooModel(
        name="tf1_defaults",
        about="TF1, with defaults for what only training changes",
        defaults={"keep_prob": np.float32(1), "is_training": np.bool_(False)},
    ),
    ZooModel(
        name="tf1_required",
        about="TF1, with an input that each request must give",
        required={"keep_prob": np.float32(1)},
    ),
    ZooModel(name="tf1_unknown_rank", about="TF1, a placeholder without a shape", shape=None),
]
