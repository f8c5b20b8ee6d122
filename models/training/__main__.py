"""`python -m models.training`: train on the shipped images, export, and say how good the result is."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from models.training.quiet import import_tensorflow
from tfsload.datasets.dataset import IMAGE_SHAPE, DataError, Dataset, load

_MAX_SEED = 2**32 - 1


class OptionError(ValueError):
    """An option that turned out to be impossible; the message quotes it."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.training",
        description="Train a small convolutional network on the 4,000 shipped MNIST images and export it as "
        "a SavedModel for TensorFlow Serving.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--output", type=Path, default=Path("models/mnist"), help="the model's directory")
    parser.add_argument("--version", type=int, default=1, help="the version directory in it")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights, order and augmentation")
    parser.add_argument("--epochs", type=int, default=50, help="how often all images are shown")
    parser.add_argument("--images", type=int, default=0, help="train on the first N only; 0: on all")
    parser.add_argument(
        "--evaluate",
        metavar="DATASET",
        help="report the error on this test set too: mnist, or a directory of IDX files",
    )
    parser.add_argument("--force", action="store_true", help="replace the version if it exists")
    return parser


def _faults(options: argparse.Namespace) -> list[str]:
    """Return everything that is wrong with the options, one message each."""
    lowest = {"version": 1, "seed": 0, "epochs": 1, "images": 0}
    faults = [
        f"--{name} {getattr(options, name)}: expected an integer of at least {least}"
        for name, least in lowest.items()
        if getattr(options, name) < least
    ]
    if options.seed > _MAX_SEED:
        faults.append(f"--seed {options.seed}: expected at most {_MAX_SEED}")
    target = options.output / str(options.version)
    if target.exists() and not options.force:
        faults.append(f"{target} exists: choose another --version or --output, or replace it with --force")
    return faults


def _make_writable(output: Path) -> None:
    """Create the model's directory now, rather than lose the training when it turns out to be impossible."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"--output {output}: expected a directory, or a place for one: {error.strerror}") from None
    if not os.access(output, os.W_OK):
        raise OptionError(f"--output {output}: expected a directory that can be written")


def _datasets(options: argparse.Namespace) -> tuple[Dataset, list[Dataset]]:
    """Return what to train on and what to evaluate with, read before anything takes time."""
    training = load("mnist5k", "train")
    if options.images > len(training):
        raise OptionError(f"--images {options.images}: expected at most {len(training)}")
    if options.images:
        training = training.first(options.images)
    tests = [load(name) for name in ("mnist5k", options.evaluate) if name]
    if unlabelled := [one.name for one in tests if one.labels is None]:
        raise OptionError(f"--evaluate {unlabelled[0]}: expected images with labels")
    if odd := [one.name for one in tests if one.images.shape[1:] != IMAGE_SHAPE]:
        raise OptionError(f"--evaluate {odd[0]}: expected images of 28×28 pixels, which the network is made for")
    return training, tests


def _report(line: str) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, export and evaluate; exit code 2 for bad options."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if faults := _faults(options):
        parser.error("; ".join(faults))
    try:
        training, tests = _datasets(options)
        _make_writable(options.output)
    except (DataError, OptionError) as error:
        parser.error(str(error))
    import_tensorflow()
    # Only now: everything above answers at once, without TensorFlow's seconds of start-up.
    from models.training import export, network

    _report(f"training on {len(training)} images, {options.epochs} epochs, seed {options.seed}")
    trained = network.train(training, options.epochs, options.seed, _report)
    target = options.output / str(options.version)
    export.save(trained, target, sample=tests[0].images, replace=options.force)
    _report(f"exported {target}: {export.parameter_count(trained):,} parameters, {export.size_bytes(target):,} bytes")
    for test in tests:
        _report(f"error on {len(test)} images of {test.name}: {export.error_rate(target, test):.2%}")


if __name__ == "__main__":
    sys.exit(main())
