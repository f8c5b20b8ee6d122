"""The events that carry measurements. Those of predictions are fired here, and nowhere else.

`environment.events.prediction` is Locust's kind of event hook, fired once for each image. Listen to it in
a locustfile:

    from tfsload import events  # Locust's, to which the suite adds `prediction`

    @events.prediction.add_listener
    def on_prediction(label, predicted, image_index, **_):
        if predicted is not None and predicted != label:
            print(f"image {image_index}: a {label} was taken for a {predicted}")

Keyword arguments (take those you need, and `**_` for the others):

| argument | type | meaning |
| --- | --- | --- |
| image_index | int | the image's position in the data set |
| label | int or None | its true class; None: the data set has no labels |
| predicted | int or None | the class with the highest score; None where the request failed, or the answer names none |
| is_right | bool or None | whether the answer is right; None where there is none, or nothing to judge it by |
| scores | array (classes,) or None | the model's output for this image; None where it failed, or has no scores |
| latency_ns | int | from sending the request (open load: from when it was due) to having its answer |
| done_unix_ns | int | when the request ended, in nanoseconds since 1970 |
| failure | PredictionFailure or None | why there was no answer: `.code`, `.message` |
| level | int | the level of load that it belongs to: 0 where there are none, -1 in a warm-up and between levels |
| lease | int or None | with `--num-tests`: the lease that the image was given out with |
| position | int | the image's place in its request, from 0; 0 marks one firing a request |
| request_name | str | the user class's: its row in Locust's statistics |

Two more are fired in the process that leads runs, a master or one without workers, with plain data. A listener that
raises costs a warning there, never the run; the next level waits until all have returned.

`environment.events.level`, for each level that has ended, the probes of a search too:

| argument | type | meaning |
| --- | --- | --- |
| level | int | its number, from 1 on |
| name | str | what was asked for, such as `4 users` |
| users | int | users in flight; in open load the most that may be |
| rate_rps | float or None | arrivals a second that were asked for; None in closed load |
| achieved_rps | float | answers a second |
| latency_ns | dict | by percentile (50, 90, 95, 99, 99.9): upper end in ns; infinite: so many requests had no answer; |
| | | None: too few samples carry it |
| error_rate | float or None | (wrong + failed) ÷ predictions, from 0 to 1; None without any, or without labels |
| wrong_rate, failed_rate | float or None | its parts |
| failed | dict | images without an answer, by status code |
| mismatched_rate, dropped_rate | float or None | of the answers compared, and of the arrivals; None without any |
| doubts | tuple of str | why it supports no verdict, and what to do; empty: it does |
| row | LevelResult | all that is known of it: `tfsload.analysis.level_result` |

`environment.events.run`, when a run has ended, with `result`: a `tfsload.analysis.result.RunResult`, whose `to_plain()`
JSON can hold. `tfsload.result(environment)` returns it, too.
"""

from collections.abc import Sequence
from typing import Any

import locust
from locust.event import EventHook

from tfsload.load.request_book import UNLABELLED, PreparedRequest
from tfsload.records.mismatch import Mismatch
from tfsload.records.recorder import Recorder
from tfsload.transport.answer import Answer
from tfsload.transport.failure import PredictionFailure


def install(events: Any) -> None:
    """Give `events` (Locust's) the hooks `prediction`, `level` and `run`, those that it has not got."""
    for name in ("prediction", "level", "run"):
        if not hasattr(events, name):
            setattr(events, name, EventHook())


install(locust.events)


# Long because each thing that is known of a request is named.
def book(
    events: Any,
    recorder: Recorder,
    *,
    request_type: str,
    name: str,
    request: PreparedRequest,
    lease: int | None,
    answer: Answer | None,
    failure: PredictionFailure | None,
    n_mismatched: int | None,
    example: Mismatch | None,
    due_ns: int,
    sent_ns: int,
    done_ns: int,
    reply_bytes: int,
    url: str,
) -> None:
    """Book one request, then tell Locust's own statistics once and every listener once an image.

    The recorder comes first and is no listener: listeners may wait, raise and be killed, and nothing is
    to be lost by that.

    Args:
        events: Locust's events with `prediction`.
        recorder: this process's.
        request_type, name: the row in Locust's table.
        request: what was sent.
        lease: the lease that it was given out with, or None.
        answer: None with a failure.
        failure: why there is no answer, or None.
        n_mismatched: its images whose scores differ from those recorded without load; None: not compared.
        example: one of them, if there are any.
        due_ns: when it was due (open load) or sent, on `time.perf_counter_ns`'s clock.
        sent_ns, done_ns: when it left, and when the answer's bytes were there.
        reply_bytes: length of the answer.
        url: where it was sent.
    """
    counted = answered_by = None
    if answer is not None:
        counted, answered_by = answer.counted, answer.servable
    level = recorder.record(
        request.labels,
        counted,
        failure,
        due_ns,
        sent_ns,
        done_ns,
        lease,
        n_mismatched,
        example,
        answered_by,
        request.first_image,
    )
    latency_ns = done_ns - due_ns
    # A wrong answer is no failed request: Locust's fail ratio stays that of requests without an answer.
    events.request.fire(
        request_type=request_type,
        name=name,
        response_time=latency_ns / 1e6,
        response_length=reply_bytes,
        response=answer,
        exception=failure,
        context={},
        start_time=(sent_ns + recorder.unix_offset_ns) / 1e9,
        url=url,
    )
    if not events.prediction._handlers:
        return  # nobody listens: nothing to put together
    scores = predicted = None
    if answer is not None:
        scores, predicted = answer.scores, answer.predicted
    told: Sequence[Any] = request.told or request.labels
    for position, label in enumerate(request.labels):
        is_known = counted is not None and label != UNLABELLED
        events.prediction.fire(
            image_index=request.first_image + position,
            label=None if label == UNLABELLED else told[position],
            is_right=counted[position] == label if is_known and counted is not None else None,
            predicted=None if predicted is None else predicted[position],
            scores=None if scores is None else scores[position],
            latency_ns=latency_ns,
            done_unix_ns=recorder.to_unix_ns(done_ns),
            failure=failure,
            level=level,
            lease=lease,
            position=position,
            request_name=name,
        )
