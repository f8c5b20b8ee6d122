"""Which options go together: what is wrong with a whole of them, though each is good by itself."""

from collections.abc import Mapping
from typing import Any

from tfsload.settings import threshold_rules
from tfsload.settings.options import OPTIONS

HIGHEST_EXIT_CODE = 255


def faults(fields: Mapping[str, Any], host: str | None) -> list[str]:
    """Return what is wrong with values that were read, a sentence each.

    Args:
        fields: by `Option.field`; one that could not be read is missing.
        host: the server's address, as it was given; empty or None: the embedded server.
    """
    found = []
    if fields.get("model.version") is not None and fields.get("model.label"):
        found.append("--model-version and --model-label exclude each other: leave one out")
    return found + _tls_faults(fields, host) + _load_faults(fields) + threshold_rules.faults(fields)


def _tls_faults(fields: Mapping[str, Any], host: str | None) -> list[str]:
    files = [one.flag for one in OPTIONS if one.flag.startswith("--tls-") and fields.get(one.field)]
    if files and fields.get("connection.tls") is False:
        return [f"{', '.join(files)} without --tls: add --tls, or leave the files out"]
    if fields.get("connection.tls_key_file") and not fields.get("connection.tls_cert_file"):
        return ["--tls-key-file without --tls-cert-file: a key belongs to a certificate; pass --tls-cert-file, too"]
    if fields.get("connection.tls") and not host:
        return ["--tls without --host: the embedded server speaks none; name a server with --host, or leave --tls out"]
    return []


def _load_faults(fields: Mapping[str, Any]) -> list[str]:
    faults = []
    named = (("load.sweep", "--sweep"), ("load.rates", "--rate"), ("load.find_max_rate", "--find-max-rate"))
    given = [flag for field, flag in (*named, ("data.num_tests", "--num-tests")) if fields.get(field)]
    if len(given) > 1:
        faults.append(f"{' and '.join(given)} exclude each other: each says how long the run is; leave one")
    if fields.get("load.warm_up_requests") and fields.get("data.num_tests") == 0:
        warm_up = "leave it out: --warm-up is the one of levels" if given else "add --num-tests N, or leave it out"
        faults.append(
            f"--warm-up-requests {fields['load.warm_up_requests']} without --num-tests: it comes before the images "
            f"that --num-tests counts; {warm_up}"
        )
    if fields.get("load.find_max_rate") and fields.get("checks.thresholds") == ():
        faults.append("--find-max-rate without --threshold: say what must hold, such as --threshold 'p99 < 50ms'")
    return faults


def exit_code_faults(on_error: int) -> list[str]:
    """Return what is wrong with `--exit-code-on-error`: a shell would see another code than was asked for."""
    if 0 <= on_error <= HIGHEST_EXIT_CODE:
        return []
    return [f"--exit-code-on-error {on_error}: expected a whole number from 0 to {HIGHEST_EXIT_CODE}"]
