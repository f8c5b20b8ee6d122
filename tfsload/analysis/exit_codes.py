"""How a run ends, for pipelines."""

PASS = 0
# Requests without an answer, or no server.
FAILED = 1
BAD_USAGE = 2
# A threshold was crossed.
THRESHOLD = 3
# The run cannot support a verdict.
INVALID = 4
