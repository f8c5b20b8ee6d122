"""The README says what the code does."""

import http.server
import json
import re
import threading

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


LISTENERS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_its_locustfile_runs(tmp_path, model_server):
    (code,) = (one for one in LISTENERS if "@events.prediction" in one)
    locustfile = tmp_path / "mine.py"
    locustfile.write_text(code)

    ended = run_headless(
        tmp_path, "--host", model_server.address, "-u", "2", "--num-tests", "1000", locustfile=locustfile
    )

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    wrong = re.findall(r"^image \d+: a \d was taken for a \d$", ended.stdout, re.MULTILINE)
    assert f"  wrong      {len(wrong) / 10:.2f}% ({len(wrong)})" in ended.stdout


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted to it."""

    def do_POST(self):
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_its_listener_of_levels_sends_each_of_them(tmp_path, model_server):
    (code,) = (one for one in LISTENERS if "@events.level" in one)
    locustfile = tmp_path / "sending.py"
    locustfile.write_text(code)
    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    load = ("--sweep", "1,2", "--level-duration", "1", "--warm-up", "0.2")
    try:
        ended = run_headless(
            tmp_path,
            *("--host", model_server.address, *load),
            locustfile=locustfile,
            RESULTS_URL=f"http://127.0.0.1:{server.server_port}",
        )
    finally:
        server.shutdown()
        server.server_close()

    assert [row["level"] for row in server.received] == ["1 user", "2 users"], ended.stderr
    assert all(row["achieved_rps"] > 0 and 0 <= row["error_rate"] < 0.1 for row in server.received)
