"""What percentiles are, in the words of every output that has them: upper ends in levels, counted in a run without."""

from tfsload.analysis.percentiles import samples_needed
from tfsload.analysis.totals import Totals

# A percentile is so chosen that the level's own lies at or below it in 99 of 100 cases, if requests were independent.
PERCENTILES_ARE = "each percentile is the highest value it may have in a level (99%, if its requests were independent)"
# What is no upper end; before one stands "up to".
AS_COUNTED = "as counted"


def of_a_whole_run(totals: Totals) -> str:
    """Return what the percentiles of a run without levels are, and which of them carry no limit."""
    answered = totals.latency.count
    few = [f"p{one:g} ({samples_needed(one):,})" for one in totals.latency_ns if answered < samples_needed(one)]
    wants = f"; it wants more answers than these {answered:,} for {', '.join(few)}" if few else ""
    return f"percentiles {AS_COUNTED}; a limit on one is held against the highest value it may have (up to){wants}"
