"""What was measured, exactly, and merged exactly."""
