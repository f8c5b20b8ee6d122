"""Who may use the web UI, by what a request says of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.settings.origins import Caller, Policy, is_loopback, parse

LOOPBACK = Policy("127.0.0.1", (), is_on_loopback=True)
OPEN = Policy("0.0.0.0", (), is_on_loopback=False, machine_names=("box", "box.lab.example"))
OPEN_PROXIED = Policy("", ("https://load.example", "http://box.example:8089"), is_on_loopback=False)
PROXIED = Policy("127.0.0.1", ("https://load.example", "http://localhost:9000"), is_on_loopback=True)
OWN = "127.0.0.1:8089"


@pytest.mark.parametrize(
    ("policy", "caller"),
    [
        pytest.param(LOOPBACK, Caller("GET", OWN), id="a-read"),
        pytest.param(LOOPBACK, Caller("POST", OWN, "http://127.0.0.1:8089"), id="its-own-page"),
        pytest.param(LOOPBACK, Caller("POST", "localhost:8089", "http://localhost:8089"), id="localhost"),
        pytest.param(LOOPBACK, Caller("POST", "LOCALHOST.:8089", "http://localhost:8089"), id="written-otherwise"),
        pytest.param(LOOPBACK, Caller("POST", "[::1]:8089", "http://[::1]:8089"), id="ipv6"),
        pytest.param(LOOPBACK, Caller("POST", "127.0.0.1", "http://127.0.0.1:80"), id="a-default-port"),
        pytest.param(LOOPBACK, Caller("POST", "localhost:9000", "http://localhost:9000"), id="a-forwarded-port"),
        pytest.param(LOOPBACK, Caller("POST", OWN), id="a-script"),
        pytest.param(LOOPBACK, Caller("POST", OWN, fetch_site="same-origin"), id="an-old-fetch"),
        pytest.param(LOOPBACK, Caller("POST", OWN, fetch_site="none"), id="typed-by-a-person"),
        pytest.param(LOOPBACK, Caller("POST", OWN, referer="http://127.0.0.1:8089/?tab=x"), id="an-old-browser"),
        pytest.param(Policy("box", (), True), Caller("GET", "box:8089"), id="the-name-that-it-was-given"),
        pytest.param(OPEN, Caller("POST", "10.0.0.5:8089", "http://10.0.0.5:8089"), id="open-to-others"),
        pytest.param(OPEN, Caller("GET", "[fd00::5]:8089"), id="open-by-ipv6"),
        pytest.param(OPEN, Caller("GET", "localhost:8089"), id="open-and-forwarded"),
        pytest.param(OPEN, Caller("POST", "BOX:8089", "http://box:8089"), id="the-machines-name"),
        pytest.param(OPEN, Caller("GET", "box.lab.example.:8089"), id="the-machines-name-with-its-domain"),
        pytest.param(Policy("Lab.example", (), False), Caller("GET", "lab.example:8089"), id="the-name-it-listens-by"),
        pytest.param(OPEN_PROXIED, Caller("POST", "load.example", "https://load.example"), id="tls-before-it"),
        pytest.param(OPEN_PROXIED, Caller("GET", "box.example:8089"), id="a-name-that-was-given"),
        pytest.param(PROXIED, Caller("POST", "load.example", "https://load.example"), id="proxy-that-keeps-the-host"),
        pytest.param(PROXIED, Caller("POST", OWN, "https://load.example"), id="proxy-that-changes-the-host"),
        pytest.param(PROXIED, Caller("POST", OWN, "https://LOAD.example:443"), id="proxy-written-otherwise"),
        pytest.param(PROXIED, Caller("POST", OWN, "http://localhost:9000"), id="forward-that-changes-the-host"),
    ],
)
def test_who_belongs_here_is_let_in(policy, caller):
    assert policy.refusal(caller) is None


@pytest.mark.parametrize(
    ("policy", "caller", "words"),
    [
        pytest.param(LOOPBACK, Caller("POST", OWN, "http://evil.example"), "--web-origin http://evil", id="foreign"),
        pytest.param(LOOPBACK, Caller("DELETE", OWN, "http://evil.example"), "'http://evil", id="another-method"),
        pytest.param(LOOPBACK, Caller("POST", OWN, "null"), "'null'", id="a-page-that-hides"),
        pytest.param(LOOPBACK, Caller("POST", OWN, ""), "a page of ''", id="an-empty-origin"),
        pytest.param(LOOPBACK, Caller("POST", OWN, "http://127.0.0.1:8000"), ":8000", id="another-port-of-loopback"),
        pytest.param(LOOPBACK, Caller("POST", OWN, "http://localhost:8089"), "localhost", id="another-name-of-it"),
        pytest.param(LOOPBACK, Caller("POST", OWN, "http://127.0.0.1:8089.evil.example"), "evil", id="longer-name"),
        pytest.param(LOOPBACK, Caller("POST", OWN, "http://127.0.0.1:8089@evil.example"), "evil", id="user-part"),
        pytest.param(LOOPBACK, Caller("POST", OWN, fetch_site="cross-site"), "another site", id="no-origin-cross-site"),
        pytest.param(LOOPBACK, Caller("POST", OWN, fetch_site="same-site"), "another site", id="no-origin-same-site"),
        pytest.param(LOOPBACK, Caller("POST", OWN, referer="http://evil.example/x"), "evil.example'", id="old-browser"),
        pytest.param(LOOPBACK, Caller("POST", OWN, referer="nonsense"), "nonsense", id="no-address-as-referer"),
        pytest.param(LOOPBACK, Caller("GET", "evil.example:8089"), "'evil.example:8089'", id="rebound-read"),
        pytest.param(LOOPBACK, Caller("POST", "evil.example:8089", "http://evil.example:8089"), "evil", id="rebound"),
        pytest.param(
            LOOPBACK, Caller("GET", "127.0.0.1.evil.example"), "evil", id="rebound-that-looks-like-an-address"
        ),
        pytest.param(LOOPBACK, Caller("GET", "localhost.evil.example"), "evil", id="rebound-that-looks-like-localhost"),
        pytest.param(LOOPBACK, Caller("GET", "0.0.0.0:8089"), "'0.0.0.0:8089'", id="the-address-of-none"),
        pytest.param(LOOPBACK, Caller("GET", ""), "known as ''", id="no-host"),
        pytest.param(LOOPBACK, Caller("GET", "localhost:8089@evil"), "evil", id="no-host-at-all"),
        pytest.param(OPEN, Caller("POST", "10.0.0.5:8089", "http://evil.example"), "evil", id="open-and-foreign"),
        pytest.param(
            OPEN, Caller("GET", "evil.example:8089"), "not known as 'evil.example:8089'", id="open-rebound-read"
        ),
        pytest.param(OPEN, Caller("POST", "evil.example", "http://evil.example"), "not known as", id="open-rebound"),
        pytest.param(OPEN, Caller("GET", "10.0.0.5.evil.example"), "not known", id="open-what-looks-like-an-address"),
        pytest.param(OPEN, Caller("GET", "box.evil.example"), "not known", id="open-what-looks-like-its-name"),
        pytest.param(OPEN, Caller("GET", ""), "not known as ''", id="open-and-no-host"),
        pytest.param(Policy("", (), False), Caller("GET", ""), "not known as ''", id="open-by-no-name-and-no-host"),
        pytest.param(OPEN_PROXIED, Caller("GET", "other.example"), "not known", id="open-not-that-name"),
        pytest.param(PROXIED, Caller("POST", OWN, "http://load.example"), "http://load.example", id="not-that-scheme"),
        pytest.param(PROXIED, Caller("POST", OWN, "https://load.example:8443"), ":8443", id="not-that-port"),
        pytest.param(PROXIED, Caller("GET", "other.example"), "other", id="not-that-name"),
    ],
)
def test_who_does_not_is_refused_with_the_cure(policy, caller, words):
    why = policy.refusal(caller)

    assert words in why
    assert "--web-origin" in why


def test_what_a_page_says_of_itself_is_cut_and_cannot_steer_a_terminal():
    why = LOOPBACK.refusal(Caller("POST", OWN, "http://\x1b[2J" + "x" * 100_000))

    assert len(why) < 1000
    assert why.isprintable()


netlocs = st.from_regex(r"[a-z0-9-]{1,3}(\.[a-z]{1,2}){0,2}(:8[0-9]{3})?", fullmatch=True)


@given(netlocs, netlocs, st.sampled_from(["http", "https"]))
def test_a_page_is_its_own_if_it_names_this_host_and_port_and_else_never(page, host, scheme):
    names = (host.partition(":")[0],)
    is_let_in = Policy("0.0.0.0", (), False, names).refusal(Caller("POST", host, f"{scheme}://{page}")) is None

    assert is_let_in == (page == host)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_nonsense_is_refused_in_words(host, origin, referer):
    for caller in (Caller("POST", host, origin), Caller("POST", host, None, None, "x" + referer)):
        assert "--web-origin" in LOOPBACK.refusal(caller)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        pytest.param("", (), id="none"),
        pytest.param("https://load.example", ("https://load.example",), id="one"),
        pytest.param(" HTTP://A:80/ ;https://b:8443", ("http://a", "https://b:8443"), id="written-otherwise"),
        pytest.param("http://[::1]:9000", ("http://[::1]:9000",), id="ipv6"),
    ],
)
def test_origins_are_read(text, origins):
    assert parse(text) == origins


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "load.example",
        "ftp://load.example",
        "https://",
        "https://*.example",
        "https://load.example/locust",
        "https://me:secret@load.example",
        "https://load.example:port",
        "https://load.example:0",
        "https://load.example:99999",
        "https://good.example;*",
    ],
)
def test_what_is_no_origin_is_refused(text):
    with pytest.raises(ValueError, match=r"https://load\.example or http://localhost:9000"):
        parse(text)


@pytest.mark.parametrize("name", ["evil.example", "", "127.0.0.1.evil", "0.0.0.0", "::", "10.0.0.1", "localhost.evil"])
def test_what_is_not_loopback(name):
    assert not is_loopback(name)
