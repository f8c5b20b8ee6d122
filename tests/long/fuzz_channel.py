"""Throws hostile servers at the native channel, and at the REST client, for as long as it is told to.

    python -m tests.long.fuzz_channel --minutes 60 [--seed N] [--kinds stream io] [--out DIR]
    python -m tests.long.fuzz_channel --seed N --case io-17

| kind | what it is |
| --- | --- |
| stream | a server that keeps to the rules: every call must end as it should, however the bytes are cut |
| damaged | such streams with bits, frames and lengths spoilt |
| bytes | frames of any kind in any order, and bytes that are none |
| churn | calls started and given up over a connection that may be stuck |
| headers | a reply's header blocks: valid, damaged, arbitrary, and built to cost much |
| encoder | a request's header blocks, while the server changes its table's size |
| io | real channels against hostile servers over TCP |
| http | replies of HTTP, valid and damaged, however the bytes are cut |
| http_io | REST transports against hostile servers over TCP |

A finding is printed with its seed and case, which replay it; the exit code is 1 with findings, else 0.
"""

import argparse
import random
import re
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.long import http_cases, http_duels, io_cases, protocol_cases
from tests.long.finding import Finding
from tfsload.report.progress import Progress


@dataclass(frozen=True)
class Kind:
    """A kind of case: what runs one, and its share of the time."""

    run: Callable[[random.Random], Counter[str]]
    share: float


KINDS = {
    "stream": Kind(protocol_cases.stream_case, 0.2),
    "damaged": Kind(protocol_cases.damaged_case, 0.1),
    "bytes": Kind(protocol_cases.bytes_case, 0.1),
    "churn": Kind(protocol_cases.churn_case, 0.05),
    "headers": Kind(protocol_cases.headers_case, 0.05),
    "encoder": Kind(protocol_cases.encoder_case, 0.05),
    "io": Kind(io_cases.io_case, 0.2),
    "http": Kind(http_cases.http_case, 0.1),
    "http_io": Kind(http_duels.http_io_case, 0.15),
}
LOG_INTERVAL_S = 30


@dataclass
class Found:
    """Findings that say the same: the first, and how many there were."""

    case: str
    text: str
    count: int = 1


class Campaign:
    """The cases run so far, and what they came to.

    Attributes:
        cases, spent_s: by kind.
        outcomes: how calls (and connections) ended, by kind.
        findings: by what they say, numbers left out.
    """

    def __init__(self, seed: int, kinds: list[str]) -> None:
        self._seed = seed
        self.cases = dict.fromkeys(kinds, 0)
        self.spent_s = dict.fromkeys(kinds, 0.0)
        self.outcomes: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
        self.findings: dict[str, Found] = {}

    def run_next(self) -> None:
        """Run a case of the kind that is furthest behind its share of the time."""
        kind = min(self.cases, key=lambda name: self.spent_s[name] / KINDS[name].share)
        self.run(kind, self.cases[kind])

    def run(self, kind: str, number: int) -> None:
        """Run one case; the same seed, kind and number make it the same again."""
        case = f"{kind}-{number}"
        before_s = time.monotonic()
        try:
            self.outcomes[kind] += KINDS[kind].run(random.Random(f"{self._seed}:{case}"))
        except Finding as finding:
            for problem in finding.problems:
                self._note(case, problem)
        except Exception as error:  # whatever the channel raises is a finding, too
            self._note(case, f"{error!r}\n{traceback.format_exc()}")
        self.cases[kind] += 1
        self.spent_s[kind] += time.monotonic() - before_s

    def _note(self, case: str, text: str) -> None:
        alike = re.sub(r"\d+", "N", text.partition("\n")[0])[:200]
        if alike in self.findings:
            self.findings[alike].count += 1
        else:
            self.findings[alike] = Found(case, text)

    def line(self, elapsed_s: float) -> str:
        """Return how far it is, for the progress line."""
        cases = ", ".join(f"{number:,} {kind}" for kind, number in self.cases.items())
        return f"{elapsed_s / 60:.1f} min: {cases}; {len(self.findings)} findings"

    def report(self) -> str:
        """Return the table of what was run, and the findings."""
        lines = [f"seed {self._seed}", "", f"{'kind':8} {'cases':>10} {'cases/s':>9}  outcomes"]
        for kind, number in self.cases.items():
            rate = number / self.spent_s[kind] if self.spent_s[kind] else 0.0
            outcomes = ", ".join(f"{name} {count:,}" for name, count in self.outcomes[kind].most_common())
            lines.append(f"{kind:8} {number:10,} {rate:9,.1f}  {outcomes}")
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        lines += ["", f"largest memory {peak_mb:.0f} MB", "", *map(self._described, self.findings.values())]
        lines.append(f"{len(self.findings)} kinds of findings" if self.findings else "nothing found")
        return "\n".join(lines)

    def _described(self, found: Found) -> str:
        replay = f"python -m tests.long.fuzz_channel --seed {self._seed} --case {found.case}"
        return f"FOUND {found.count} times, first: {replay}\n{found.text}\n"

    def write(self, directory: Path) -> None:
        """Write the report, and each kind of finding to a file of its own."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "report.txt").write_text(self.report() + "\n")
        for number, found in enumerate(self.findings.values(), start=1):
            (directory / f"finding-{number}-{found.case}.txt").write_text(self._described(found))


def fuzz(campaign: Campaign, limit_s: float) -> None:
    """Run cases until the time is up, or Ctrl-C."""
    progress = Progress()
    interval_s = progress.interval_s if sys.stderr.isatty() else LOG_INTERVAL_S
    start_s = shown_s = time.monotonic()
    try:
        while (now_s := time.monotonic()) < start_s + limit_s:
            if now_s >= shown_s + interval_s:
                progress.show(campaign.line(now_s - start_s))
                shown_s = now_s
            campaign.run_next()
    except KeyboardInterrupt:
        pass
    finally:
        progress.clear()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time, which is printed")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="default: all")
    parser.add_argument("--case", help="replay one case, for example io-17; --seed must be its own")
    parser.add_argument("--out", type=Path, help="directory for the report and the findings")
    options = parser.parse_args()
    if options.case and (options.seed is None or not re.fullmatch(rf"({'|'.join(KINDS)})-\d+", options.case)):
        parser.error("--case takes a kind and a number, as in io-17, and wants --seed")
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    kind, _, number = (options.case or "").partition("-")
    campaign = Campaign(seed, [kind] if kind else options.kinds)
    if kind:
        campaign.run(kind, int(number))
    else:
        fuzz(campaign, options.minutes * 60)
    print(campaign.report())
    if options.out:
        campaign.write(options.out)
    return 1 if campaign.findings else 0


if __name__ == "__main__":
    sys.exit(main())
