"""One headless Chromium for each file."""

import pytest

from tests.support.live_process import chromium


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running
