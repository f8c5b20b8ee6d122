"""Locust's messages without sockets: a master and its workers in one process, joined by queues that a test can cut.

What is sent is written and read as on the wire: numbers that no message can hold are found here, too.
"""

from collections.abc import Callable
from typing import Any

import gevent
import locust.runners
from gevent.queue import Queue
from locust.rpc.protocol import Message


class Network:
    """Joins one master and its workers.

    Attributes:
        cut: ids of workers that no message reaches or leaves; it waits, as with ZeroMQ, until they are joined again.
        dead: ids of workers whose messages are lost, both ways.
        is_master_dead: whether all messages to and from the master are lost.
    """

    def __init__(self, monkeypatch: Any, latency_s: float = 0) -> None:
        """Take the place of Locust's sockets; each message takes so long."""
        self._latency_s = latency_s
        self.to_master: Queue = Queue()
        self.to_worker: dict[str, Queue] = {}
        self.cut: set[str] = set()
        self.dead: set[str] = set()
        self.is_master_dead = False
        self._waiting: list[tuple[str, Callable[[], None]]] = []
        monkeypatch.setattr(locust.runners.rpc, "Server", lambda *_: _Server(self))
        monkeypatch.setattr(locust.runners.rpc, "Client", lambda _host, _port, identity: _Client(self, identity))

    def carry(self, worker: str, deliver: Callable[[], None]) -> None:
        """Deliver a message between the master and a worker, now, later or never."""
        if worker in self.dead or self.is_master_dead:
            return
        if worker in self.cut:
            self._waiting.append((worker, deliver))
        elif self._latency_s:
            gevent.spawn_later(self._latency_s, deliver)
        else:
            deliver()

    def join(self, worker: str) -> None:
        """Join a worker again that was cut off."""
        self.cut.discard(worker)
        waiting, self._waiting = self._waiting, [pair for pair in self._waiting if pair[0] != worker]
        for other, deliver in waiting:
            if other == worker:
                deliver()


def _written_and_read(message: Message) -> Message:
    return Message.unserialize(message.serialize())


class _Server:
    port = 0

    def __init__(self, network: Network) -> None:
        self._network = network

    def recv_from_client(self) -> tuple[str, Message]:
        return self._network.to_master.get()

    def send_to_client(self, message: Message) -> None:
        queue = self._network.to_worker.get(message.node_id)
        if queue is not None:
            read = _written_and_read(message)
            self._network.carry(message.node_id, lambda: queue.put(read))

    def close(self, linger: int | None = None) -> None:
        pass


class _Client:
    def __init__(self, network: Network, identity: str) -> None:
        self._network, self._identity = network, identity
        self._queue = network.to_worker.setdefault(identity, Queue())
        self.socket = self

    def poll(self, timeout_ms: int) -> int:
        """Return how many messages have come, as a socket does that is not waited for."""
        assert timeout_ms == 0
        return self._queue.qsize()

    def send(self, message: Message) -> None:
        read = _written_and_read(message)
        self._network.carry(self._identity, lambda: self._network.to_master.put((self._identity, read)))

    def recv(self) -> Message:
        return self._queue.get()

    def close(self, linger: int | None = None) -> None:
        pass
