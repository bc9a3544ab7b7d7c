"""The contract holds on every database."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def start_platform(request, start_platform):
    """Starts a local platform on either database: `start_platform(home)`."""
    if request.param == "sqlite":
        return start_platform
    server = request.getfixturevalue("postgresql")

    def start(home, *extra):
        known = (home / "database").exists()
        database = [] if known else ["--database", server.database()]
        return start_platform(home, *database, *extra)

    return start
