"""A leader of runs in a process without a server, and what stands round it."""

from types import SimpleNamespace

import gevent.event
from locust.env import Environment

from tfsload.suite.leader import Leader
from tfsload.target.waiting import Wait

OPTIONS = {"headless": False, "autostart": False, "processes": None, "exit_code_on_error": 1}


class Web:
    """Notes what it is told of, and where runs stand then."""

    def __init__(self):
        self.told = []
        self.leader = None
        self.on_wait = lambda: None
        self.web_ui = SimpleNamespace()
        self.wait = Wait()

    def __getattr__(self, what):
        def tell(*_):
            self.told.append((what, self.leader.stages.now))
            if what == "wait_for_files":
                self.on_wait()

        return tell


class Hosts:
    def ask(self, *_):
        return SimpleNamespace(text="elsewhere")


class Report:
    written = ""

    def write_outcome(self, outcome):
        return outcome

    def leave_no_directory(self):
        pass


def leader_of(web, **options):
    environment = environment_of(**options)
    return with_runner(environment, environment.create_local_runner(), web)


def environment_of(**options):
    return Environment(parsed_options=SimpleNamespace(**{**OPTIONS, **options}), user_classes=[], stop_timeout=0)


def with_runner(environment, runner, web):
    made = web.leader = Leader(environment, runner, web, Hosts(), None, Report(), None)
    return made


def fail_of(kind):
    def fail(*_, **__):
        raise kind("a fault")

    return fail


class SlowCheck:
    """A check that waits, as for a server, until the test lets it end."""

    def __init__(self, leader, monkeypatch):
        self.run, self.n_begun = SimpleNamespace(plan=None, is_command_lines=False), 0
        self.may_end = gevent.event.Event()
        self._check = leader._check
        monkeypatch.setattr(self._check, "run", self._run)

    def _run(self, *given):
        with self._check.alone(given[-1]):
            self.n_begun += 1
            self.may_end.wait(10)
            return self.run
