"""The README says what the code does."""

import re

from tests.support.runs import PROJECT, run_headless
from tfsload.analysis import exit_codes
from tfsload.settings.options import OPTIONS

README = (PROJECT / "README.md").read_text()


def table_rows(first_column):
    """Return the cells of each row of the table that begins with this heading."""
    table = README.split(f"| {first_column} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_every_option_is_listed_as_it_is():
    expected = [
        [f"`{option.flag}`", f"`{option.default}`" if option.default else "", option.help, f"`{option.env_var}`"]
        for option in OPTIONS
    ]

    assert table_rows("option") == expected


def test_the_exit_codes_are_those_of_the_code():
    listed = {int(row[0]) for row in table_rows("exit code")}

    assert listed == {value for name, value in vars(exit_codes).items() if name.isupper()}


def test_every_file_it_names_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    rooms = re.findall(r"`([a-z_/-]+/|[\w/.-]+\.(?:py|yml|md))`", README)

    assert [name for name in links if not name.startswith("http") and not (PROJECT / name).exists()] == []
    places = [PROJECT, PROJECT / "tfsload"]
    own = [name for name in rooms if name not in ("mnist_client.py", "listener.py")]
    assert [name for name in own if not any((place / name).exists() for place in places)] == []


def test_every_make_target_it_names_is_there():
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))

    named = set(re.findall(r"(?:^    |`)make ([a-z]+)", README, re.MULTILINE))

    assert {"demo", "test"} <= named <= targets


def test_its_locustfile_runs(tmp_path, model_server):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    locustfile = tmp_path / "mine.py"
    locustfile.write_text(code)

    ended = run_headless(
        tmp_path, "--host", model_server.address, "-u", "2", "--num-tests", "1000", locustfile=locustfile
    )

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    wrong = re.findall(r"^image \d+: a \d was taken for a \d$", ended.stdout, re.MULTILINE)
    assert f"  wrong      {len(wrong) / 10:g}% ({len(wrong)})" in ended.stdout
