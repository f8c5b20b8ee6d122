"""The start form between a press and a run, without Locust: what others see meanwhile, and what is left behind."""

import contextlib
from types import SimpleNamespace

import pytest
from flask import Flask, jsonify, request

from tests.support.protocol_fields import nothing_to_choose
from tfsload.settings.refusal import RunRefused
from tfsload.suite.shape_in_use import ShapeInUse
from tfsload.target.waiting import Wait
from tfsload.webui import start_extras
from tfsload.webui.start_form import StartForm

STAIRS, WAVES = "stairs", "waves"


class Press:
    """A start form, and what is called while it is looked at."""

    def __init__(
        self,
        meanwhile=lambda _: None,
        during_check=lambda _: None,
        is_taken=True,
        own=None,
        has_picker=True,
        last_shape=None,
    ):
        self.wait, self.n_started, self.n_checked, self.n_taken_back, self.n_timers = Wait(), 0, 0, 0, 0
        self.other = ""  # why no run may be checked
        self.under_way = ""  # why none may be, beside a run
        self.is_started, self.n_images = False, 20
        self.told_before = ()
        options = SimpleNamespace(num_users=1)
        runner = SimpleNamespace(state="ready", shape_greenlet=last_shape and last_shape(self))
        self.environment = SimpleNamespace(
            runner=runner,
            parsed_options=options,
            host="a:1",
            shape_class=own,
            available_shape_classes={"Stairs": STAIRS, "Waves": WAVES},
            available_user_classes={"Users": object},
            user_classes=[],
            profile=None,
        )
        self._meanwhile, self._during_check, self._is_taken = meanwhile, during_check, is_taken
        web_ui = SimpleNamespace(environment=self.environment, userclass_picker_is_active=has_picker)
        shapes = self.shapes = ShapeInUse(self.environment)
        self.form = StartForm(
            web_ui,
            self,
            shapes,
            self,
            lambda: SimpleNamespace(),
            self.wait,
            nothing_to_choose(),
        )

    def _nothing(self, *_):
        """Stand for what Locust is not asked here."""

    wrap_stop = wrap_picked_shape = set_run_time = has_run_time = _nothing

    def wrap_start(self, _, start):
        self._press = start

    def forget_command_lines_run_time(self):
        self.n_timers += 1

    def refuse_a_second(self):
        if self.other:
            raise RunRefused(1, [self.other])

    def refuse_beside_a_run(self):
        if self.under_way:
            raise RunRefused(1, [self.under_way])

    def take_back(self):
        self.n_taken_back += 1
        self.shapes.use_own()

    def wait_for_last_run(self):
        self._meanwhile(self)
        return True

    def check(self, *_, **__):
        self.n_checked += 1
        self.wait.begin()  # as the run's check does
        self._during_check(self)

    def _locusts(self):
        self.n_started += 1
        return jsonify({"success": self._is_taken})

    def start(self, **form):
        with Flask(__name__).test_request_context("/swarm", method="POST", data={"user_count": "1", **form}):
            return self._press(self._locusts).get_json()

    def press_check(self, **form):
        with Flask(__name__).test_request_context("/", method="POST", data={"user_count": "1", **form}):
            return self.form.check(request.form, [])


@pytest.mark.parametrize("when", ["meanwhile", "during_check"])
@pytest.mark.parametrize(("press", "is_seen"), [("start", True), ("press_check", False)])
def test_a_start_is_seen_as_one_from_the_first_moment_on_and_a_check_never(when, press, is_seen):
    seen = []
    form = Press(**{when: lambda one: seen.append(one.form.is_starting)})
    getattr(form, press)()

    assert seen == [is_seen]
    assert not form.form.is_starting


@pytest.mark.parametrize("when", ["meanwhile", "during_check"])
def test_a_stop_is_heard_while_a_start_still_waits_for_the_last_run_and_its_files(when):
    form = Press(**{when: lambda one: one.wait.stop()})
    told = form.start()

    assert not told["success"]
    assert "stopped before it began" in told["message"]
    assert form.n_started == 0
    assert form.n_checked == (1 if when == "during_check" else 0)


def test_a_stop_before_a_start_is_none_of_it():
    form = Press()
    form.wait.stop()

    assert form.start()["success"]


@pytest.mark.parametrize("when", ["meanwhile", "during_check"])
@pytest.mark.parametrize("first", ["start", "press_check"])
@pytest.mark.parametrize("second", ["start", "press_check"])
def test_one_form_at_a_time_is_looked_at(when, first, second):
    refused = []

    def press_again(one):
        try:
            told = getattr(one, second)()
            refused.append(told["message"])
        except RunRefused as fault:
            refused.append(str(fault.faults))

    form = Press(**{when: press_again})
    getattr(form, first)()

    assert len(refused) == 1
    assert "try again in a moment" in refused[0]
    assert ("another form is being checked" if first == "press_check" else "another run is being started") in refused[0]
    assert form.n_checked == 1


class LastShape:
    """The last run's load shape, which takes its time to end; somebody presses Stop meanwhile."""

    def __init__(self, press):
        self._press, self._is_alive = press, True

    def __bool__(self):
        return self._is_alive

    def join(self, _):
        self._press.wait.stop()
        self._is_alive = False


def test_a_stop_is_heard_while_a_start_waits_for_the_last_runs_shape():
    form = Press(last_shape=LastShape)
    told = form.start()

    assert "stopped before it began" in told["message"]
    assert form.n_checked == 0


@pytest.mark.parametrize("press", ["start", "press_check"])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_run_that_others_start_is_not_disturbed(when, press):
    form = Press(meanwhile=lambda one: setattr(one, "other", "another run is being started"))
    if when == "before":
        form.other = "another run is being started"
    try:
        told = str(getattr(form, press)())
    except RunRefused as refused:
        told = refused.text()

    assert "another run is being started" in told
    assert (form.n_checked, form.n_taken_back) == (0, 0)


class LastShapeBeforeARun(LastShape):
    """The last run's load shape; somebody's program begins a run meanwhile."""

    def join(self, _):
        self._press.under_way, self._is_alive = "another run is under way", False


@pytest.mark.parametrize("press", ["start", "press_check"])
def test_a_run_that_begins_while_a_start_waits_for_the_last_runs_shape_is_not_disturbed(press):
    form = Press(last_shape=LastShapeBeforeARun, own="own")
    try:
        told = str(getattr(form, press)(shape_class="Stairs"))
    except RunRefused as refused:
        told = refused.text()

    assert "another run is under way" in told
    assert (form.n_checked, form.n_taken_back, form.environment.shape_class) == (0, 0, "own")


def test_a_run_that_others_start_is_seen_as_one():
    form = Press()
    form.is_started = True

    assert form.form.is_starting


@pytest.mark.parametrize(("is_taken", "n_timers"), [(True, 1), (False, 0)], ids=["taken", "refused"])
def test_a_start_that_is_taken_leaves_the_command_lines_run_no_timer(is_taken, n_timers):
    """It would end a start that a listener holds up."""
    form = Press(is_taken=is_taken)
    form.start()

    assert form.n_timers == n_timers


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        pytest.param({"user_classes": "Users"}, ["user_classes"], id="classes"),
        pytest.param({"user_classes": "Users", "shape_class": "Stairs"}, ["user_classes", "shape_class"], id="both"),
        pytest.param({}, [], id="neither"),
    ],
)
@pytest.mark.parametrize("has_picker", [True, False], ids=["with-the-picker", "without"])
def test_what_is_picked_without_the_class_picker_is_refused(sent, refused, has_picker):
    form = Press(has_picker=has_picker)
    told = form.start(**sent)

    names = [fault.partition(" is a field of the form only")[0] for fault in told.get("faults", [])]
    assert names == ([] if has_picker else [f"'{name}'" for name in refused])
    assert form.n_started == (1 if has_picker or not refused else 0)


MARKED = {"own_one": {}}
OPTIONS_THERE = {"html_file": None, "csv_prefix": None, "headless": False, "own_one": "x", "unmarked": "x", "seed": "1"}


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        pytest.param(["html_file", "headless"], ["html_file", "headless"], id="locusts-own"),
        pytest.param(["html_file", "unmarked", "own_one"], ["html_file", "unmarked"], id="all-at-once"),
        pytest.param(["unmarked"], ["unmarked"], id="a-locustfiles-that-is-not-for-the-form"),
        pytest.param(["own_one"], [], id="a-locustfiles-that-is"),
        pytest.param(["seed", "load", "unheard_of"], [], id="the-suites-and-what-nobody-knows"),
        pytest.param(
            ["spawn_rate", "run_time", "host", "user_classes", "shape_class", "profile"], [], id="of-locusts-form"
        ),
    ],
)
def test_options_that_are_no_fields_are_refused(monkeypatch, sent, refused):
    monkeypatch.setattr(start_extras, "ui_extra_args_dict", lambda: MARKED)
    form = Press()
    vars(form.environment.parsed_options).update(OPTIONS_THERE)
    values = {"spawn_rate": "1", "run_time": "1", "shape_class": "Default"}
    fields = {name: values.get(name, "x") for name in sent}
    started = form.start(**fields)
    with contextlib.nullcontext() if not refused else pytest.raises(RunRefused) as checked:
        form.press_check(**fields)

    faults = started.get("faults", [])
    assert [fault.partition(" is not a field of the form")[0] for fault in faults] == [f"'{name}'" for name in refused]
    assert checked is None or list(checked.value.faults) == faults


def refuse(_):
    raise RunRefused(1, ["no"])


@pytest.mark.parametrize(
    ("press", "how"),
    [
        pytest.param("press_check", {}, id="checked"),
        pytest.param("press_check", {"during_check": refuse}, id="checked-and-refused"),
        pytest.param("start", {"during_check": refuse}, id="refused"),
        pytest.param("start", {"during_check": lambda one: one.wait.stop()}, id="stopped"),
        pytest.param("start", {"is_taken": False}, id="refused-by-locust"),
    ],
)
@pytest.mark.parametrize("own", [None, WAVES], ids=["without-a-shape", "with-a-shape"])
def test_a_shape_that_was_picked_for_a_run_that_does_not_start_is_forgotten(press, how, own):
    form = Press(own=own, **how)
    with contextlib.suppress(RunRefused):
        getattr(form, press)(shape_class="Stairs")

    assert form.environment.shape_class == own
    assert bool(form.shapes.faults({"sweep": "1,2"})) == bool(own)  # the next run's own
    form.shapes.use_own()  # at its end
    assert form.environment.shape_class == own


def test_a_shape_that_was_picked_for_a_run_stays_until_the_next_that_starts():
    form = Press(own=WAVES)
    form.start(shape_class="Stairs")
    form.shapes.use_own()
    form.press_check(shape_class="Default")

    assert form.environment.shape_class == STAIRS
