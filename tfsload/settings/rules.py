"""Which options go together: what is wrong with a whole of them, though each is good by itself."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from tfsload.settings import threshold_rules
from tfsload.settings.options import OPTIONS
from tfsload.transport.spoken import SPOKEN, Spoken
from tfsload.transport.words import quoted

HIGHEST_EXIT_CODE = 255


def faults(fields: Mapping[str, Any], host: str | None, spoken: Spoken) -> list[str]:
    """Return what is wrong with values that were read, a sentence each.

    Args:
        fields: by `Option.field`; one that could not be read is missing.
        host: the server's address, as it was given; empty or None: the embedded server.
        spoken: what the run speaks.
    """
    found = _of_another(fields, spoken)
    if fields.get("model.version") is not None and fields.get("model.label"):
        found.append("--model-version and --model-label exclude each other: leave one out")
    return found + _tls_faults(fields, host) + _load_faults(fields) + threshold_rules.faults(fields)


def tls_by_address(fields: MutableMapping[str, Any], host: str | None, named_by: str) -> list[str]:
    """Have TLS spoken where the address says so; return what is wrong where it says otherwise than an option.

    Args:
        fields: by `Option.field`; that of TLS may be set.
        host: the server's address, as it was given.
        named_by: what names it.
    """
    is_https = str(host or "").strip().lower().startswith("https://")
    is_http = str(host or "").strip().lower().startswith("http://")
    if is_http and fields.get("connection.tls"):
        cure = "write https:// where it speaks TLS, or leave --tls out"
        return [f"{named_by} {quoted(host or '')} names an address without TLS, and --tls asks for it: {cure}"]
    if is_https and fields.get("connection.tls") is False:
        fields["connection.tls"] = True
    return []


def _of_another(fields: Mapping[str, Any], spoken: Spoken) -> list[str]:
    """Return which options that say how something else is spoken were given, a sentence each."""
    defaults = {one.flag: (one.field, one.by_itself) for one in OPTIONS}
    found = []
    for other in SPOKEN.values():
        for flag in other.own_flags if other is not spoken else ():
            field, default = defaults[flag]
            if (value := fields.get(field, default)) != default:
                found.append(
                    f"{flag} {value}: it says how {other.name} is sent, and this run sends {spoken.name}: leave it "
                    f"out, or run {other.user_class}"
                )
    return found


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
