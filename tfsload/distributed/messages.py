"""The messages between coordinator and participants.

Their data are dicts of plain numbers, texts, lists and dicts with text keys: anything else (a numpy
integer, say) would silently end a worker's reporting. Each names the run it belongs to, so that a
late message of an earlier run is told apart.

| message | from → to | data beside `run` |
| --- | --- | --- |
| LEASE_WANTED | participant → coordinator | |
| LEASE | coordinator → participant | `lease`: [number, start, stop], or None while nothing is free |
| LEASE_DONE | participant → coordinator | `lease`: number, `rows`: what was recorded under it |
| DRAIN | coordinator → participants | stop the users and hand over the rest |
| DRAINED | participant → coordinator | `rows`: all that was not yet reported, `open`: by lease, requests not made |
| UNFIT | participant → coordinator | `reason`: why this worker cannot take part |

Worker reports carry `{REPORT_KEY: {"run", "rows"}}`: what was recorded outside leases since the last one.
"""

LEASE_WANTED = "tfsload_lease_wanted"
LEASE = "tfsload_lease"
LEASE_DONE = "tfsload_lease_done"
DRAIN = "tfsload_drain"
DRAINED = "tfsload_drained"
UNFIT = "tfsload_unfit"
REPORT_KEY = "tfsload"

# Set among the parsed options by the coordinator: Locust takes them to the workers with each spawn message.
RUN_NUMBER_OPTION = "tfsload_run_number"
