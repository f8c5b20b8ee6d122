"""What load to offer, and when: levels, schedules of arrivals, the search for the limit."""
