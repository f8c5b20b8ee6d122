"""A browser, and a report's page in it, for each file that asks for no other."""

import pytest

from tests.support.browser import chromium
from tests.support.report_page import ReportPage


@pytest.fixture(scope="module")
def driver():
    with chromium() as started:
        yield started


@pytest.fixture
def page(driver, tmp_path):
    return ReportPage(driver, tmp_path)
