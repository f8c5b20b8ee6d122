"""Addresses that REST is spoken to."""

import pytest

from tfsload.transport.address import AddressError, RestAddress, parse_rest_address

ADDRESSES = {
    "host-and-port": ("serving.local:8501", ("serving.local:8501", "serving.local", 8501, False)),
    "a-url": ("http://serving.local:8501", ("serving.local:8501", "serving.local", 8501, False)),
    "a-url-in-capitals": ("HTTP://Serving.Local:8501/", ("Serving.Local:8501", "Serving.Local", 8501, False)),
    "tls": ("https://serving.local:8443", ("serving.local:8443", "serving.local", 8443, True)),
    "http-has-its-port": ("http://serving.local", ("serving.local:80", "serving.local", 80, False)),
    "https-has-its-port": ("https://serving.local/", ("serving.local:443", "serving.local", 443, True)),
    "ipv6": ("[::1]:8501", ("[::1]:8501", "::1", 8501, False)),
    "ipv6-in-a-url": ("http://[::1]", ("[::1]:80", "::1", 80, False)),
    "spaces-around": ("  127.0.0.1:8501 ", ("127.0.0.1:8501", "127.0.0.1", 8501, False)),
    "a-socket": ("unix:/run/x.sock", ("unix:/run/x.sock", "/run/x.sock", None, False)),
}


@pytest.mark.parametrize(("text", "found"), ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_is_read(text, found):
    address = parse_rest_address(text)

    assert address == RestAddress(*found)


FAULTS = {
    "no-port": ("serving.local", "expected HOST:PORT (TensorFlow Serving's REST port is 8501)"),
    "nothing": ("", "is not an address"),
    "grpc": ("grpc://x:8500", "is a gRPC address and this run sends REST"),
    "a-path": ("http://x:8501/v1/models/mnist:predict", "leave it out; --model-name names the model"),
    "a-path-without-a-scheme": ("x:8501/v1", "leave it out"),
    "a-query": ("http://x:8501?a", "is not an address"),
    "port-0": ("x:0", "has port 0: expected 1 to 65535"),
    "port-too-high": ("https://x:70000", "has port 70000"),
    "another-scheme": ("ftp://x:21", "is not an address"),
    "a-pass-word": ("http://me:hunter22@x:8501", "is not an address"),
    "a-pass-word-without-a-port": ("http://me:hunter22@x", "is not an address"),
    "no-socket": ("unix:", "names no socket"),
    "a-second-line": ("x:80\r\nEvil: 1", "is not an address"),
}


@pytest.mark.parametrize(("text", "said"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_address_is_refused(text, said):
    with pytest.raises(AddressError) as raised:
        parse_rest_address(text, "host of RestUser")

    assert str(raised.value).startswith("host of RestUser ")
    assert said in str(raised.value)
    assert "hunter22" not in str(raised.value)
