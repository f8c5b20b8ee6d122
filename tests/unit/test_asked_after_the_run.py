"""The server is asked once more after the load: what has become of files meanwhile costs no result."""

import trustme

from tfsload.run import checks
from tfsload.run.user_hosts import HostAsked
from tfsload.target.embedded import EmbeddedModel
from tfsload.target.preflight import Preflight
from tfsload.transport.grpc.transport import GrpcTransport


def test_a_tls_file_that_goes_during_a_run_does_not_cost_its_result(monkeypatch, tmp_path):
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    options = {"dataset": "mnist5k", "num_users": None, "tls": "true", "tls_ca_file": str(authority)}
    monkeypatch.setattr(checks, "ask_when_ready", lambda *_, **__: Preflight(1))
    checked = checks.check(options, HostAsked("127.0.0.1:9"), GrpcTransport, EmbeddedModel(), [])

    authority.unlink()

    assert checks.has_changed(checked) == ""  # nobody answers there, and nothing is raised
