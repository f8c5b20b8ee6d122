"""The report as one page: a file that is sent, opened anywhere, and needs no network and no script."""
