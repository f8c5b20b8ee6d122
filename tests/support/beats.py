"""Beats of workers' pulses."""

from tfsload.run import messages


def beat(master, worker, **told):
    whole = {"n_users": 1, "held": [], "newest": -1, "n_open": 0, "n_stuck": 0, "n_discarded": 0, "counted": None}
    data = {"run": 1, "has_sent": False, "has_answered": False, **whole, **told}
    master.receive(messages.PULSE, data, worker)


STUCK = {"n_open": 1, "n_stuck": 1}
