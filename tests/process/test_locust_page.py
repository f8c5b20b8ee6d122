"""Locust's own page, over HTTP: the bar above it, and the suite's tabs in it."""

import html
import json
import urllib.error
import urllib.request

import pytest

from tests.support.hostile import MARKUP
from tests.support.locust_tables import (
    ACCURACY,
    LEVELS,
    class_figures,
    figures_shown,
    level_figures,
    of_all_classes,
    state_of,
)
from tests.support.runs import wait_until
from tests.support.web_ui import LEVEL, UNSET, WITH_LOGIN, web_ui_of


def bar(ui):
    return json.loads(ui.get("/tfsload/bar.json"))


def rows(ui, tab):
    """Return the rows of a tab, its state as it is read."""
    told = {one["key"]: one["data"] for one in ui.stats()["extended_stats"]}
    return [{key: text.replace("\u00a0", " ") for key, text in row.items()} for row in told[tab]]


def result_of(ui):
    return json.loads(ui.get(f"{bar(ui)['address']}/files/result.json"))


def page(ui):
    return ui.get("/?locust=1")


@pytest.mark.parametrize(
    "arguments", [pytest.param((), id="one-process"), pytest.param(("--processes", "2"), id="two-processes")]
)
def test_the_tabs_show_the_figures_of_the_result_and_the_bar_its_verdict(tmp_path, model_server, arguments):
    with web_ui_of(tmp_path, "--host", model_server.address, *arguments) as ui:
        before = bar(ui)
        assert ui.start(**LEVEL, sweep="1,2", threshold="p50 < 0.001ms")["success"]
        seen = []

        def has_ended():
            seen.append((bar(ui)["state"], [(row["level"], row["state"]) for row in rows(ui, LEVELS)]))
            return not bar(ui)["link"].startswith("Watch") and ui.n_summaries()

        wait_until(has_ended, "the end of the run")
        ui.wait_for_end()
        after, written = bar(ui), result_of(ui)
        levels, classes = rows(ui, LEVELS), rows(ui, ACCURACY)

    assert (before["state"], before["address"]) == ("Nothing under way", "")
    assert "Running" in {state for state, _ in seen}
    assert any(shown[1:] == [("1 user", "under way"), ("2 users", "to come")] for _, shown in seen)
    assert (after["state"], after["link"]) == (state_of(written), "Report of run 1")
    assert after["more"]
    assert levels[0]["state"] == state_of(written)
    keys = ("level", "rate", "median", "ninety", "tail", "errors", "wrong", "failed")
    assert figures_shown(levels[1:], *keys) == level_figures(written)
    assert all(row["remark"].startswith("p50 < 0.001 ms crossed: ") for row in levels[1:])
    assert classes[0]["label"] == of_all_classes(written)
    keys = ("label", "images", "right", "wrong", "recall", "precision")
    assert figures_shown(classes[1:], *keys) == class_figures(written)


def test_a_page_that_is_loaded_says_at_once_how_it_stands(ui):
    assert ui.start(**{**UNSET, "num_tests": "50"})["success"]
    ui.wait_for_end()
    told, shown = bar(ui), page(ui)

    assert f">{told['state']}</span>" in shown
    assert html.escape(told["more"]) in shown.replace("&#39;", "&#x27;")
    assert f'href="{told["address"]}"' in shown
    assert shown.index('id="tfsload-bar"') < shown.index('<div id="root">')
    assert [tab["title"] for tab in template_args(shown)["extended_tabs"]] == ["Levels", "Accuracy"]


def template_args(shown):
    return json.loads(shown.partition("window.templateArgs =")[2].partition("</script>")[0])


def test_a_run_without_levels_has_one_row_of_counters_and_then_of_its_result(ui):
    assert ui.start(**UNSET)["success"]
    wait_until(lambda: rows(ui, LEVELS)[0]["wrong"] not in ("–", "0"), "wrong answers to be counted")
    (under_way,) = rows(ui, LEVELS)
    ui.stop()
    ui.wait_for_end()
    (ended,) = rows(ui, LEVELS)

    assert (under_way["level"], under_way["state"]) == ("all", "under way")
    assert ended["state"] == bar(ui)["state"] == state_of(result_of(ui))
    assert ended["wrong"] == f"{result_of(ui)['totals']['wrong']:,}"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        pytest.param({"sweep": "1,x"}, "--sweep '1,x': expected", id="an-option"),
        pytest.param({"spawn_rate": "0"}, "ramp up '0'", id="a-field-of-locusts"),
        pytest.param({"model_name": MARKUP}, MARKUP, id="a-hostile-model-name"),
        pytest.param({"threshold": MARKUP}, MARKUP, id="a-hostile-threshold"),
    ],
)
def test_a_refused_start_is_told_as_text_until_another_is_taken(ui, form, why):
    # What is in the form is kept from a start that was taken: of one that is refused nothing is.
    assert not ui.start(**{**UNSET, **form})["success"]
    told, shown = bar(ui)["refusal"], page(ui)
    above = shown.partition('<div id="root">')[0]
    assert ui.start(**{**UNSET, "num_tests": "20", "model_name": "mnist", "threshold": ""})["success"]
    ui.wait_for_end()

    assert told.startswith("Not started: ")
    assert why in told
    assert "Not started: " in above
    assert MARKUP not in above
    assert bar(ui)["refusal"] == ""


def test_a_refused_change_of_a_run_is_told_in_the_bar_and_in_the_log(ui):
    assert ui.start(**{**UNSET, "sweep": "2", "level_duration": "30"})["success"]
    wait_until(lambda: bar(ui)["state"] == "Running", "the run")
    refused = ui.start(**{**UNSET, "sweep": "2", "level_duration": "30", "user_count": 9})
    told = bar(ui)

    assert not refused["success"]
    assert told["refusal"] == "Not changed: a run is under way, and its levels say how many users there are"
    assert told["state"] == "Running"
    assert any(told["refusal"] in line for line in ui.log())


def test_the_bar_lies_below_the_base_path(tmp_path, model_server):
    arguments = ("--host", model_server.address, "--web-base-path", "/load")
    with web_ui_of(tmp_path, *arguments, up_path="/load/") as ui:
        shown = ui.get("/load/?locust=1")
        told = json.loads(ui.get("/load/tfsload/bar.json"))
        script = ui.get("/load/tfsload/static/locust_bar.js")

    assert told["state"] == "Nothing under way"
    for address in ("bar.json", "runs/", "static/locust_bar.js", "static/locust_bar.css"):
        assert f'"/load/tfsload/{address}"' in shown
    assert "bar.dataset.address" in script


def test_the_bar_stands_behind_the_login(tmp_path, model_server):
    with web_ui_of(tmp_path, "--web-login", "--host", model_server.address, locustfile=WITH_LOGIN) as ui:
        with pytest.raises(urllib.error.HTTPError) as refused:
            ui.get("/tfsload/bar.json")
        statistics, shown = ui.ask("GET", "/stats/requests"), ui.get("/?locust=1")

    assert refused.value.code == 401
    assert statistics.status == 302
    assert "extended_stats" not in statistics.body
    assert "tfsload-bar" not in shown


def test_with_the_class_picker_a_sweep_runs_its_levels_on_workers_too(tmp_path, model_server):
    with web_ui_of(tmp_path, "--host", model_server.address, "--class-picker", "--processes", "2") as ui:
        form = {**LEVEL, "sweep": "1,2", "user_classes": "GrpcPredictionUser", "shape_class": "Default"}
        assert ui.start(**form)["success"]
        wait_until(ui.n_summaries, "the summary")
        ui.wait_for_end()
        shown = [row["level"].partition(" (")[0] for row in rows(ui, LEVELS)]

    assert shown == ["all levels together", "1 user", "2 users"]
