"""The embedded model server as the default target: started when first needed, stopped at the end."""

import logging

from tfsload.analysis import exit_codes
from tfsload.datasets.shipped import shipped
from tfsload.settings.refusal import RunRefused
from tfsload.target.launcher import EmbeddedServer, ServerStartError
from tfsload.transport.spoken import GRPC, REST, Spoken
from tfsload.transport.words import quoted

logger = logging.getLogger(__name__)

SHIPPED_MODEL = "mnist"
_WITH_REST = "--rest_api_free_port"
# A killed process answers nobody any more, and is taken for a living one until the system has taken its memory back.
_KNOWN_WITHIN_S = 3.0


class EmbeddedModel:
    """Serves the shipped model on loopback, once it is asked for."""

    def __init__(self) -> None:
        self._server: EmbeddedServer | None = None

    def address(self, model_name: str, spoken: Spoken = GRPC) -> str:
        """Return the server's `host:port`, starting it if need be; anew where it has ended, or does not speak this yet.

        Args:
            model_name: the model that is asked for.
            spoken: what the run speaks.

        Raises:
            RunRefused: another model than the shipped one is asked for, or the server did not start.
        """
        if model_name != SHIPPED_MODEL:
            raise RunRefused(
                exit_codes.BAD_USAGE,
                [
                    f"--model-name {quoted(model_name)} without --host: the embedded server serves {SHIPPED_MODEL!r} "
                    "alone; pass --host with the address of the server that has it"
                ],
            )
        if self._server is None:
            logger.info(
                "No --host, and none on a user class of the suite's: starting the embedded model server (some seconds)"
            )
            self._server = self._start(spoken)
        elif self._server.has_ended:
            logger.warning("The embedded model server at %s has ended: starting another", self._server.address)
            self._server = self._start_again(self._server, spoken)
        elif not _address_of(self._server, spoken):
            logger.info("Starting the embedded model server anew, with a port for %s (some seconds)", spoken.name)
            self._server = self._start_again(self._server, spoken)
        return _address_of(self._server, spoken)

    def _start_again(self, before: EmbeddedServer, spoken: Spoken) -> EmbeddedServer:
        """Return another server in the place of one, at the same port if that is free, with what both are to speak."""
        # Pages of the web UI that are open still send its address.
        port = before.address.rpartition(":")[2]
        with_rest = REST if before.rest_address else spoken
        self.stop()
        try:
            return self._start(with_rest, f"--port={port}")
        except RunRefused:
            return self._start(with_rest)

    def has_just_ended(self) -> bool:
        """Whether the server that does not answer has ended: of one that is killed that is known a moment later."""
        return self._server is not None and self._server.ends_within(_KNOWN_WITHIN_S)

    def _start(self, spoken: Spoken, *flags: str) -> EmbeddedServer:
        flags = (*flags, *(() if spoken is GRPC else (_WITH_REST,)))
        try:
            server = EmbeddedServer.start(SHIPPED_MODEL, shipped(f"models/{SHIPPED_MODEL}"), flags)
        except ServerStartError as error:
            raise RunRefused(exit_codes.FAILED, [f"the embedded model server did not start: {error}"]) from None
        logger.info("The embedded model server is at %s", _address_of(server, spoken))
        return server

    def stop(self) -> None:
        """Stop the server, if it was started."""
        if self._server is not None:
            self._server.stop()
            self._server = None


def _address_of(server: EmbeddedServer, spoken: Spoken) -> str:
    """Return where a server speaks something; empty: it does not."""
    return server.rest_address if spoken is REST else server.address
