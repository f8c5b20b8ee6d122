"""What a result says of the Python that made it."""

import sysconfig
from importlib import metadata

import pytest

from tfsload.run import surroundings


@pytest.mark.parametrize(
    ("arguments", "by_profile", "said"),
    [
        pytest.param(
            "'--enable-shared' '--enable-optimizations'", "-fprofile-use", "CPython built with PGO", id="Docker"
        ),
        pytest.param("'--enable-shared' '--without-ensurepip'", "", "CPython built with PGO", id="Debian"),
        pytest.param("'--enable-shared'", "-fprofile-use", "CPython built without PGO", id="pyenv-by-itself"),
        pytest.param("", "-fprofile-use", "CPython built without PGO", id="configured-without-options"),
        pytest.param(None, None, "", id="not-told"),
    ],
)
def test_how_python_was_built_stands_in_each_result(monkeypatch, arguments, by_profile, said):
    told = {"CONFIG_ARGS": arguments, "PGO_PROF_USE_FLAG": by_profile}
    monkeypatch.setattr(sysconfig, "get_config_var", told.get)

    assert surroundings.made_by().python_build == said


@pytest.mark.parametrize(
    ("written", "told"),
    [
        pytest.param("Metadata-Version: 2.4\nName: numpy\nVersion: 2.2.6\n\nVersion: 9\n", "2.2.6", id="first"),
        pytest.param(None, "as metadata has it", id="where there is no such file"),
        pytest.param("Name: numpy\n", "as metadata has it", id="where it is not told there"),
    ],
)
def test_versions_are_those_of_the_packages_that_are_installed(monkeypatch, written, told):
    monkeypatch.setattr(metadata.PathDistribution, "read_text", lambda *_: written)
    monkeypatch.setattr(metadata, "version", lambda _: "as metadata has it")

    assert surroundings.made_by().libraries["numpy"] == told


def test_what_is_told_of_versions_is_what_python_tells_and_of_what_is_not_there_nothing(monkeypatch):
    monkeypatch.setattr(surroundings, "_LIBRARIES", ("gevent", "numpy", "no-such-package"))
    made_by = surroundings.made_by()

    assert made_by.libraries == {name: metadata.version(name) for name in ("gevent", "numpy")}
    assert made_by.locust == metadata.version("locust")
