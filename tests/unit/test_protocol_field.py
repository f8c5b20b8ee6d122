"""The start page's field for the protocol: what it offers, what is taken of it, and where it is none."""

from types import SimpleNamespace

import pytest
from werkzeug.datastructures import MultiDict

from tests.support.protocol_fields import Choice, nothing_to_choose
from tfsload.webui import start_extras
from tfsload.webui.protocol_field import ProtocolField
from tfsload.webui.site import Site
from tfsload.webui.start_extras import Extras
from tfsload.webui.start_layout import Layout


@pytest.fixture
def field():
    return ProtocolField(Choice("gRPC", "REST"))


@pytest.mark.parametrize(
    ("form", "held", "classes", "named"),
    [
        pytest.param({}, "gRPC", None, {}, id="nothing-sent"),
        pytest.param({"protocol": "gRPC"}, "gRPC", ["gRPCUser"], {"user_classes": []}, id="as-it-is"),
        pytest.param({"protocol": "REST"}, "REST", ["RESTUser"], {"user_classes": ["RESTUser"]}, id="another"),
    ],
)
def test_what_is_sent(field, form, held, classes, named):
    assert field.sent(form) == {"protocol": held}
    assert field.faults(form) == []
    chosen = field.classes(form)
    assert (chosen if chosen is None else [one.__name__ for one in chosen]) == classes
    assert field.options(MultiDict(form)) == named


@pytest.mark.parametrize(
    ("is_offered", "message"),
    [
        pytest.param(True, "protocol 'FTP': expected gRPC or REST", id="no-protocol"),
        pytest.param(False, "protocol 'FTP' is a field of the form only where", id="no-field"),
    ],
)
def test_what_cannot_be_taken_is_refused(field, is_offered, message):
    one = field if is_offered else nothing_to_choose()
    (fault,) = one.faults({"protocol": "FTP"})

    assert message in fault
    assert one.classes({"protocol": "FTP"}) is None
    assert one.options(MultiDict({"protocol": "FTP"})) == {}


@pytest.mark.parametrize(
    ("form", "is_other"), [({}, False), ({"protocol": "gRPC"}, False), ({"protocol": "REST"}, True)]
)
def test_in_a_run_under_way_none_is_changed(field, form, is_other):
    assert field.is_other(form) is is_other


@pytest.mark.parametrize("is_offered", [True, False])
def test_where_it_stands(monkeypatch, field, is_offered):
    monkeypatch.setattr(start_extras, "marked_options", dict)
    environment = SimpleNamespace(
        available_user_classes={}, available_shape_classes=None, parsed_options=SimpleNamespace(), user_classes=[]
    )
    web_ui = SimpleNamespace(environment=environment, userclass_picker_is_active=False)
    extras = Extras(web_ui, field if is_offered else nothing_to_choose())
    layout = Layout.of(extras, Site(SimpleNamespace(), ""), None)
    (server,) = [group for group in layout.groups if group.key == "server"]

    assert (server.fields[0].name == "protocol") is is_offered
    held = {"protocol": "gRPC"} if is_offered else {}
    assert (extras.values, extras.held()) == (held, held)
    sent = extras.sent({"protocol": "REST"})
    assert sent == ({"protocol": "REST"} if is_offered else {})
    assert extras.for_locust({}, sent, [], None) == list(sent.items())
    assert extras.faults(sent) == []
