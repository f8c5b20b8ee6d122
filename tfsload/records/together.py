"""Answered requests counted many at a time: the same counts in fewer steps and some two thirds of the time. Pure.

`Recorder.record` says what each figure means. To be rid of it: have `can_count` return False.
"""

import operator
from collections.abc import Iterable, Sequence
from itertools import chain, compress, repeat
from typing import Any

from tfsload.records.record import Record
from tfsload.records.seconds import BITS, IMAGES, IN_FLIGHT_NS, SHIFTED_FROM, WRONG, Seconds
from tfsload.records.window import Window
from tfsload.transport.servable import Servable

# An answered request that waits to be counted: labels, predicted classes, when it was due, sent and done in ns, its
# lease, its images that differ from those recorded without load (0; None: not compared), who answered, and the position
# of its first image.
Answered = tuple[list[int], list[int], int, int, int, int | None, int | None, Servable, int]

# So many are counted at a time, in some 25 µs. Twice as many cost 5 % less and hold up replies for longer: seen in p90.
BATCH = 32
# Fewer are counted faster one by one.
_FEW = 6


# The same figures of some requests, a column each.
Columns = list[tuple[Any, ...]]


def by_lease(requests: list[Answered]) -> Iterable[tuple[int | None, Columns]]:
    """Return requests by their lease, as columns; mostly they all have the same."""
    if not requests:
        return ()
    columns = list(zip(*requests, strict=True))
    leases = columns[5]
    if leases.count(leases[0]) == len(leases):
        return ((leases[0], columns),)
    parted: dict[int | None, list[Answered]] = {lease: [] for lease in leases}
    for lease, request in zip(leases, requests, strict=True):
        parted[lease].append(request)
    return ((lease, list(zip(*some, strict=True))) for lease, some in parted.items())


def can_count(window: Window, columns: Columns) -> bool:
    """Whether `count` may be asked: requests lie in a level's window as a whole, and are enough to be worth it."""
    due_ns, done_ns = columns[2], columns[4]
    return len(due_ns) > _FEW and min(due_ns) >= window.begin_ns and max(done_ns) < window.end_ns


def count(
    record: Record,
    window: Window,
    columns: Columns,
    unix_offset_ns: int,
    has_limits: bool,
    within_ns: Sequence[int],
) -> bool:
    """Count requests of one lease, of which `can_count` holds, if they ended in the same second.

    Args:
        record: of the level and the lease.
        window: the level's.
        columns: them.
        unix_offset_ns, has_limits, within_ns: the recorder's.

    Returns:
        False, with nothing counted, where they are not of that kind: `Recorder.record` is for any.
    """
    labels, predicted, due_ns, sent_ns, done_ns, _, mismatched, answered_by, first_images = columns
    n, last_ns, seconds = len(labels), max(done_ns), record.seconds
    if not seconds.begin_ns <= last_ns < seconds.end_ns:
        seconds.turn(last_ns)
    if min(done_ns) < seconds.begin_ns or mismatched.count(mismatched[0]) < n:
        return False
    true, answers = list(chain.from_iterable(labels)), list(chain.from_iterable(predicted))
    n_images = len(true)
    latencies_ns = list(map(operator.sub, done_ns, due_ns))
    span_ns = min(due_ns) + unix_offset_ns, last_ns + unix_offset_ns
    record.add_answered(true, answers, latencies_ns, *span_ns)
    if mismatched[0] is not None:
        record.compared += n_images
    if answered_by.count(answered_by[0]) == n:
        record.servables[answered_by[0]] += n
    else:
        record.servables.update(answered_by)
    if has_limits:
        record.half_seconds.add_all(zip(due_ns, sent_ns, done_ns, repeat(True)))
    for limit_ns in within_ns:
        _count_right(record, limit_ns, labels, predicted, latencies_ns)
    seconds.now[IMAGES] += n_images
    _count_latencies(seconds, latencies_ns)
    _count_images(record, true, answers, first_images, labels)
    _count_in_flight(seconds, sent_ns, done_ns)
    if window.slice_ns:
        record.in_flight_ns += sum(done_ns) - sum(sent_ns)
        _count_slices(record, window, done_ns, latencies_ns)
        if window.is_open_load:
            record.lag.record_all(list(map(operator.sub, sent_ns, due_ns)))
    return True


def _count_right(
    record: Record,
    limit_ns: int,
    labels: Sequence[list[int]],
    predicted: Sequence[list[int]],
    latencies_ns: Sequence[int],
) -> None:
    n_right, is_any_in_time = 0, False
    for true, answers, latency_ns in zip(labels, predicted, latencies_ns, strict=True):
        if latency_ns <= limit_ns:
            is_any_in_time = True
            n_right += len(true) if answers == true else sum(map(operator.eq, true, answers))
    if is_any_in_time:
        record.right[limit_ns] = record.right.get(limit_ns, 0) + n_right


def _count_latencies(seconds: Seconds, latencies_ns: Sequence[int]) -> None:
    buckets = seconds.now_latencies
    known = buckets.get
    for latency_ns in latencies_ns:
        shift = latency_ns.bit_length() - SHIFTED_FROM  # as of `bucket_of`
        bucket = latency_ns if shift <= 0 else (shift << BITS) + (latency_ns >> shift)
        buckets[bucket] = known(bucket, 0) + 1


def _count_images(
    record: Record,
    true: Sequence[int],
    answers: Sequence[int],
    first_images: Sequence[int],
    labels: Sequence[list[int]],
) -> None:
    fired = record.images.fired
    known = fired.get
    for first_image in first_images:
        fired[first_image] = known(first_image, 0) + 1
    if answers == true:
        return
    images = first_images
    if len(images) < len(true):  # some requests hold several
        images = [first + place for first, of_one in zip(images, labels, strict=True) for place in range(len(of_one))]
    keys = list(compress(zip(images, answers, strict=True), map(operator.ne, answers, true)))
    record.seconds.now[WRONG] += len(keys)
    misread = record.images.misread
    known_misread = misread.get
    for key in keys:
        misread[key] = known_misread(key, 0) + 1


def _count_in_flight(seconds: Seconds, sent_ns: Sequence[int], done_ns: Sequence[int]) -> None:
    begin_ns, counts = seconds.begin_ns, seconds.now
    if min(sent_ns) >= begin_ns:
        counts[IN_FLIGHT_NS] += sum(done_ns) - sum(sent_ns)
        return
    for sent, done in zip(sent_ns, done_ns, strict=True):
        if sent >= begin_ns:
            counts[IN_FLIGHT_NS] += done - sent
        else:
            seconds.spread(sent, done)


def _count_slices(record: Record, window: Window, done_ns: Sequence[int], latencies_ns: Sequence[int]) -> None:
    begin_ns, slice_ns = window.begin_ns, window.slice_ns
    first, last = (min(done_ns) - begin_ns) // slice_ns, (max(done_ns) - begin_ns) // slice_ns
    if first == last:
        record.slice_answers[first] += len(done_ns)
        record.slice_latency_ns[first] += sum(latencies_ns)
        return
    for done, latency_ns in zip(done_ns, latencies_ns, strict=True):
        number = (done - begin_ns) // slice_ns
        record.slice_answers[number] += 1
        record.slice_latency_ns[number] += latency_ns
