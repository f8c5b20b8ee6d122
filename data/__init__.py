"""The images a run sends, and the labels its answers are scored against.

`data.dataset.load` is the way in; nothing is imported here, so that a process pays only for what it uses.
"""
