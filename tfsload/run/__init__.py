"""One run over all its processes, from its check to its result."""
