"""The options that say which model is called, and how."""

from tfsload.analysis.option_limits import MAX_IMAGES_PER_REQUEST
from tfsload.settings import readers
from tfsload.settings.option import Option

MAX_DEADLINE_S = 3600
MAX_VERSION = 2**63 - 1  # an int64 on the wire

MODEL_OPTIONS = (
    Option("--model-name", "model.name", "mnist", readers.required_text, "Name of the model on the server."),
    Option(
        "--model-version",
        "model.version",
        "",
        readers.optional_integer(0, MAX_VERSION),
        "Version of the model (empty: the latest).",
    ),
    Option("--model-label", "model.label", "", readers.text, "Version label, instead of a version (empty: none)."),
    Option(
        "--signature-name",
        "model.signature_name",
        "",
        readers.text,
        "Signature to call (empty: predict_images, else serving_default, else the only one that fits).",
    ),
    Option(
        "--input-name",
        "model.input_name",
        "",
        readers.text,
        "The signature's input that takes the images, or the feature of its tf.Examples that does "
        "(empty: the only one that fits images).",
    ),
    Option(
        "--output-name",
        "model.output_name",
        "",
        readers.text,
        "The signature's output: a score for each class, or the class (empty: the only one that fits).",
    ),
    Option(
        "--input",
        "model.inputs",
        "",
        readers.inputs,
        "NAME=VALUE for another input of the signature, a number, a text or a list as JSON has it, such as "
        "keep_prob=1.0; several by repeating the option or with ';' between them (empty: the inputs' own defaults).",
        is_repeatable=True,
    ),
    Option(
        "--pixel-scale",
        "model.pixel_scale",
        "",
        readers.pixel_scale,
        "What black and white become: 0..1, 0..255, -1..1 or another LOW..HIGH; or mean,deviation of pixels from 0 "
        "to 1 (empty: 0..1 where the input holds floats, 0..255 where it holds whole numbers).",
    ),
    Option(
        "--images-per-request",
        "model.images_per_request",
        "1",
        readers.integer(1, MAX_IMAGES_PER_REQUEST),
        "Images sent in one request; each is scored.",
    ),
    Option(
        "--deadline",
        "model.deadline_s",
        "5",
        readers.seconds(MAX_DEADLINE_S),
        "Seconds until a request without an answer fails.",
    ),
)
