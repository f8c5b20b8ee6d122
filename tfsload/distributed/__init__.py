"""One run over many processes: the coordinator (master) and its participants (workers).

A process of its own without workers holds both, and Locust's LocalRunner passes the same messages to itself.
"""
