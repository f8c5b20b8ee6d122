"""The start page's field for the protocol, as far as a test needs one."""

from tfsload.webui.protocol_field import ProtocolField


class Choice:
    """What runs may speak, as a test says; each has a class of its own."""

    def __init__(self, *names: str) -> None:
        self.names, self.now = names, names[0] if names else ""
        self._classes = {name: type(f"{name}User", (), {}) for name in names}

    def classes(self, name: str) -> list[type]:
        return [self._classes[name]]

    def named(self, name: str) -> list[str]:
        return [] if name == self.names[0] else [one.__name__ for one in self.classes(name)]


def nothing_to_choose() -> ProtocolField:
    return ProtocolField(Choice())
