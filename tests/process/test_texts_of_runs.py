"""What a user sees of a run that is made, and of one that is refused; figures are masked."""

import re

import pytest

from tests.support.runs import run_headless
from tfsload.analysis import exit_codes

DEMO = """
Model mnist, version 0, at 0:0 (tfsload 0)
signature    predict_images: images [-0, 0] float ← 0 × 0 pixels ÷ 0 · scores [-0, 0] float → class by the highest

requests     0 in TIME
rate         0 requests/s
latency ms   p0 0  p0 0  p0 0  p0 0  p0 0  max 0 (as counted)
error rate   0% of 0 predictions
  wrong      0% (0)
  failed     0% (0)
coverage     0 of 0 images, each exactly once

class  images  right  wrong  recall  precision  most taken for
0  0  0  0  0%  0%
0  0  0  0  0%  0%
0  0  0  0  0%  0%
0  0  0  0  0%  0%
0  0  0  0  0%  0%
0  0  0  0  0%  0%
0  0  0  0  0%  0%
0  0  0  0  0%  0%
0  0  0  0  0%  0%
0  0  0  0  0%  0%

PASS (exit code 0): no threshold was set; PASS means ALL_ANSWERED; every image was fired
Inference error rate: 0%
""".replace("ALL_ANSWERED", "a valid run in which every request was answered")

REFUSED = """tfsload: the run cannot start:
  - --model-version 'newest': expected a whole number from 0 to 9,223,372,036,854,775,807
  - --deadline '0': expected a number of seconds above 0 and at most 3,600
  - --threshold 'p99 50ms': no operator: expected <, <=, > or >= between a metric and a value
"""


def masked(text):
    """Return a text with 0 for each figure, and rows of the table of classes without their layout."""
    lines = []
    for line in text.splitlines():
        line = re.sub(r"\d[\d.,]*", lambda found: "0" + ("," if found[0].endswith(",") else ""), line)
        line = re.sub(r"\b0 (µs|ms|s)\b", "TIME", line)
        lines.append(re.sub(r" {2,}(0 \(0×\))?", "  ", line).strip() if re.match(r" +0  ", line) else line)
    return "\n".join(lines) + "\n"


def test_the_summary_of_a_run(tmp_path, model_server):
    ended = run_headless(tmp_path, "--host", model_server.address, "-u", "4", "-r", "4", "--num-tests", "100")

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert masked(ended.stdout) == DEMO


@pytest.mark.parametrize("given", [("--model-version", "newest", "--deadline", "0", "--threshold", "p99 50ms")])
def test_the_refusal_of_a_run(tmp_path, model_server, given):
    ended = run_headless(tmp_path, "--host", model_server.address, *given)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert ended.stderr[ended.stderr.index("tfsload:") :] == REFUSED
