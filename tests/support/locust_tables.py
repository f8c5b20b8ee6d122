"""What the suite's tabs on Locust's page are to show of a run, by its result.json alone."""

from typing import Any

from tfsload.analysis.figures import NONE, count, latency_ms, percent, rate

STATES = {0: "✓ PASS", 1: "✗ FAILED", 3: "↑ THRESHOLD CROSSED", 4: "? INVALID"}
LEVELS, ACCURACY = "tfsload-levels", "tfsload-accuracy"


def state_of(written: dict[str, Any]) -> str:
    """Return a run's verdict as the bar and the first rows tell it."""
    return STATES[written["verdict"]["exit_code"]]


def of_all_classes(written: dict[str, Any]) -> str:
    """Return what the first row of all classes is called; of a busy machine's run that is INVALID errors stand."""
    if written["verdict"]["exit_code"] == 4:
        return "all: of a run that is INVALID; the error rate stands all the same: answers are counted, not timed"
    return f"all: {state_of(written)}"


def level_figures(written: dict[str, Any]) -> list[list[str]]:
    """Return of each level: name, requests/s, p50, p90 and p99 in ms, error rate, wrong and failed."""
    return [
        [
            level["name"],
            rate(level["achieved_rps"]),
            *(latency_ms(_end(level["upper_end_ns"], p)) for p in ("50", "90", "99")),
            percent(level["error_rate"]),
            count(level["wrong"]),
            count(sum(level["failed"].values())),
        ]
        for level in written["levels"]
    ]


def _end(upper_end_ns: Any, percentile: str) -> float | None:
    found = {f"{float(key):g}": value for key, value in dict(upper_end_ns).items()}[percentile]
    return None if found is None else float(found)


def class_figures(written: dict[str, Any]) -> list[list[str]]:
    """Return of each class: its label, images, right, wrong, recall and precision."""
    return [
        [
            str(one["label"]),
            count(one["images"]),
            count(one["right"]),
            count(one["images"] - one["right"]),
            percent(one["recall"]),
            percent(one["precision"]),
        ]
        for one in written["classes"]
    ]


def figures_shown(rows: list[dict[str, str]], *keys: str) -> list[list[str]]:
    """Return these cells of rows, without what stands beside a level's name."""
    return [[row[key].partition(" (")[0] for key in keys] for row in rows]


__all__ = ["ACCURACY", "LEVELS", "NONE", "class_figures", "figures_shown", "level_figures", "state_of"]
