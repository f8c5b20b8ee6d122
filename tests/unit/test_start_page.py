"""The start page's fields, kinds of load and places of faults, without a server."""

import argparse
import dataclasses
from types import SimpleNamespace

import pytest
from werkzeug.datastructures import MultiDict

from tests.support.protocol_fields import nothing_to_choose
from tfsload.datasets.dataset import DataError, load
from tfsload.load import plan
from tfsload.report.files import asks_for_hgrm
from tfsload.settings.option import Option
from tfsload.settings.options import OPTIONS
from tfsload.settings.readers import switch, text
from tfsload.settings.settings import Settings, SettingsError
from tfsload.webui import load_kinds, posted, start_extras, start_fields, start_values
from tfsload.webui.fault_places import FLAGS, fields_of, place
from tfsload.webui.load_kinds import IMAGES, KINDS, PLAIN, RATES, SEARCH, SWEEP

IN_FORM = [option.dest for option in OPTIONS if option.is_in_form]
DEFAULTS = {option.dest: option.default for option in OPTIONS if option.is_in_form}
AT_FIRST = {**DEFAULTS, "host": "", "user_count": "1", "spawn_rate": "1", "run_time": ""}
# What a person has typed for each kind of load, all at once.
ALL_KINDS = {
    **AT_FIRST,
    "sweep": "1,2",
    "rate": "100",
    "find_max_rate": "1:5",
    "num_tests": "9",
    "user_count": "7",
    "spawn_rate": "3",
    "run_time": "8s",
    "warm_up": "1",
    "level_duration": "3",
    "arrivals": "constant",
    "pacing": "spin",
    "warm_up_requests": "4",
}


def fields_by_name():
    return {one.name: one for group in start_fields.groups() for one in group.fields}


def test_every_option_of_the_form_has_one_field_and_no_other_option_has():
    names = [one.name for group in start_fields.groups() for one in group.fields]

    assert sorted(names) == sorted([*IN_FORM, "host", "user_count", "spawn_rate", "run_time"])


def test_every_field_has_a_label_a_help_and_its_flag():
    for one in fields_by_name().values():
        assert all(words.label and words.help for words in one.words), one.name
        assert one.flag.startswith("-"), one.name


@pytest.mark.parametrize(
    ("field", "group"),
    [
        pytest.param("model.new", "model", id="of-the-model"),
        pytest.param("connection.new", "connection", id="of-the-connection"),
        pytest.param("data.new", "data", id="of-the-data"),
        pytest.param("report.new", "report", id="of-the-report"),
        pytest.param("load.new", "details", id="of-the-load"),
        pytest.param("checks.new", "details", id="of-the-checks"),
        pytest.param("new", "details", id="of-nothing-known"),
    ],
)
def test_an_option_that_is_new_stands_in_the_folded_part_of_its_section(field, group):
    new = Option("--brand-new", field, "", text, "Something new.")
    of = {one.name: each for each in start_fields.groups([*OPTIONS, new]) for one in each.fields}

    assert of["brand_new"].key == group
    assert of["brand_new"].holds is not None
    assert of["brand_new"].fields[-1].words[0].label == "Brand new"


def test_a_drop_down_offers_what_its_option_takes_and_nothing_else():
    by_dest = {option.dest: option for option in OPTIONS}
    drop_downs = [one for one in fields_by_name().values() if one.kind == start_fields.CHOICE]

    assert {one.name for one in drop_downs} == {"arrivals", "pacing", "transport", "rest_format"}
    for one in drop_downs:
        for choice in one.choices:
            by_dest[one.name].read(choice)
        with pytest.raises(ValueError, match=" or ".join(one.choices)):
            by_dest[one.name].read("other")


def test_switches_are_boxes_to_tick():
    kinds = {one.name: one.kind for one in fields_by_name().values()}

    assert {name for name, kind in kinds.items() if kind == start_fields.SWITCH} == {"tls", "hgrm"}


@pytest.mark.parametrize("word", ["true", "YES", "On", "1", "false", "no", "Off", "0"])
def test_a_switch_is_read_shown_and_told_by_the_same_words(word):
    result = SimpleNamespace(asked=SimpleNamespace(options={"hgrm": word}))
    tls = fields_by_name()["tls"]

    is_on = switch(word)
    assert start_fields.is_changed(tls, {"tls": word}) is is_on
    assert asks_for_hgrm(result) is is_on


def test_a_folded_part_says_what_it_holds_or_how_much_of_it_was_changed():
    groups = {group.key: group for group in start_fields.groups()}
    connection = groups["connection"]

    assert groups["data"].summary(AT_FIRST) == "mnist5k, seed 1"
    assert connection.summary(AT_FIRST) == "native, one TCP connection, no TLS"
    assert connection.summary({**AT_FIRST, "tls": "FALSE"}) == connection.summary(AT_FIRST)
    assert connection.summary({**AT_FIRST, "connections": "4"}) == "1 changed"
    assert connection.summary({**AT_FIRST, "connections": "4", "tls": "yes"}) == "2 changed"


# Kinds of load


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        pytest.param({}, PLAIN, id="nothing"),
        pytest.param({"sweep": "1,2"}, SWEEP, id="sweep"),
        pytest.param({"rate": "5"}, RATES, id="rates"),
        pytest.param({"find_max_rate": "1:5"}, SEARCH, id="search"),
        pytest.param({"num_tests": "5"}, IMAGES, id="images"),
        pytest.param({"num_tests": " 0 ", "sweep": " "}, PLAIN, id="what-means-none"),
        pytest.param({"num_tests": "x"}, IMAGES, id="what-cannot-be-read"),
    ],
)
def test_what_fields_ask_for_says_the_kind_of_load(asked, kind):
    assert load_kinds.kind_of({**AT_FIRST, **asked}) is kind


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_what_is_not_of_the_chosen_kind_is_not_asked_for(kind):
    form = {**ALL_KINDS, "load": kind.key, "action": "start"}
    made = start_values.for_locust(form, start_values.sent(form, AT_FIRST), kind)

    nothing = {**DEFAULTS, "user_count": "1", "spawn_rate": "1", "run_time": "0"}
    for name in load_kinds.FIELDS:
        assert made[name] == (ALL_KINDS if name in kind.fields else nothing)[name], name
    assert load_kinds.kind_of(made) is kind
    assert "load" not in made
    assert "action" not in made


def test_of_fields_without_a_chosen_kind_nothing_is_dropped():
    form = {"sweep": "1,2", "num_tests": "9"}
    values = start_values.sent(form, AT_FIRST)
    made = start_values.for_locust(form, values, load_kinds.kind_of(values))

    assert (made["sweep"], made["num_tests"]) == ("1,2", "9")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not PLAIN], ids=lambda kind: kind.key)
@pytest.mark.parametrize("empty", ["", "  ", "default"])
def test_a_kind_of_load_whose_own_field_is_empty_is_a_fault_of_that_field(kind, empty):
    typed = DEFAULTS[kind.asked_by] if empty == "default" else empty
    faults = load_kinds.faults({**AT_FIRST, kind.asked_by: typed}, kind)

    assert len(faults) == 1
    assert fields_of(faults[0]) == (kind.asked_by,)
    assert kind.suggested in faults[0]
    assert load_kinds.faults({**AT_FIRST, kind.asked_by: kind.suggested}, kind) == []


def test_what_is_suggested_for_each_kind_can_be_read():
    by_dest = {option.dest: option for option in OPTIONS}
    for kind in KINDS:
        assert kind is PLAIN or by_dest[kind.asked_by].read(kind.suggested)


@pytest.mark.parametrize(
    ("given", "has_shape", "kind"),
    [
        pytest.param({}, False, SWEEP, id="nothing"),
        pytest.param({"num_users": 3}, False, PLAIN, id="users"),
        pytest.param({"run_time": 20}, False, PLAIN, id="run-time"),
        pytest.param({}, True, PLAIN, id="a-load-shape"),
        pytest.param({"rate": "5", "num_users": 3}, False, RATES, id="rates"),
        pytest.param({"num_tests": "5"}, True, IMAGES, id="images-by-a-load-shape"),
    ],
)
def test_a_new_page_offers_what_the_command_line_asks_for_and_else_a_sweep(given, has_shape, kind):
    environment = SimpleNamespace(host=None, parsed_options=SimpleNamespace(**given))
    values = start_values.of_command_line(environment)

    assert start_values.first_kind(environment, values, has_shape) is kind
    assert values["host"] == ""
    assert values["user_count"] == str(given.get("num_users", 1))
    assert values["run_time"] == ("20s" if "run_time" in given else "")


@pytest.mark.parametrize(
    ("limit_s", "run_time"),
    [
        pytest.param(None, "", id="none"),
        pytest.param(10, "10s", id="whole"),
        pytest.param(10.0, "10s", id="whole-with-a-point"),
        pytest.param(1234567.0, "1234567s", id="long"),
        pytest.param(0.5, "1s", id="of-a-program"),
    ],
)
def test_a_run_had_again_has_the_end_that_it_had_and_one_user_where_none_was_asked_for(limit_s, run_time):
    options = SimpleNamespace(run_time=20, num_users=None, spawn_rate=None, seed="7")
    values = start_values.of_run(SimpleNamespace(host="a:1", parsed_options=options), limit_s)

    assert values["run_time"] == run_time
    assert {name: values[name] for name in ("host", "user_count", "spawn_rate", "seed")} == {
        "host": "a:1",
        "user_count": "1",
        "spawn_rate": "1",
        "seed": "7",
    }
    assert set(values) == set(AT_FIRST)


def test_suggestions_stand_where_nothing_was_asked_for_and_lists_have_a_line_each():
    texts = start_values.shown({**AT_FIRST, "sweep": "3", "threshold": "p99 < 5ms;; error_rate < 1%", "run_time": "0"})

    assert texts["sweep"] == "3"
    assert texts["rate"] == RATES.suggested
    assert texts["threshold"] == "p99 < 5ms\nerror_rate < 1%"
    assert texts["run_time"] == ""


def test_lines_are_sent_as_one_text_and_a_box_that_is_not_ticked_as_off():
    form = {"load": "plain", "threshold": "p99 < 5ms\r\n\r\n error_rate < 1% \n"}
    values = start_values.sent(form, {**AT_FIRST, "tls": "true"})
    made = start_values.for_locust(form, values, PLAIN)

    assert made["threshold"] == "p99 < 5ms;error_rate < 1%"
    assert made["tls"] == "false"
    assert values["threshold"] == "p99 < 5ms\n\n error_rate < 1% \n"


def test_of_a_form_that_says_no_kind_what_is_not_sent_stays_as_it_was():
    assert start_values.sent({"seed": "5"}, {**AT_FIRST, "tls": "true"})["tls"] == "true"


def test_what_is_no_field_is_passed_on_to_be_refused_and_whatever_else_is_not():
    form = {"load": "plain", "metadata": "a=b", "report": "/tmp", "tfsload_x": "1", "csv_prefix": "/tmp/x"}
    made = start_values.for_locust(form, start_values.sent(form, AT_FIRST), PLAIN)

    assert (made["metadata"], made["report"], made["tfsload_x"]) == ("a=b", "/tmp", "1")
    assert "csv_prefix" not in made


# What was sent


@pytest.mark.parametrize(
    ("form", "may_be_missing", "begin"),
    [
        pytest.param({}, True, (), id="nothing-before-a-start"),
        pytest.param({}, False, ("number of users", "ramp up"), id="nothing-of-an-edit"),
        pytest.param({"user_count": "2", "spawn_rate": "0.5", "run_time": "1m"}, False, (), id="all"),
        pytest.param({"user_count": "-2"}, True, ("number of users '-2'",), id="less-than-no-user"),
        pytest.param(
            {"user_count": "x", "spawn_rate": "nan", "run_time": "soon"},
            True,
            ("number of users 'x'", "ramp up 'nan'", "run time 'soon'"),
            id="none-can-be-read",
        ),
    ],
)
def test_all_that_is_wrong_with_locusts_own_fields_is_told_of_any_form(form, may_be_missing, begin):
    faults = posted.faults(form, may_be_missing, is_rate_of_use=True)

    assert len(faults) == len(begin)
    assert all(fault.startswith(each) for fault, each in zip(faults, begin, strict=True))


FROM_TO = "expected a whole number from 1 to 100,000"


@pytest.mark.parametrize("is_edit", [False, True], ids=["of-a-start", "of-an-edit"])
@pytest.mark.parametrize(
    ("n_users", "is_refused", "is_stop_meant"),
    [
        pytest.param("1", False, False, id="one"),
        pytest.param("100000", False, False, id="most"),
        pytest.param("0", True, True, id="none"),
        pytest.param("-1", True, True, id="less-than-none"),
        pytest.param("100001", True, False, id="too-many"),
        pytest.param("9" * 5000, True, False, id="digits-without-end"),
        pytest.param("1.5", True, False, id="a-part-of-one"),
        pytest.param("", True, False, id="nothing"),
    ],
)
def test_what_is_no_number_of_users_is_refused_with_what_is_expected(n_users, is_edit, is_refused, is_stop_meant):
    before = SimpleNamespace(parsed_options=SimpleNamespace(**OF_THE_LAST_RUN))
    form = {"user_count": n_users, "spawn_rate": "1"}
    faults = posted.faults(form, may_be_missing=not is_edit, is_rate_of_use=True)

    assert bool(faults) == is_refused
    given = f"'{n_users[:90]}" if n_users else "is empty"
    assert all(fault.startswith(f"number of users {given}") and FROM_TO in fault for fault in faults)
    assert all(("Stop ends a run" in fault) == (is_edit and is_stop_meant) for fault in faults)
    n_known = OF_THE_LAST_RUN["num_users"]
    assert posted.options(MultiDict(form), before, False)["num_users"] == (n_known if is_refused else int(n_users))


OF_THE_LAST_RUN = {
    "seed": "1",
    "sweep": "1,2",
    "num_users": 3,
    "tags": None,
    "spawn_rate": 5.0,
    "run_time": 20,
    "user_classes": ["Second"],
}


@pytest.mark.parametrize(
    ("form", "has_class_picker", "changed"),
    [
        pytest.param({"seed": "5", "tags": "x"}, False, {"seed": "5", "run_time": None}, id="the-suites-and-no-others"),
        pytest.param(
            {"user_count": "7", "spawn_rate": "0.5", "run_time": "1m"},
            False,
            {"num_users": 7, "spawn_rate": 0.5, "run_time": 60},
            id="locusts-load",
        ),
        pytest.param({"run_time": "0"}, False, {"run_time": None}, id="no-end"),
        pytest.param(
            {"user_count": "x", "spawn_rate": "y", "run_time": "z"}, False, {"run_time": None}, id="none-can-be-read"
        ),
        pytest.param({"user_classes": "First"}, False, {"run_time": None}, id="classes-without-the-picker"),
        pytest.param({}, True, {"run_time": None, "user_classes": []}, id="all-classes"),
        pytest.param({"user_classes": "First"}, True, {"run_time": None, "user_classes": ["First"]}, id="a-class"),
    ],
)
def test_what_a_form_says_comes_before_what_was_said(form, has_class_picker, changed):
    before = SimpleNamespace(parsed_options=SimpleNamespace(**OF_THE_LAST_RUN))
    found = posted.options(MultiDict(form), before, has_class_picker)

    assert found == {**OF_THE_LAST_RUN, **changed}


OWN_OPTION = {"is_secret": False, "help_text": "", "choices": None}


@pytest.mark.parametrize(
    ("value", "is_secret", "text", "told"),
    [
        pytest.param(3, False, "4", "", id="whole"),
        pytest.param(3, False, "x", "'x': expected a whole number", id="not-whole"),
        pytest.param(3, False, "", "is empty: expected a whole number", id="empty"),
        pytest.param(3, True, "", "", id="a-secret-that-stays"),
        pytest.param(3, True, "12x34", "(its value is not shown): expected a whole number", id="a-secret"),
        pytest.param(0.5, False, "1e3", "", id="a-number"),
        pytest.param(0.5, False, "1,5", "'1,5': expected a number", id="no-number"),
        pytest.param([1], False, "1,2", "", id="whole-ones"),
        pytest.param([], False, "", "", id="none-yet"),
        pytest.param([], False, "1,x", "'1,x': expected whole numbers, such as 1,2", id="not-all-whole"),
        pytest.param(["a"], False, "1,x", "", id="texts"),
        pytest.param("a", False, "", "", id="a-text"),
        pytest.param(None, False, "x", "", id="nothing-yet"),
        pytest.param(True, False, "perhaps", "", id="a-switch"),
    ],
)
def test_a_locustfiles_own_option_takes_what_locust_can_read(monkeypatch, value, is_secret, text, told):
    one = {**OWN_OPTION, "default_value": value, "is_secret": is_secret}
    monkeypatch.setattr(start_extras, "ui_extra_args_dict", lambda: {"own_one": one})
    parser = argparse.ArgumentParser()
    parser.add_argument("--own-one")
    monkeypatch.setattr(start_extras, "get_parser", lambda: parser)
    options = SimpleNamespace(own_one=value)
    extras = start_extras.Extras(
        SimpleNamespace(environment=SimpleNamespace(parsed_options=options)), nothing_to_choose()
    )

    assert extras.faults({"own_one": text}) == ([f"--own-one {told}"] if told else [])


@pytest.mark.parametrize(
    ("value", "is_secret", "is_sent"),
    [
        pytest.param("a", False, True, id="a-text"),
        pytest.param("a", True, False, id="a-secret"),
        pytest.param(None, False, False, id="nothing-yet"),
        pytest.param([], False, False, id="no-list-yet"),
        pytest.param([1], False, True, id="a-list"),
    ],
)
def test_an_own_option_that_holds_nothing_and_is_left_so_stays_what_it_is(monkeypatch, value, is_secret, is_sent):
    one = {**OWN_OPTION, "default_value": value, "is_secret": is_secret}
    monkeypatch.setattr(start_extras, "ui_extra_args_dict", lambda: {"own_one": one})
    environment = SimpleNamespace(parsed_options=SimpleNamespace(own_one=value), available_shape_classes=None)
    extras = start_extras.Extras(
        SimpleNamespace(environment=environment, userclass_picker_is_active=False), nothing_to_choose()
    )

    assert extras.for_locust({}, {"own_one": ""}, [], None) == ([("own_one", "")] if is_sent else [])


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        pytest.param(SWEEP, "Default", id="a-sweep"),
        pytest.param(RATES, "Default", id="rates"),
        pytest.param(SEARCH, "Default", id="a-search"),
        pytest.param(IMAGES, "Stairs", id="images"),
        pytest.param(PLAIN, "Stairs", id="plain-users"),
        pytest.param(None, "Stairs", id="no-kind-was-chosen"),
    ],
)
def test_a_load_shape_that_is_not_seen_is_not_picked(monkeypatch, kind, sent):
    monkeypatch.setattr(start_extras, "ui_extra_args_dict", dict)
    environment = SimpleNamespace(available_user_classes={"Users": object}, available_shape_classes={"Stairs": object})
    extras = start_extras.Extras(
        SimpleNamespace(environment=environment, userclass_picker_is_active=True), nothing_to_choose()
    )

    assert extras.for_locust({"shape_class": "Stairs"}, {}, [], kind) == [("shape_class", sent)]


# Places of faults


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        *(pytest.param(f"{flag} 'x: -t': expected y; pass --rate", (name,), id=name) for name, flag in FLAGS.items()),
        pytest.param("--rate and --num-tests exclude each other: leave --sweep", ("rate", "num_tests"), id="of-two"),
        pytest.param(
            "--tls-ca-file, --tls-key-file without --tls: add --tls",
            ("tls", "tls_ca_file", "tls_key_file"),
            id="of-a-list",
        ),
        pytest.param(
            "--threshold 'p99[users=3] < 5ms': expected users= one of 1 (--sweep)",
            ("threshold",),
            id="advice-in-brackets",
        ),
        pytest.param("number of users 'x': expected a whole number from 1 to 9", ("user_count",), id="users"),
        pytest.param("ramp up '0': expected users started a second, above 0", ("spawn_rate",), id="ramp-up"),
        pytest.param("run time 'abc': expected 20", ("run_time",), id="run-time"),
        pytest.param("Invalid user_count value: 'x' (must be an integer)", ("user_count",), id="locusts-users"),
        pytest.param("Invalid spawn_rate value: 'x' (must be a number)", ("spawn_rate",), id="locusts-ramp-up"),
        pytest.param(
            "Missing or invalid user_count or spawn_rate from /swarm request",
            ("user_count", "spawn_rate"),
            id="locusts-both",
        ),
        pytest.param("Valid run_time formats are : 20, 20s, 3m", ("run_time",), id="locusts-run-time"),
        pytest.param("host 'a:1': --metadata holds a secret", ("host",), id="host-in-words"),
        pytest.param("dataset 'x': expected mnist5k (shipped)", ("dataset",), id="dataset-in-words"),
        pytest.param("/some/where/t10k-images: expected an IDX header", ("dataset",), id="a-file-of-the-dataset"),
        pytest.param(
            "no model server answers at a:1: start one, or pass another --host, or --wait", ("host",), id="advice-alone"
        ),
        pytest.param(
            "the server at a:1 has no model 'm' (x): pass --model-name", ("model_name",), id="advice-before-the-server"
        ),
        pytest.param(
            "the server at a:1 does not let us in (x): pass the token with --metadata, or --tls-cert-file",
            ("host",),
            id="advice-that-is-no-field",
        ),
        pytest.param("no worker is connected: start one with --worker, and try again", (), id="of-no-field"),
        pytest.param("--metadata (its value is not shown): expected key=value", (), id="of-no-field-of-the-form"),
        pytest.param(
            "load shape '--sweep': expected one of Default", ("shape_class",), id="what-was-typed-names-nothing"
        ),
        pytest.param("another run is being started or stopped: try again in a moment", (), id="of-the-moment"),
    ],
)
def test_a_fault_is_of_the_fields_that_it_names_before_what_it_advises(fault, names):
    assert fields_of(fault, dataset="/some/where") == names


@pytest.mark.parametrize("typed", ["./digits", "~/digits", "digits/", " digits "])
def test_a_fault_of_a_file_finds_the_data_set_however_its_path_was_typed(tmp_path, monkeypatch, typed):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()

    with pytest.raises(DataError) as caught:
        load(typed.strip())

    assert fields_of(str(caught.value), dataset=typed) == ("dataset",)


def test_a_fault_stands_at_its_field_without_the_fields_own_flag():
    placed = place(["--sweep 'x': expected numbers"], ["sweep"])

    assert placed.at == {"sweep": ["'x': expected numbers"]}
    assert placed.elsewhere == []


def test_a_fault_of_several_fields_stands_as_it_is_where_it_is_cured_and_the_others_lead_there():
    both, three = "--rate and --num-tests exclude each other: leave one", "--rate, --tls and --seed: leave one"
    placed = place([both, three, "--rate 'x': expected rates"], ["num_tests", "seed", "rate", "tls"])

    assert placed.at == {"rate": [both, three, "'x': expected rates"]}
    assert placed.see == {"num_tests": ["rate"], "seed": ["rate"], "tls": ["rate"]}
    assert placed.marked == ["rate", "num_tests", "seed", "tls"]


# Options that do not go together, by the field at which the fault stands; the others lead there.
TOGETHER = {
    "exclusive": ({"model_version": "1", "model_label": "x"}, "model_version", ["model_label"]),
    "files-without-tls": ({"tls_ca_file": "x"}, "tls", ["tls_ca_file"]),
    "a-key-alone": ({"tls": "true", "host": "a:1", "tls_key_file": "x"}, "tls_cert_file", ["tls_key_file"]),
    "tls-without-a-server": ({"tls": "true"}, "host", ["tls"]),
    "a-search-of-nothing": ({"find_max_rate": "1:9"}, "threshold", ["find_max_rate"]),
    "a-search-with-levels": (
        {"find_max_rate": "1:9", "threshold": "p99[rate=5] < 1s"}, "threshold", ["find_max_rate"],
    ),
    "a-level-that-is-not-there": ({"sweep": "1,2", "threshold": "p99[users=8] < 1s"}, "threshold", ["sweep"]),
    "a-rate-that-is-not-there": ({"rate": "5", "threshold": "p99[rate=8] < 1s"}, "threshold", ["rate"]),
    "a-sweep-without-one-user": ({"sweep": "2,4", "threshold": "parallelism > 1"}, "sweep", ["threshold"]),
    "a-sweep-of-too-few": ({"sweep": "1,2", "threshold": "parallelism > 3"}, "sweep", ["threshold"]),
    "more-than-is-sent": ({"rate": "5", "threshold": "rate > 900/s"}, "threshold", ["rate"]),
    "nothing-is-compared": ({"threshold": "mismatched_rate < 1%"}, "verify", ["threshold"]),
    "warm-ups-of-no-images": ({"warm_up_requests": "5"}, "num_tests", ["warm_up_requests"]),
}  # fmt: skip


@pytest.mark.parametrize(("given", "at", "see"), TOGETHER.values(), ids=TOGETHER)
def test_options_that_do_not_go_together_are_all_marked_and_the_fault_stands_where_it_is_cured(given, at, see):
    with pytest.raises(SettingsError) as caught:
        Settings.parse(given, given.get("host"))
    placed = place(caught.value.faults, list(FLAGS))

    assert list(placed.at) == [at]
    assert placed.see == {name: [at] for name in see}


def test_a_search_with_levels_too_short_is_cured_by_longer_ones():
    asked = Settings.parse({"find_max_rate": "5:90", "level_duration": "2", "threshold": "p99 < 1s"}, None)
    placed = place(plan.faults(asked.load, asked.checks.thresholds), list(FLAGS))

    assert list(placed.at) == ["level_duration"]
    assert placed.see == {"find_max_rate": ["level_duration"]}


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        pytest.param("--num-tests 9: the data set x holds 5; pass 5, or another --dataset", ("num_tests", "dataset")),
        pytest.param("--verify 9: the run fires 5 images; pass 5, or a larger --num-tests", ("verify", "num_tests")),
        pytest.param("no model server answers at a:1: pass another --host, or --wait 60", ("host",)),
        pytest.param("no model server answers at a:1: pass another --host, or a longer --wait", ("host", "wait")),
    ],
)
def test_what_is_to_be_another_has_to_do_with_it_too(fault, names):
    assert fields_of(fault) == names


def test_a_fault_whose_field_is_not_shown_stands_elsewhere():
    assert place(["--sweep 'x': expected numbers"], ["rate"]).elsewhere == ["--sweep 'x': expected numbers"]


def test_no_kind_of_load_has_a_field_that_is_not_there():
    names = fields_by_name()

    assert set(load_kinds.FIELDS) <= set(names)
    assert dataclasses.asdict(PLAIN)["suggested"] == ""
