"""How many requests a server has seen of a run, by its own count, is the sum of what the suite says of them."""

import json

import pytest

from tests.support.runs import PROJECT, run_headless
from tests.support.truth import truth_server

# From its 50th request on the server answers nobody, and still reads: in flight when users are stopped is then one of
# each. (A server that finds its client gone while it answers may leave unread what came last: nghttpd does.)
FREEZES = {"service_ms": 5, "freeze": [50, 60]}
PLAIN = {"service_ms": 5}
N_USERS = 8
USERS = ("-u", str(N_USERS), "-r", str(N_USERS))
FOR_SECONDS = (*USERS, "-t", "3s")
LEVELS = ("--level-duration", "1", "--warm-up", "0.5", "--stop-timeout", "10")
# So many predictions of each process tell how long a lone one takes, before a sweep that has a lone user.
N_OF_ROUND_TRIP = 5


@pytest.mark.parametrize(
    ("script", "arguments", "n_cut_off", "n_before"),
    [
        pytest.param(FREEZES, FOR_SECONDS, N_USERS, 0, id="run-time"),
        pytest.param(FREEZES, (*FOR_SECONDS, "--transport", "grpcio"), N_USERS, 0, id="grpcio"),
        pytest.param(FREEZES, (*FOR_SECONDS, "--processes", "2"), N_USERS, 0, id="two-processes"),
        pytest.param(FREEZES, (*FOR_SECONDS, "--verify", "30"), N_USERS, 30, id="compared"),
        pytest.param(PLAIN, (*FOR_SECONDS, "--stop-timeout", "10"), 0, 0, id="users-that-finish"),
        pytest.param(PLAIN, (*USERS, "--num-tests", "100", "--warm-up-requests", "20"), 0, 0, id="images"),
        pytest.param(PLAIN, (*USERS, "--rate", "100", *LEVELS), 0, 0, id="rate"),
        pytest.param(PLAIN, ("--sweep", "1,4", *LEVELS, "--processes", "2"), 0, 2 * N_OF_ROUND_TRIP, id="sweep"),
    ],
)
def test_a_servers_count_is_the_sum_of_the_suites(tmp_path, script, arguments, n_cut_off, n_before):
    with truth_server(tmp_path / "server", **script) as server:
        arguments = ("--host", server.address, "--deadline", "60", *arguments, "--report", str(tmp_path / "report"))
        run_headless(tmp_path / "run", *arguments, locustfile=PROJECT / "locustfile.py")
        served = server.end()

    result = json.loads((tmp_path / "report" / "result.json").read_text())
    parts = result["totals"], result["uncounted"]
    assert sum(part["cut_off"] for part in parts) == n_cut_off
    assert len(served) == sum(part["requests"] + part["cut_off"] for part in parts) + n_before
