"""Every option, as text and as a checked value."""
