"""The null server that benchmarks put into the suite's own process answers each request, over no network."""

from tests.support.runs import run_headless

BOTH = "locustfile.py,benchmarks/in_process.py"


def test_each_request_is_answered_as_the_null_server_answers(tmp_path):
    options = ("--host", "127.0.0.1:1", "--num-tests", "1000", "-u", "8", "-r", "8")
    ended = run_headless(tmp_path, *options, locustfile=BOTH)

    # Whatever the image, class 9 is answered: a tenth of them are nines.
    assert "90.00% of 1,000 predictions" in ended.stdout
    assert ended.exit_code == 0


def test_what_a_request_costs_is_measured_under_full_load(tmp_path):
    ended = run_headless(tmp_path, "--host", "127.0.0.1:1", "-u", "8", "-r", "8", "-t", "60s", locustfile=BOTH)

    cost_us, share = ended.stdout.partition("in process: ")[2].split(" µs of CPU a request at ")
    assert float(cost_us) > 0
    assert 0 < float(share.split()[0]) <= 1.1
