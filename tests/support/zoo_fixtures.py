"""The zoo built, served and asked, once a session."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.model_zoo import build
from tests.support.modelserver_fixtures import PROJECT, Client, run
from tests.support.server_processes import first_line


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all models of the zoo lie."""
    directory = tmp_path_factory.mktemp("zoo")
    build(directory)
    return directory


@pytest.fixture(scope="session")
def zoo_served(zoo: Path) -> Iterator[dict[str, dict[str, str]]]:
    """Protocol → model → address of the embedded server around it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.zoo_server", str(zoo)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield json.loads(first_line(process))
    finally:
        process.kill()
        process.wait(20)


@pytest.fixture(scope="session")
def zoo_addresses(zoo_served: dict[str, dict[str, str]]) -> dict[str, str]:
    """Model → gRPC's address."""
    return zoo_served["gRPC"]


@pytest.fixture(scope="session")
def zoo_answers(zoo_addresses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a client of another's making has put what it was answered."""
    directory = tmp_path_factory.mktemp("answers")
    addresses = directory / "addresses.json"
    addresses.write_text(json.dumps(zoo_addresses))
    code, _, said = run([sys.executable, "-m", "tests.support.zoo_client", str(addresses), str(directory)])
    assert code == 0, said
    return directory


@pytest.fixture(scope="session")
def zoo_client(zoo_addresses: dict[str, str]) -> Iterator:
    """Model → a client of its server."""
    clients: dict[str, Client] = {}

    def client(name: str) -> Client:
        if name not in clients:
            clients[name] = Client(zoo_addresses[name])
        return clients[name]

    yield client
    for one in clients.values():
        one.channel.close()
