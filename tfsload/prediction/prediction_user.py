"""The life of one prediction, whatever the protocol."""

import functools
import logging
import time
from typing import Any, ClassVar

import gevent
import numpy as np
from locust import User, tag, task
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser
from locust.user.task import LOCUST_STATE_RUNNING, DefaultTaskSet
from numpy.typing import NDArray

from tfsload.prediction import events, slot, statistics_book
from tfsload.prediction.process_run import Run
from tfsload.records.together import BATCH
from tfsload.transport.answer import Answer, ReplyError
from tfsload.transport.contract import Transport
from tfsload.transport.failure import BAD_REPLY, CLIENT_ERROR, UNJUDGED, PredictionFailure
from tfsload.transport.image_answer import ImageAnswer

logger = logging.getLogger(__name__)

# Locust's statistics are booked when so many requests wait to be counted.
_BETWEEN = BATCH // 2
# What `--tags` and `--exclude-tags` know predictions by.
TAG = "predict"
# A user that tried at once again would count an outage by the million; gRPC's code asks for a pause.
_UNAVAILABLE = "UNAVAILABLE"
_PAUSE_S = 0.1
_SUITE_POLL_S = 0.05
# Whoever has no suite by then has forgotten it.
_SUITE_LIMIT_S = 5.0
# What a call may raise to leave its task, as Locust has it: a word about the user and not about the request.
_LEAVES_TASK = (StopUser, StopTest, InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately)
# What ends a user, or the process, from outside.
_ENDS = (gevent.GreenletExit, KeyboardInterrupt, SystemExit)

# Who has put a wrap around it (locust-plugins' --iterations does) is to see each prediction as a task.
_LOCUSTS_EXECUTE_TASK = DefaultTaskSet.execute_task


class PredictionUser(User):
    """Draws a request, sends it, scores the answer and reports it; then the next.

    A protocol is a subclass that names its transport.

    Attributes:
        transport_class: the way to the server.
        request_type, request_name: the row in Locust's statistics.
        sent_ns: when the request was sent that waits for its answer, on `time.perf_counter_ns`'s clock; 0: none does.
        in_hand_ns: when the request was sent that is not done with, be it by a listener; 0: there is none.
    """

    abstract = True
    transport_class: ClassVar[type[Transport]]
    request_type = ""
    request_name = "Predict"
    sent_ns = in_hand_ns = 0
    _run: Run  # that it has joined; none where this process is unfit for it
    _has_joined = False

    def __init_subclass__(cls, **options: Any) -> None:
        """Have users join the run before a class's own `on_start`, or a mixin's, neither of which need know of it."""
        super().__init_subclass__(**options)
        owner = next(one for one in cls.__mro__ if "on_start" in vars(one))
        if owner is cls or not issubclass(owner, PredictionUser):  # else it was wrapped when that one was made
            own = cls.on_start

            @functools.wraps(own)
            def on_start(self: "PredictionUser") -> None:
                self._join()
                own(self)

            cls.on_start = on_start  # type: ignore[method-assign]  # the class's own, in a wrap
        if "predict_in_turn" in vars(cls):
            cls._replace_turn()

    @classmethod
    def _replace_turn(cls) -> None:
        """Have a class's own `predict_in_turn` take the place of the one above it among the tasks; None: nothing does.

        Locust collects tasks as functions, so that else the one above it would go on to have its turns.
        """
        above = next(vars(one)["predict_in_turn"] for one in cls.__mro__[1:] if "predict_in_turn" in vars(one))
        own = cls.predict_in_turn
        is_collected = own is None or hasattr(own, "locust_task_weight")
        cls.tasks = [
            own if one is above else one for one in cls.tasks if one is not above or not is_collected
        ]  # as Locust has collected them

    @classmethod
    def encode(cls, image: NDArray[np.uint8]) -> Any:
        """Return what is sent for an image; a class that has its own is asked once for each image, before any load.

        Args:
            image: uint8 (rows, columns), read-only, as the data set has it; of arrays a dict with an example's.

        Returns:
            Another image, uint8 (rows, columns), which is fitted to the model as any other; or an array, text or bytes
            that the model's input takes as it is; or a dict of such by the names of inputs. All images' alike.
        """
        return image

    @classmethod
    def is_right(cls, label: Any, answer: ImageAnswer) -> bool:
        """Return whether an answer is right; a class that has its own is asked for each answer, under load.

        It must be pure: to the same image's answer in the same bytes its last verdict may be taken.

        Args:
            label: of the image, or the example, as the data set has it; None: it has none.
            answer: to this image.
        """
        return answer.predicted is not None and bool(answer.predicted == label)

    def on_start(self) -> None:
        """Join the run that this process takes part in."""
        self._join()

    def _join(self) -> None:
        if self._has_joined:
            return
        # Locust may start users before it has told anybody of the process's beginning: they wait for the suite.
        limit_s = time.monotonic() + _SUITE_LIMIT_S
        while (join := slot.join_of(self.environment)) is None:
            if time.monotonic() > limit_s:
                raise RuntimeError(
                    f"{type(self).__name__} was started without the suite: call `tfsload.install(environment.events)` "
                    "before the environment's runner is made"
                )
            gevent.sleep(_SUITE_POLL_S)
        run = join()
        self._has_joined = True
        if run is None:  # unfit for the run, and the coordinator was told why; or the run has ended meanwhile
            self.tasks = [_take_no_part]
            # A subclass may call them before its first task.
            self.predict = self.predict_in_turn = _take_no_part  # type: ignore[method-assign]  # of this user alone
            return
        self._run = run
        kind = run.kind_of(type(self))
        self._book, self._references = kind.book, kind.references
        target = run.settings.connection.target
        self._statistics = statistics_book.booked(self.environment)
        self._url = self.transport_class.spoken().url_of(target.text if target else "", run.settings.connection.tls)
        self.connect(run)
        has_levels = run.settings.load.has_levels
        if has_levels:  # they are made of predictions one after another, and of nothing else
            self.tasks = [PredictionUser.predict_in_turn]
        has_no_other_task = all(task is PredictionUser.predict_in_turn for task in self.tasks)
        is_counted = DefaultTaskSet.execute_task is not _LOCUSTS_EXECUTE_TASK
        self._stays_in_task = has_levels or (has_no_other_task and not waits(type(self)) and not is_counted)

    def connect(self, run: Run) -> None:
        """Take what the process's users share: thousands with their own would keep the processor waiting for memory."""
        kind = run.kind_of(type(self))
        self._call = kind.call
        self._reader_of = kind.transport.reader_of

    def stop(self, force: bool = False) -> bool:
        """End when the request in flight has; at once if there is none, because the user waits for one to fire."""
        has_ended: bool = super().stop(force or self._is_idle())
        return has_ended

    def _is_idle(self) -> bool:
        run = getattr(self, "_run", None)
        if run is None:
            return False
        return run.supply.is_awaited_by(self._greenlet) or (run.pacer is not None and run.pacer.is_free(self._greenlet))

    @tag(TAG)
    @task
    def predict_in_turn(self) -> None:
        """Fire one request after another; just one where the user class has a wait time or more tasks, for Locust.

        A class that has its own, or None in its place, does without this one.
        """
        self.predict()
        if self._stays_in_task:
            # Back in Locust's loop a user would go to sleep for no time, which costs more than a request.
            while self._state == LOCUST_STATE_RUNNING:
                self.predict()

    # Long because each part that were a function of its own would be a call more for every prediction.
    def predict(self) -> Answer | None:
        """Fire the next request; in open load, when it is due.

        Returns:
            The answer, with its scores and the classes that they predict, an image each; None: there was none.
        """
        run = self._run
        due_ns = None if run.pacer is None else run.pacer.next()
        number, lease = run.supply.next()
        request = self._book.prepared[number] or self._book[number]  # a call less; to be rid of it: the latter alone
        self.sent_ns = self.in_hand_ns = run.sent_ns = sent_ns = time.perf_counter_ns()
        if due_ns is None:
            due_ns = sent_ns
        try:
            reply = self._call(request.body)
            done_ns = time.perf_counter_ns()
            if request.judge is None:
                answer, failure = self._reader_of(len(request.labels)).read(reply), None
            else:
                answer, failure = request.judge(reply), None
            run.answered_ns = done_ns
        except Exception as error:
            if isinstance(error, _LEAVES_TASK):
                self._leave(number, lease, due_ns, is_given_up=True)
                raise
            done_ns = time.perf_counter_ns()
            reply, answer, failure = b"", None, self._as_failure(error)
            if failure.code == UNJUDGED:
                run.answered_ns = done_ns  # a server that answers is no silent one, whatever a class makes of it
        except BaseException as error:  # killed, or timed out by code of its own: whether it was answered is not known
            self._leave(number, lease, due_ns, is_given_up=not isinstance(error, _ENDS))
            raise
        self.sent_ns = 0
        try:
            n_mismatched = example = None
            if self._references is not None and answer is not None:  # no answer is a failure, and no mismatch
                n_mismatched = self._references.n_mismatched(number, answer)
                if n_mismatched:
                    example = self._references.example(number, answer, request.first_image)
            environment, statistics = self.environment, self._statistics
            hooks = environment.events
            listeners = hooks.request._handlers
            if (
                answer is not None
                and not n_mismatched
                and statistics is environment.stats  # else it is None, or somebody has put others there
                and len(listeners) == 1
                and listeners[0] is statistics.listener
                and not hooks.prediction._handlers
            ):
                # Nobody is to be told: it is booked with others, as `events.book` would, in half of the time. (To be
                # rid of it: have `booked`, which `_statistics` comes from, return None.)
                waiting = run.recorder.waiting
                waiting.append(
                    (
                        request.labels,
                        answer.counted,
                        due_ns,
                        sent_ns,
                        done_ns,
                        lease,
                        n_mismatched,
                        answer.servable,
                        request.first_image,
                    )
                )
                statistics.waiting.append((self.request_name, self.request_type, done_ns - due_ns, len(reply), done_ns))
                n_waiting = len(waiting)
                if n_waiting >= BATCH:
                    run.recorder.settle()
                elif n_waiting == _BETWEEN or done_ns >= statistics.book_by_ns or len(statistics.waiting) > 2 * BATCH:
                    statistics.book()  # in turn with the recorder: the two together would hold up replies for longer
            else:
                events.book(
                    hooks,
                    run.recorder,
                    request_type=self.request_type,
                    name=self.request_name,
                    request=request,
                    lease=lease,
                    answer=answer,
                    failure=failure,
                    n_mismatched=n_mismatched,
                    example=example,
                    due_ns=due_ns,
                    sent_ns=sent_ns,
                    done_ns=done_ns,
                    reply_bytes=len(reply),
                    url=self._url,
                )
        finally:  # whatever a listener does: the lease must come to its end
            self.in_hand_ns = 0
            if lease is not None:
                run.supply.done(lease)
        if failure is not None:
            # Whatever failed may have failed without waiting: others, and an interrupt, are to have their turn.
            gevent.sleep(_PAUSE_S if self._wants_pause(failure) else 0)
        return answer

    def _leave(self, number: int, lease: int | None, due_ns: int, is_given_up: bool) -> None:
        """Leave a request in flight: it counts as cut off or given up, and with `--num-tests` another user makes it."""
        self._run.recorder.count_cut_off(due_ns, self.sent_ns, time.perf_counter_ns(), lease, is_given_up)
        self.sent_ns = self.in_hand_ns = 0
        self._run.supply.give_back(number, lease)

    def _wants_pause(self, failure: PredictionFailure) -> bool:
        if failure.code == CLIENT_ERROR:
            return True  # it will fail again
        # In open load arrivals set the pace, not answers.
        return failure.code == _UNAVAILABLE and self._run.pacer is None

    def _as_failure(self, error: Exception) -> PredictionFailure:
        if isinstance(error, PredictionFailure):
            return error
        if isinstance(error, ReplyError):
            return PredictionFailure(BAD_REPLY, str(error))
        if (failure := self._run.transport.failure_of(error)) is not None:
            return failure
        logger.error("A request failed in the client itself", exc_info=error)
        return PredictionFailure(CLIENT_ERROR, repr(error))


def waits(user_class: type[PredictionUser]) -> bool:
    """Whether users of a class have a wait time of their own between their tasks."""
    return user_class.wait_time is not PredictionUser.wait_time


def _take_no_part(*_: object) -> None:
    """End the user, whatever it was to do."""
    raise StopUser
