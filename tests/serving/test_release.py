"""Which release runs is told by the files, not by what was installed."""

from importlib import metadata

import picsellia_jupyter
from picsellia_jupyter.serving import release


def test_the_version_is_that_of_the_files_and_needs_no_installed_package(monkeypatch):
    monkeypatch.setattr(metadata, "version", None)
    assert release.version() == picsellia_jupyter.__version__
