"""Reads what a form offers, in the background, a piece at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.widgets.choices import Choices, VersionFacts
from picsellia_jupyter.widgets.worker import Worker

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session

Change = Callable[[Choices], Choices]


class Reading:
    """Asks a session, and tells what it learns as changes to the choices."""

    def __init__(
        self,
        session: Session,
        tell: Callable[[Change], None],
        *,
        failed: Callable[[Exception], None],
    ) -> None:
        """Ask nothing yet.

        Args:
            session: of the notebook; each thread here gets one of its own.
            tell: called with each change, on a thread of this.
            failed: called with why the registry could not be read.
        """
        self._tell = tell
        self._failed = failed
        self._platform_reader = session.beside()
        self._place_reader = session.beside()
        self._platform = Worker("picsellia-registry")
        self._places = Worker("picsellia-places")

    def begin(self) -> None:
        """Ask for everything but the facts of a version."""
        self.read_again()
        self._places.submit(self._guarded(self._read_places))

    def read_again(self) -> None:
        """Ask what the platform has: versions, datalakes, deployments, what its quota leaves."""
        self._platform.submit(self._guarded(self._read_registry))

    def look_up(self, version: ModelVersion) -> None:
        """Ask for the files and the source of a version."""
        self._platform.submit(self._guarded(lambda: self._read_version(version)))

    def end(self) -> None:
        """Ask nothing more."""
        self._platform.end()
        self._places.end()

    def _guarded(self, read: Callable[[], None]) -> Callable[[], None]:
        def call() -> None:
            try:
                read()
            except Exception as error:  # noqa: BLE001 - shown in the form, whatever it is
                self._failed(error)

        return call

    def _read_registry(self) -> None:
        platform = self._platform_reader.platform
        models = tuple(platform.registry())
        lakes = tuple(platform.datalakes())
        records = tuple(platform.deployments())
        hosts = not platform.is_local
        allowance = platform.allowance()

        def change(known: Choices) -> Choices:
            return replace(
                known, listed=models, lakes=lakes, records=records, serves_itself=hosts,
                allowance=allowance, is_read=True,
            )  # fmt: skip

        self._tell(change)

    def _read_places(self) -> None:
        saved = dict(self._place_reader.saved_places)
        self._tell(lambda known: replace(known, saved=saved))
        reports = self._place_reader.places().reports
        self._tell(lambda known: replace(known, reports=reports))

    def _read_version(self, version: ModelVersion) -> None:
        platform = self._platform_reader.platform
        facts = VersionFacts(tuple(platform.files(version)), platform.experiment_of(version))
        self._tell(lambda known: replace(known, facts={**known.facts, version.id: facts}))
