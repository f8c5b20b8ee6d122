"""deploy/Dockerfile and .dockerignore, read as a build reads them."""

import fnmatch
import shlex
import shutil
from pathlib import Path

from tests.support.runs import PROJECT

DOCKERFILE = PROJECT / "deploy" / "Dockerfile"


def instructions() -> list[tuple[str, list[str]]]:
    """Return (instruction, words) of the Dockerfile, in order."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(words[0], words[1:]) for line in joined if (words := shlex.split(line))]


def copied(stage: int) -> list[tuple[str, str]]:
    """Return (source, target) of each file or directory of the project that a stage copies; stages count from 0."""
    pairs: list[tuple[str, str]] = []
    current = -1
    for name, words in instructions():
        current += name == "FROM"
        if name == "COPY" and current == stage and not words[0].startswith("--from"):
            pairs += [(source, words[-1]) for source in words[:-1]]
    return pairs


def copy_stage(stage: int, directory: Path) -> None:
    """Copy what a stage copies, without what .dockerignore keeps out of directories, into a directory."""
    rules = (PROJECT / ".dockerignore").read_text().splitlines()
    kept_out = [rule for rule in rules if (rule and rule[0] not in "!#*") or rule.startswith("**/")]

    def ignored(parent: str, names: list[str]) -> set[str]:
        paths = {name: (Path(parent) / name).relative_to(PROJECT).as_posix() for name in names}
        return {name for name, path in paths.items() if any(_fits(path, rule) for rule in kept_out)}

    for source, target in copied(stage):
        place = directory / target
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, place, ignore=ignored)
        else:
            place = place / Path(source).name if target.endswith("/") else place
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / source, place)


def _fits(path: str, rule: str) -> bool:
    return fnmatch.fnmatch(Path(path).name if rule.startswith("**/") else path, rule.removeprefix("**/"))
