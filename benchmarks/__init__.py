"""How fast the load generator itself is, beside others: `python -m benchmarks.compare`."""
