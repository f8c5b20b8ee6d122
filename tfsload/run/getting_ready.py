"""Makes a run in a process that is to take part in it, and checks that this process has what it is about."""

from typing import Any

from locust.env import Environment

from tfsload.prediction.process_run import Run, RunImages, load_images
from tfsload.run import messages
from tfsload.run.kinds import kinds_asked
from tfsload.run.one_protocol import of_protocol
from tfsload.run.user_hosts import transport_class_of
from tfsload.settings.settings import Settings, SettingsError
from tfsload.target.round_trip import measure_round_trip_ns
from tfsload.transport import words

_OTHER_VERSION = "this worker runs another version of this suite than its master: install the same on both"


def get_ready(environment: Environment, options: dict[str, Any], number: int, images: RunImages | None) -> Run:
    """Return the run that this process is to take part in.

    Args:
        environment: Locust's.
        options: as the coordinator has set them.
        number: the run's.
        images: where this process has them by now.

    Raises:
        SettingsError, TlsFileError, DataError: a worker on another machine lacks what the coordinator has checked at
            its own place.
    """
    if options.get(messages.PROTOCOL_OPTION) != messages.PROTOCOL:
        raise SettingsError([_OTHER_VERSION])
    classes = of_protocol(environment.user_classes, options[messages.SPOKEN_OPTION])
    transport_class = transport_class_of(classes)
    settings = Settings.parse(options, options[messages.ADDRESS_OPTION], spoken=transport_class.spoken())
    words.hide(value for _, value in settings.connection.metadata)
    images = images or RunImages.of(load_images(settings))
    images.require(options[messages.RUN_DATA_OPTION])
    dataset = images.dataset
    kinds = kinds_asked(options[messages.CALL_SPEC_OPTION], dataset, classes, images.encoded)
    transport = transport_class(settings.model, settings.connection, kinds[0].spec)
    transport.check_files()
    run = Run(number, settings, transport, images=images, kinds=kinds)
    _measure_round_trip(run)  # now, while there is no load
    return run


def _measure_round_trip(run: Run) -> None:
    """Measure how long a request takes without load, where the level with one user is to be held against it."""
    if 1 not in run.settings.load.sweep:
        return
    try:
        run.round_trip_ns = measure_round_trip_ns(run.transport, run.book[0].body)
    except BaseException:
        run.close()  # nobody knows of it yet
        raise
