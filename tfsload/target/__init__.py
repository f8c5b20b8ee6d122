"""The server under test, asked before, between and after the load."""
