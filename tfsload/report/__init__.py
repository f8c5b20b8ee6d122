"""What people and pipelines read: a report prints figures and computes none."""
