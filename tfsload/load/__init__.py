"""Which request, and when."""
