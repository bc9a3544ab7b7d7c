"""What is looked at before a release: `python -m releasing`, or `make release-check`."""
