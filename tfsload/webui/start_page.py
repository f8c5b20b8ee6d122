"""The start page."""

from typing import Any

from flask import redirect, url_for

from tfsload.webui.site import Site


class StartPage:
    """The form by which a person starts a run."""

    def __init__(self, site: Site) -> None:
        """Answer to its route.

        Args:
            site: whose page it is.
        """
        site.blueprint.add_url_rule("/", "start", self._show)

    def _show(self) -> Any:
        return redirect(url_for("locust.index", locust=1))
