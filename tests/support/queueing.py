"""A closed queue, simulated: users in flight, a way to the server that has room for all, and workers that serve.

It shares nothing with what it is to check: no formula, only who waits for whom. Every level of every run has a speed
of its own, as clocks, neighbours and memory layout give it; equal runs differ by that, whatever a level's slices tell.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfsload.analysis.scaling import LevelPoint

N_SLICES = 12


@dataclass(frozen=True)
class Queue:
    """A server and the way to it.

    Attributes:
        workers: k, so many requests are served at once.
        service_ms: how long each takes, on average.
        way_ms: how long a request is on its way, there and back together, on average.
        scatter: standard deviation of service times, relative; a gamma distribution.
        spread: standard deviation of the log of a level's speed.
        way_error: standard deviation of the log of a measured round trip.
    """

    workers: int
    service_ms: float = 2.0
    way_ms: float = 0.1
    scatter: float = 0.3
    spread: float = 0.05
    way_error: float = 0.15

    def sweep(self, random: np.random.Generator, users: Sequence[int], level_ms: float) -> list[LevelPoint]:
        """Return what a client of it would measure."""
        return [self._level(random, count, level_ms) for count in users]

    def round_trip_ns(self, random: np.random.Generator) -> float:
        """Return what a client would measure of calls that ask the server for nothing."""
        return self.way_ms * 1e6 * random.lognormal(0, self.way_error)

    def _level(self, random: np.random.Generator, users: int, level_ms: float) -> LevelPoint:
        slowness = random.lognormal(0, self.spread)
        most = int(level_ms / self.service_ms * self.workers * 2) + 100 * users
        services = (random.gamma(1 / self.scatter**2, self.service_ms * self.scatter**2, most) * slowness).tolist()
        ways = (random.gamma(25, self.way_ms / 50, 2 * most) * slowness).tolist()  # one way, each of two
        arrivals = [(way, 0.0) for way in ways[:users]]  # when a request comes, and when it was sent
        heapq.heapify(arrivals)
        free = [0.0] * self.workers
        done, latencies = [], []
        begin, end = 0.2 * level_ms, 1.2 * level_ms
        for number in range(most - users):
            arrival, sent = heapq.heappop(arrivals)
            served = max(arrival, free[0]) + services[number]
            heapq.heapreplace(free, served)
            answered = served + ways[most + number]
            if begin <= answered < end:
                done.append(answered)
                latencies.append(answered - sent)
            if arrival >= end:
                break
            heapq.heappush(arrivals, (answered + ways[users + number], answered))
        else:
            raise AssertionError("the level was to end before the service times did")
        counts, _ = np.histogram(done, N_SLICES, (begin, end))
        slice_s = level_ms / N_SLICES / 1e3
        rates = tuple((counts / slice_s).tolist())
        return LevelPoint(users, len(done) / level_ms * 1e3, float(np.mean(latencies)) * 1e6, rates)
