"""The messages between coordinator and participants.

Their data are dicts of plain numbers, texts, lists and dicts with text keys: anything else (a numpy
integer, say) would silently end a worker's reporting. Each names the run it belongs to, so that a
late message of an earlier run is told apart.

| message | from → to | data beside `run` |
| --- | --- | --- |
| JOINED | participant → coordinator | it runs users from now on; `protocol`: `PROTOCOL` |
| LEASE_WANTED | participant → coordinator | `held` and `newest`, as in PULSE |
| LEASE | coordinator → participant | `lease`: [number, start, stop], or None while nothing is free; `is_warming_up` |
| LEASE_DONE | participant → coordinator | `lease`: number, `rows`: what was recorded under it |
| PULSE | participant → coordinator | once a second: what it has in hand |
| REFERENCES_WANTED | participant → coordinator | with `--verify`: once a run, before its users fire |
| REFERENCES | coordinator → participant | `rows`: the answers without load, as `References.to_plain` has them |
| LEVEL | coordinator → participant | a level to be measured, and which share of its arrivals is the participant's |
| LEVEL_DONE | participant → coordinator | `level`: number, `rows`: what was recorded, and the worker's own figures |
| DRAIN | coordinator → participants | stop the users and hand over the rest |
| DRAINED | participant → coordinator | `rows`: all that was not yet reported, `open`, `n_reported`, `is_broken` |
| UNFIT | participant → coordinator | `reason`: why this worker cannot take part |

PULSE holds `n_users` (that live and fire images), `held` (numbers of the leases that it holds), `newest` (the
highest number of a lease that it was given; -1: none), `n_open` (requests of them that have not ended), `n_stuck`
(requests in hand for far longer than their deadline), `has_sent` and `has_answered` (whether a request was sent
or waited, and whether one had an answer, since the last pulse), `n_discarded` (requests of leases given up),
`held_up` (of the last times that the process stood still: when, in nanoseconds since 1970, and how long in ns), and
`counted` (the fields of `LevelCounts` of the level that is measured; null: none is).
In a run without leases, and where `has_answered`, users of all classes count in `n_users`, and `n_stuck` is 0.
In LEASE, `is_warming_up` tells whether a lease is of the warm-up, and where there is none, that its last is awaited.
LEVEL holds `level` (number), `rate_rps` (null: closed load), `warm_up_s`, `duration_s`, `share` and `n_shares`.
LEVEL_DONE holds `cpu` (the fields of `CpuShares`), `n_users`, `round_trip_ns` (null: not measured), and of the process
its `pid` and its `place` (which machine it is on, and which processes are seen there; empty: not known).
In DRAINED, `open` holds pairs of a lease and its requests that were not made, `n_reported` counts the requests
outside leases in all reports and in this message, and `is_broken` tells whether an exception has escaped.

Worker reports carry `{REPORT_KEY: {"run", "rows", "unix_ns", "n_undelivered"}}`: what was recorded outside leases since
the last one.
They carry `{BEFORE_RESET_KEY: {"run", "requests", "errors"}}` where Locust has emptied a worker's statistics meanwhile:
`requests` holds [name, type, how many], `errors` [type, name, words, how many].
Every message with rows, and each PULSE, says in `unix_ns` what the sender's clock shows, in nanoseconds since 1970;
those with rows in `n_undelivered` how many requests were answered under leases that are not worked off.
"""

from tfsload.settings.options import OWN_PREFIX

# Goes up with each change to what stands here. Processes with different ones do not understand each other.
PROTOCOL = 17

JOINED = "tfsload_joined"
LEASE_WANTED = "tfsload_lease_wanted"
LEASE = "tfsload_lease"
LEASE_DONE = "tfsload_lease_done"
PULSE = "tfsload_pulse"
REFERENCES_WANTED = "tfsload_references_wanted"
REFERENCES = "tfsload_references"
LEVEL = "tfsload_level"
LEVEL_DONE = "tfsload_level_done"
DRAIN = "tfsload_drain"
DRAINED = "tfsload_drained"
UNFIT = "tfsload_unfit"
REPORT_KEY = "tfsload"
BEFORE_RESET_KEY = "tfsload_before_reset"

# Set among the parsed options by the coordinator: Locust takes them to the workers with each spawn message, so they are
# short. What is long is asked for by the worker: a message that is pushed does not reach one that comes late.
# They begin with what marks the suite's own options, which nobody else sets.
RUN_NUMBER_OPTION = f"{OWN_PREFIX}run_number"
# `PROTOCOL` of the coordinator.
PROTOCOL_OPTION = f"{OWN_PREFIX}protocol"
# The fingerprint of the images, labels and class names: a worker with others would measure something else.
RUN_DATA_OPTION = f"{OWN_PREFIX}run_data"
# How the model is called, as `tfsload.run.kinds.calls_text` has it: the leader has found it, and workers ask no server.
# What classes are called they know from the data set, which may have a hundred thousand.
CALL_SPEC_OPTION = f"{OWN_PREFIX}call_spec"
# With `--processes`: the process that forked the workers. Those of another run may find this one's port.
FORKED_BY_OPTION = f"{OWN_PREFIX}forked_by"
# What they speak, `Spoken.key`: a worker's locustfile may hold classes of several protocols.
SPOKEN_OPTION = f"{OWN_PREFIX}spoken"
# Where predictions go: `host` on a user class, or the embedded server, is no host of Locust's.
ADDRESS_OPTION = f"{OWN_PREFIX}address"
