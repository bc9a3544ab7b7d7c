"""The contract holds on every database."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def start_platform(request, start_platform):
    """Starts a local platform on either database: `start_platform(home)`."""
    if request.param == "sqlite":
        return start_platform
    url = request.getfixturevalue("postgresql").database()
    return lambda home, *extra: start_platform(home, "--database", url, *extra)
