"""What is offered where a data set has too few images: MNIST to who fires the shipped part of it alone."""

import numpy as np
import pytest

from tfsload.prediction.process_run import load_images
from tfsload.settings.settings import Settings, SettingsError
from tfsload.suite.run_warnings import COMMAND_LINE, FORM, PROGRAM, too_few_samples

OFFER = "mnist has 10,000"


@pytest.fixture
def own(tmp_path):
    """A data set of three images."""
    np.savez(tmp_path / "own.npz", images=np.zeros((3, 28, 28), np.uint8), labels=np.arange(3, dtype=np.uint8))
    return str(tmp_path / "own.npz")


@pytest.mark.parametrize("is_shipped", [True, False], ids=["shipped", "own"])
def test_where_more_are_asked_for_than_there_are(own, is_shipped):
    settings = Settings.parse({"num_tests": "2000", **({} if is_shipped else {"dataset": own})}, None)

    with pytest.raises(SettingsError) as caught:
        load_images(settings)

    assert str(caught.value).endswith(f"or another --dataset ({OFFER})" if is_shipped else "or another --dataset")


@pytest.mark.parametrize("asker", [COMMAND_LINE, FORM, PROGRAM], ids=["command-line", "form", "program"])
@pytest.mark.parametrize("is_shipped", [True, False], ids=["shipped", "own"])
def test_where_a_percentile_wants_more(own, is_shipped, asker):
    options = {"num_tests": "3", "threshold": "p99 < 50ms", **({} if is_shipped else {"dataset": own})}

    warned = too_few_samples(Settings.parse(options, None), asker)

    assert "fire more images" in warned
    assert ("has 10,000" in warned) == is_shipped
    assert "{" not in warned
