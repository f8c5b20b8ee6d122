"""What a result says of the Python that made it."""

import sysconfig

import pytest

from tfsload.run import surroundings


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            "'--enable-shared' '--enable-optimizations' '--with-lto'", "CPython built with PGO", id="as Debian"
        ),
        pytest.param("'--enable-shared'", "CPython built without PGO", id="as pyenv by itself"),
        pytest.param(None, "CPython built without PGO", id="not told"),
    ],
)
def test_how_python_was_built_stands_in_each_result(monkeypatch, arguments, said):
    monkeypatch.setattr(sysconfig, "get_config_var", {"CONFIG_ARGS": arguments}.get)

    assert surroundings.made_by().python_build == said
