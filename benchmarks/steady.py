"""A second locustfile that prints the rate between two instants of steady load, and then ends the run.

    locust -f locustfile.py,benchmarks/steady.py --headless …

A run's own rate counts from its first request, so it includes the time in which users are started: with thousands
of them, seconds. Here the process's requests are counted from `SETTLE_S` after the last user was started.
"""

import time

import gevent
from locust import events

SETTLE_S = 3.0
WINDOW_S = 6.0


@events.init.add_listener
def _on_init(environment, **_):
    environment.events.spawning_complete.add_listener(lambda **_: gevent.spawn(_measure, environment))


def _measure(environment) -> None:
    gevent.sleep(SETTLE_S)
    n_before, start_s = environment.stats.total.num_requests, time.perf_counter()
    gevent.sleep(WINDOW_S)
    n_after, stop_s = environment.stats.total.num_requests, time.perf_counter()
    print(f"steady rate {(n_after - n_before) / (stop_s - start_s):.1f} requests/s", flush=True)
    environment.runner.quit()
