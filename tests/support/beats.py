"""Beats of workers' pulses."""

import time

from tfsload.run import messages


def beat(master, worker, **told):
    whole = {"n_users": 1, "held": [], "newest": -1, "n_open": 0, "n_stuck": 0, "n_discarded": 0, "counted": None}
    whole["held_up"] = []
    data = {"run": 1, "unix_ns": time.time_ns(), "has_sent": False, "has_answered": False, **whole, **told}
    master.receive(messages.PULSE, data, worker)


STUCK = {"n_open": 1, "n_stuck": 1}
