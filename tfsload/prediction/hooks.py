"""What a user class may do in its own way: make requests of images (`encode`), and say what is right (`is_right`)."""

import inspect
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import gevent

from tfsload.settings.settings import SettingsError

ENCODE, IS_RIGHT = "encode", "is_right"
# What each is given beside the class.
_ARGUMENTS = {ENCODE: ("image",), IS_RIGHT: ("label", "answer")}
_LONGEST_LINE = 120


@dataclass(frozen=True)
class Hook:
    """One of them, as a class has it.

    Attributes:
        name: of the class and the function, for people.
        call: with nothing to be looked up.
        key: what tells it from others: classes that share one share requests, too.
    """

    name: str
    call: Callable[..., Any]
    key: tuple[Any, ...]

    def said(self, error: BaseException) -> str:
        """Return what an exception says that came out of it, with the user's own line."""
        try:
            said = str(error)
        except Exception:  # a class of the user's own may not be able to
            said = ""
        return f"{type(error).__name__}{': ' if said else ''}{said}{self.where(error)}"

    def where(self, error: BaseException) -> str:
        """Return where in the user's own code an exception came up; empty: not known."""
        frames = traceback.extract_tb(error.__traceback__)
        code = getattr(inspect.unwrap(getattr(self.call, "__func__", self.call)), "__code__", None)
        own = [frame for frame in frames if code and frame.filename == code.co_filename] or frames[-1:]
        if not own:
            return ""
        return f", at {own[-1].filename}, line {own[-1].lineno}: {(own[-1].line or '')[:_LONGEST_LINE]}"


@dataclass(frozen=True)
class Hooks:
    """Those of one or more classes; None: what the suite does by itself.

    Attributes:
        encode: from an image to arrays.
        is_right: from a label and an answer to whether that is right.
    """

    encode: Hook | None = None
    is_right: Hook | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells them from others."""
        return tuple(one and one.key for one in (self.encode, self.is_right))


NO_HOOKS = Hooks()


def value_words(value: Any) -> str:
    """Return a value of a user's as Python writes it, where it can."""
    try:
        return repr(value)
    except Exception:  # a class of the user's own may not be able to
        return "that cannot be shown"


def is_own(error: BaseException) -> bool:
    """Whether an exception is of a hook, and not one that was thrown into the greenlet that ran it.

    `sys.exit()` and gevent's `Timeout` are no `Exception`s, and come out of a hook as any other does. But a user that
    is ended, an interrupt, and a time limit around a user's task may come while a hook waits: these are not its own.
    """
    if isinstance(error, Exception):
        return True
    if isinstance(error, gevent.GreenletExit | KeyboardInterrupt):
        return False
    if isinstance(error, gevent.Timeout) and type(error.timer).__name__ == "_FakeTimer":
        return True  # over and done with: whoever set it has left it, so that it was within
    innermost = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        innermost = frame
    module = "" if innermost is None else innermost.f_globals.get("__name__", "")
    return module.partition(".")[0] != "gevent"  # which throws where a greenlet goes on


def hooks_of(user_class: type, base: type) -> Hooks:
    """Return what a class, or one above it, has in place of the base's.

    Raises:
        SettingsError: one of them cannot be called as it is.
    """
    return Hooks(_hook(user_class, base, ENCODE), _hook(user_class, base, IS_RIGHT))


def by_hooks(user_classes: Iterable[type], base: type) -> list[tuple[tuple[str, ...], Hooks]]:
    """Return the names of classes whose requests are the same, with what makes them; in the order of the classes.

    Raises:
        SettingsError: with what is wrong with any of them.
    """
    found: dict[tuple[Any, ...], tuple[list[str], Hooks]] = {}
    faults: list[str] = []
    for one in user_classes:
        try:
            hooks = hooks_of(one, base)
        except SettingsError as error:
            faults += error.faults
            continue
        found.setdefault(hooks.key, ([], hooks))[0].append(one.__name__)
    if faults:
        raise SettingsError(list(dict.fromkeys(faults)))
    return [(tuple(names), hooks) for names, hooks in found.values()]


def _hook(user_class: type, base: type, name: str) -> Hook | None:
    """Return one; it is called before there are any users, so that `self`, where a function has it, is the class."""
    own = inspect.getattr_static(user_class, name)
    if own is inspect.getattr_static(base, name):
        return None
    owner = next(one for one in user_class.__mro__ if name in vars(one))
    told = f"{owner.__name__}.{name}"
    arguments = _ARGUMENTS[name]
    expected = f"expected def {name}({', '.join(('self', *arguments))}), or without self as a staticmethod"
    if isinstance(own, staticmethod):
        own = own.__func__
        is_bound = False
    elif isinstance(own, classmethod):
        own = own.__func__
        is_bound = True
    elif isinstance(own, FunctionType):
        first = next(iter(inspect.signature(own).parameters), "")
        is_bound = first in ("self", "cls") or not _takes(own, len(arguments))
    elif callable(own):
        is_bound = False
    else:
        raise SettingsError([f"{told} is {own!r}, which cannot be called: {expected}"])
    if not _takes(own, is_bound + len(arguments)):
        raise SettingsError([f"{told} takes {inspect.signature(own)}: {expected}"])
    if inspect.iscoroutinefunction(own):
        raise SettingsError([f"{told} is async, and is not awaited: {expected}"])
    call = MethodType(own, user_class) if is_bound else own
    # By identity: an object that can be called need not be hashable.
    return Hook(told, call, (id(own), user_class if is_bound else None))


def _takes(function: Callable[..., Any], n: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * n)
    except TypeError:
        return False
    except ValueError:  # a function that is not Python's own does not tell
        return True
    return True
