"""From what was measured to what it means: pure functions over plain data."""
