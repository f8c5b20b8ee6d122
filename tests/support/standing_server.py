"""A server that stands still at times that a test sets, and for how long a run took; without waiting."""

from tests.support.past_runs import SECOND
from tfsload.suite.run_time import RunTime

BEGIN_NS = 10 * SECOND
NEVER = 1000.0


def ran(seconds, limit_s=None):
    now_s = iter((0.0, seconds))
    run_time = RunTime(seconds if limit_s is None else limit_s, clock_s=lambda: next(now_s))
    run_time.end()
    return run_time


class Server:
    """Answers after a while, but for the times in which it is frozen: then after those, if it is still waited for."""

    def __init__(self, past, frozen=(), latency_s=0.02, lost=(), deadline_s=5.0, unjudged=None):
        self.past, self.frozen, self.latency_s, self.deadline_s = past, frozen, latency_s, deadline_s
        self.lost = set(lost)  # numbers of requests that get no answer
        self.unjudged_s = unjudged or (NEVER, NEVER)  # from when to when a user class could not judge what it answered
        self.n_sent = 0

    def answers_at(self, sent_s):
        """Return when a request is answered, or given up, and whether it is answered."""
        self.n_sent += 1
        done_s = sent_s + self.latency_s
        for from_s, to_s in self.frozen:
            if sent_s < to_s and done_s > from_s:
                done_s = to_s + self.latency_s
        if self.n_sent in self.lost or done_s - sent_s > self.deadline_s:
            return sent_s + self.deadline_s, False
        return done_s, True

    def serve(self, n_users, until_s, wait_s=0.0, n_images=None, begin_ns=BEGIN_NS):
        """Let users send one request after the other until the end; return when the last one has ended."""
        now_s = [number * 0.001 for number in range(n_users)]
        while n_images is None or self.n_sent < n_images:
            user = min(range(n_users), key=lambda number: now_s[number])
            sent_s = now_s[user]
            if sent_s >= until_s:
                break
            done_s, is_answered = self.answers_at(sent_s)
            sent_ns = begin_ns + int(sent_s * SECOND)
            if done_s >= until_s and n_images is None:
                self.past.recorder.count_cut_off(sent_ns, sent_ns, begin_ns + int(until_s * SECOND), None)
            else:
                from_s, to_s = self.unjudged_s
                code = "UNJUDGED" if from_s <= done_s < to_s else ""
                code = code if is_answered else "DEADLINE_EXCEEDED"
                self.past.fire(self.n_sent % 1000, sent_ns, int((done_s - sent_s) * SECOND), code=code)
            now_s[user] = done_s + wait_s
        return max(now_s)
