"""From a run's result to what people and pipelines read."""
