"""The hot path: a process's equipment for a run, and the life of one prediction."""
