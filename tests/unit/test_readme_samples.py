"""What README shows of runs with levels reads as the code writes it, but for the figures."""

import re

import pytest

from tests.support.runs import PROJECT
from tfsload.analysis.scaling_answer import _HEADS, _OVERCORRECTED
from tfsload.settings.settings import Settings
from tfsload.target.call_finding import NoCallError, find_call
from tfsload.target.fired import DIGITS
from tfsload.transport.signature import SignatureDescribed, TensorDescribed

README = (PROJECT / "README.md").read_text()
GOLDEN = PROJECT / "tests" / "unit" / "golden"
# Words that an answer may have, or not.
OPTIONAL = {"least": "(at least )?", "where": "( in the server)?"}


def sample(option):
    """Return the lines that README shows of a run with an option, without what it leaves out."""
    (text,) = re.findall(rf"```text\n\$ \S*locust [^\n]*{option} [^\n]*\n(.*?)```", README, re.DOTALL)
    return [line for line in text.splitlines() if line.strip() not in ("", "…")]


def shape(line):
    """Return a line without its figures, and without what a table pads with."""
    return re.sub(r"\s+", " ", re.sub(r"[\d,.]*\d%?", "#", line)).strip()


def heading(lines):
    """Return the columns of the table of levels."""
    (found,) = [line.split() for line in lines if line.startswith("level ")]
    return found


@pytest.mark.parametrize(("option", "golden"), [("--sweep", "sweep.txt"), ("--find-max-rate", "search.txt")])
def test_the_table_has_the_columns_that_it_has(option, golden):
    assert heading(sample(option)) == heading((GOLDEN / golden).read_text().splitlines())


@pytest.mark.parametrize(
    "begin", ["Each percentile is the highest", "Left out for want", "throughput ", "parallelism ", "scaling law "]
)
def test_the_lines_below_it_read_as_they_do(begin):
    def found(lines):
        (line,) = [shape(line) for line in lines if line.startswith(begin)]
        return line

    shown, printed = found(sample("--sweep")), found((GOLDEN / "sweep.txt").read_text().splitlines())

    if begin == "throughput ":  # how many levels come near to the best is a figure, too
        shown, printed = shown.partition("(")[0], printed.partition("(")[0]
    assert shown == printed


def test_the_answer_is_one_that_the_code_gives():
    heads = [*_HEADS.values(), _OVERCORRECTED]
    patterns = [
        re.sub(r"\\\{(\w+)\\\}", lambda match: OPTIONAL.get(match[1], r"[\d.]+"), re.escape(head)) for head in heads
    ]
    answers = [line for line in sample("--sweep") if re.match("Yes|No|Hardly|Cannot tell", line)]

    assert len(answers) == 1
    assert any(re.match(pattern, answers[0]) for pattern in patterns), answers
    assert "Of a lone request's " in answers[0]


def test_the_refusal_is_the_one_that_the_code_gives():
    images, scores = TensorDescribed("DT_FLOAT", (-1, 784)), TensorDescribed("DT_FLOAT", (-1, 10))
    signature = SignatureDescribed("tensorflow/serving/predict", {"images": images}, {"scores": scores}, frozenset())
    asked = Settings.parse({"signature_name": "predict"}, None).model

    with pytest.raises(NoCallError) as caught:
        find_call(asked, {"predict_images": signature, "serving_default": signature}, DIGITS)

    assert sample("--signature-name")[1:] == [f"  - {fault}" for fault in caught.value.faults]
