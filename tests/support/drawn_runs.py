"""Runs of whatever requests, summed up as any run is: what belongs together does, unlike in `any_result`."""

from dataclasses import dataclass

from hypothesis import reject
from hypothesis import strategies as st

from tests.support.any_result import Unprinted
from tests.support.golden import result_of
from tests.support.past_runs import MS, SECOND, PastRun
from tfsload.analysis.limit import Ending, SearchResult
from tfsload.analysis.option_limits import LEAST_LEVEL_S, MAX_USERS
from tfsload.records.cpu import CpuShares
from tfsload.records.level import Disturbance, Level, LevelRun
from tfsload.records.window import Window
from tfsload.settings.settings import SettingsError

BEGIN_NS = 20 * SECOND
LATENCIES_NS = st.sampled_from([0, 1, 1000, MS, 50 * MS, SECOND, 3600 * SECOND]) | st.integers(0, 100 * MS)
CODES = st.sampled_from(["", "", "", "UNAVAILABLE", "DEADLINE_EXCEEDED", "ODD \x00|<b>"])
LIMITS = st.lists(
    st.sampled_from(
        [
            *("p99 < 50ms", "p50 < 1us", "mean < 1ms", "max < 10ms", "rate > 1", "right_rate[20ms] > 1"),
            *("error_rate < 1%", "failed_rate < 0.1%", "wrong_rate < 50%", "recall[5] > 99%", "recall[999] > 1%"),
        ]
    ),
    max_size=4,
    unique=True,
)
NOTES = st.sampled_from(["", "a=<b>\x01", "+1=@x", "k=" + "x" * 500])
USERS = st.sampled_from([1, 1, 2, 3, 8, 64, MAX_USERS])
RATES = st.sampled_from([0.01, 0.5, 1.0, 1.0000001, 100.0, 12345.678, 1e6])
PROBED = st.sampled_from([100.0, 200.0, 283.0, 400.0])


@dataclass(frozen=True)
class _Sent:
    """Requests of one image that left one nanosecond after another."""

    at_ns: int
    latency_ns: int
    code: str
    count: int
    lag_ns: int
    image: int
    n_mismatched: int | None


def _sent(begin_ns, duration_ns, n_images=1000):
    """Return a strategy for requests about a span, at its borders rather often."""
    borders = (-1, 0, 1, duration_ns // 2, duration_ns - 1, duration_ns, duration_ns + 1)
    at_ns = st.sampled_from(borders) | st.integers(-SECOND, duration_ns + SECOND)
    one = st.builds(
        _Sent,
        at_ns=at_ns.map(lambda ns: begin_ns + ns),
        latency_ns=LATENCIES_NS,
        code=CODES,
        count=st.integers(1, 60),
        lag_ns=st.sampled_from([0, 0, 1, MS, 10 * SECOND]),
        image=st.integers(0, n_images - 1),
        n_mismatched=st.sampled_from([None, None, 0, 1]),
    )
    return st.lists(one, max_size=12)


def _fire(past, sent):
    for number in range(sent.count):
        n_mismatched = None if sent.code else sent.n_mismatched
        past.fire(sent.image, sent.at_ns + number, sent.latency_ns + number, sent.lag_ns, sent.code, n_mismatched)


def _offer(past, sent):
    """Count arrivals; return whether there were users for them."""
    is_sent = sent.image % 9 != 0
    for number in range(sent.count):
        due_ns = sent.at_ns + number - sent.lag_ns
        past.recorder.count_offered(due_ns)
        (past.recorder.count_sent if is_sent else past.recorder.count_dropped)(due_ns)
    return is_sent


@st.composite
def _level_runs(draw, level):
    shares = st.builds(CpuShares, st.sampled_from([0.0, 0.3, 1.2]), st.sampled_from([0.0, 0.5]), st.just(1e9))
    return LevelRun(
        level,
        n_workers=draw(st.integers(0, 2)),
        missing_workers=draw(st.sampled_from([(), ("w\x00<b>",)])),
        n_users=draw(st.integers(0, level.users)),
        cpu=tuple(draw(st.lists(shares, max_size=2))),
        round_trip_ns=draw(st.sampled_from([None, 0, 1, MS, 10 * SECOND])),
        disturbance=draw(st.sampled_from([None, None, Disturbance("a user left", "keep it")])),
        begun_s=draw(st.sampled_from([None, 0.0, 12.0 * level.number])),
    )


def _hold(draw, past, levels, warm_up_s, duration_s):
    begin_ns, duration_ns = BEGIN_NS, int(duration_s * SECOND)
    for number, (users, rate_rps) in enumerate(levels, 1):
        level = Level(number, users, rate_rps, warm_up_s, duration_s, "find_max_rate" in past.options)
        begin_ns += int(warm_up_s * SECOND)
        past.recorder.measure(Window.of(number, begin_ns, duration_ns, rate_rps is not None))
        past.runs.append(draw(_level_runs(level)))
        for sent in draw(_sent(begin_ns, duration_ns)):
            if rate_rps is None or _offer(past, sent):
                _fire(past, sent)
        begin_ns += duration_ns + draw(st.sampled_from([0, SECOND]))


@st.composite
def drawn_runs(draw):
    """Return the result of a run: of images, of a time, a sweep, rates or a search, stopped before its end or not."""
    kind = draw(st.sampled_from(["time", "num_tests", "sweep", "rate", "find_max_rate"]))
    limits = draw(LIMITS)
    if kind == "find_max_rate":  # which sets the rate
        limits = [one for one in limits if "rate > " not in one and "rate[" not in one] or ["p99 < 1s"]
    loads = draw(st.lists({"sweep": USERS, "rate": RATES}.get(kind, PROBED), min_size=1, max_size=5))
    duration_s, warm_up_s = (
        draw(st.sampled_from([LEAST_LEVEL_S, 1.0, 9.999, 1000.0])),
        draw(st.sampled_from([0.0, 2.0])),
    )
    asked = {"num_tests": str(draw(st.sampled_from([1, 3, 1000]))), "find_max_rate": "100:400"}
    asked |= dict.fromkeys(("sweep", "rate"), ",".join(f"{load:.12g}" for load in loads))
    options = {"threshold": "; ".join(limits), "note": draw(NOTES)} | ({kind: asked[kind]} if kind in asked else {})
    has_levels = kind in ("sweep", "rate", "find_max_rate")
    if has_levels:
        options |= {"level_duration": f"{duration_s:g}", "warm_up": f"{warm_up_s:g}"}
    try:
        past = PastRun({name: text for name, text in options.items() if text})
    except SettingsError:  # such as a threshold that no such rate can hold
        reject()
    if has_levels:
        held = loads[: draw(st.integers(0, len(loads)))]
        levels = [(load, None) if kind == "sweep" else (draw(USERS), load) for load in held]
        _hold(draw, past, levels, warm_up_s, duration_s)
        past.results.n_levels_left = len(loads) - len(held)
    else:
        for sent in draw(_sent(BEGIN_NS, draw(st.sampled_from([2, 5 * SECOND])), past.settings.data.num_tests or 1000)):
            _fire(past, sent)
    if kind == "find_max_rate":
        rates = [draw(st.none() | PROBED) for _ in range(3)]
        crossed = draw(st.sampled_from([(), ("crossed p99 < 1 s",)]))
        past.search = SearchResult(draw(st.sampled_from(Ending)), *rates, crossed, len(held), 100.0, 400.0, 12)
    past.results.n_users = draw(st.integers(0, 3))
    return Unprinted(result_of(past.end()))
