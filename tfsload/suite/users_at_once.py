"""How fast users start that fire each image once: all at once, unless `-r` says otherwise.

Locust starts one a second by default. All images are mostly fired in less, so that the first user would fire them
alone, and `-u 8 --num-tests 1000` would tell nothing of 8 requests in flight.
"""

from typing import Any


def fill_in(options: Any) -> None:
    """Set the users started a second to all of them, where each image is fired once and nothing was said.

    Args:
        options: Locust's and the suite's, as they were parsed; None and other options stay as they are.
    """
    n_images, n_users = getattr(options, "num_tests", None), getattr(options, "num_users", None)
    if n_images and n_users and options.spawn_rate is None:
        options.spawn_rate = float(n_users)
