"""Models of the zoo as TensorFlow 2 saves a tf.Module, or what was a Keras 2 model: what they take, what they give."""

import functools

import numpy as np

from tests.support.zoo_model import PREDICT, ZooModel

_one = functools.partial(ZooModel, images_per_request=1)

OF_MODULES = [
    # What they take
    ZooModel(name="tf2_defaults", about="TF2, an argument with a default", defaults={"temperature": np.float32(1)}),
    ZooModel(
        name="named_signatures",
        about="TF2, no serving_default",
        signature="classify_digit",
        signatures={"classify_digit": PREDICT, "embed": PREDICT},
    ),
    ZooModel(
        name="instance_key",
        about="a key with each image, which comes back with its answer",
        input="image",
        shape=(-1, 28, 28),
        required={"key": np.array([b"a"] * 8, object)},
        outputs=("key", "scores"),
    ),
    ZooModel(
        name="png_bytes",
        about="PNG files, decoded in the graph",
        input="image_bytes",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="png",
    ),
    _one(
        name="png_one", about="one PNG file a request", input="image_bytes", dtype="DT_STRING", shape=(), encoding="png"
    ),
    ZooModel(
        name="base64",
        about="files as base64 for the web, as clients that write JSON send them",
        input="b64",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="base64",
    ),
    ZooModel(
        name="examples",
        about="serialized tf.Example",
        input="examples",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="example",
    ),
    ZooModel(
        name="example_png",
        about="tf.Example with a PNG file, as TF-Slim and TFX have data sets",
        input="examples",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="example_png",
    ),
    ZooModel(
        name="example_raw",
        about="tf.Example with the pixels' bytes and a label, as convert_to_records.py writes MNIST",
        input="examples",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="example_raw",
    ),
    ZooModel(
        name="example_int64",
        about="tf.Example with the pixels as whole numbers",
        input="examples",
        dtype="DT_STRING",
        shape=(-1,),
        encoding="example_int64",
    ),
    ZooModel(name="fixed_batch", about="compiled for four images", shape=(4, 784), images_per_request=4),
    _one(name="batch_of_one", about="compiled for one image", shape=(1, 28, 28, 1)),
    _one(name="no_batch", about="one image, without a dimension for more", shape=(28, 28)),
    ZooModel(name="channels_first", about="converted from PyTorch", shape=(-1, 1, 28, 28), gives="logits"),
    ZooModel(
        name="columns",
        about="an image a column, as deeplearning.ai's course has matrices",
        shape=(784, -1),
    ),
    ZooModel(name="lenet", about="LeNet-5's images of 32 by 32", shape=(-1, 32, 32, 1)),
    ZooModel(name="rgb", about="transfer learning on colour images", shape=(-1, 28, 28, 3)),
    ZooModel(
        name="resized",
        about="colour images of any size, as bytes, resized in the graph",
        shape=(-1, -1, -1, 3),
        dtype="DT_UINT8",
        ink=255,
    ),
    ZooModel(name="raw_float", about="float pixels from 0 to 255, scaled in the graph", shape=(-1, 28, 28), ink=255),
    ZooModel(name="uint8", about="pixels as they are", shape=(-1, 28, 28), dtype="DT_UINT8", ink=255),
    ZooModel(name="int32", about="pixels as Python's integers", dtype="DT_INT32", ink=255),
    ZooModel(name="int64", about="pixels as numpy's integers", dtype="DT_INT64", ink=255),
    ZooModel(name="bool", about="ink or no ink", dtype="DT_BOOL"),
    ZooModel(name="half", about="mixed precision: half in and out", dtype="DT_HALF"),
    ZooModel(name="bfloat16", about="mixed precision: bfloat16 in and out", dtype="DT_BFLOAT16"),
    ZooModel(name="double", about="numpy's own floats", dtype="DT_DOUBLE"),
    ZooModel(
        name="quantised",
        about="int8 in and out, as TFLite's quantisation has it",
        shape=(-1, 28, 28, 1),
        dtype="DT_INT8",
        ink=127,
        paper=-128,
        gives="logits",
    ),
    ZooModel(
        name="uint8_scores",
        about="uint8 in and out, as quantised models for the edge have it",
        shape=(-1, 28, 28, 1),
        dtype="DT_UINT8",
        ink=255,
        gives="logits",
    ),
    # What they give
    ZooModel(name="two_outputs", about="TF2, the class and all scores", outputs=("class_id", "scores")),
    ZooModel(
        name="class_ids", about="argmax in the graph", output="class_id", gives="class ids", outputs=("class_id",)
    ),
    ZooModel(
        name="class_ids_column",
        about="argmax in the graph, kept as a column",
        output="class_id",
        gives="class ids",
        outputs=("class_id",),
    ),
    ZooModel(name="labels", about="names of classes", output="label", gives="labels", outputs=("label",)),
    ZooModel(
        name="labels_file",
        about="names of classes from a file, an asset of the SavedModel",
        output="label",
        gives="labels",
        outputs=("label",),
    ),
    _one(name="squeezed", about="tf.squeeze at the end: no batch where there is one image"),
    ZooModel(name="logits", about="no softmax", output="logits", gives="logits", outputs=("logits",)),
    ZooModel(
        name="masked_logits",
        about="all but the three best classes score -inf",
        output="logits",
        gives="logits",
        outputs=("logits",),
    ),
    ZooModel(
        name="top_three",
        about="the three best classes, and their scores: tf.math.top_k at the end",
        output="classes",
        gives="class ids",
        outputs=("classes", "scores"),
    ),
    ZooModel(
        name="all_ranked",
        about="all classes by their names, the best first, and their scores",
        output="classes",
        gives="labels",
        outputs=("classes", "scores"),
    ),
    ZooModel(
        name="label_and_version",
        about="the class in words, and the model's version in each answer",
        output="label",
        gives="labels",
        outputs=("label", "model_version"),
    ),
    ZooModel(
        name="ensemble",
        about="three models: their mean, and what each of them says",
        output="mean",
        outputs=("mean", "member_0", "member_1", "member_2"),
    ),
    ZooModel(
        name="told_about",
        about="scores, with the names of the classes, the model's version and a threshold in each answer",
        output="probabilities",
        outputs=("class_names", "model_version", "probabilities", "threshold"),
    ),
    ZooModel(name="conv_head", about="a convolution at the end, not squeezed", shape=(-1, 28, 28, 1), gives="logits"),
    ZooModel(
        name="torchvision_labels",
        about="classes named as torchvision's MNIST has them: 7 - seven",
        output="label",
        gives="labels",
        outputs=("label",),
    ),
    ZooModel(
        name="hugging_face_labels",
        about="classes named as transformers names them: LABEL_7",
        output="label",
        gives="labels",
        outputs=("label", "score"),
    ),
    ZooModel(
        name="class_id_float",
        about="the class as a float: argmax, cast",
        output="class_id",
        gives="class ids",
        outputs=("class_id",),
    ),
]
