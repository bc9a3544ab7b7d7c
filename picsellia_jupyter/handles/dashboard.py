"""A dashboard in a user's hand."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picsellia_jupyter.domain.dashboards import DashboardReport
from picsellia_jupyter.domain.evaluation import EvaluationReport
from picsellia_jupyter.handles.conversions import imported


@dataclass(frozen=True, slots=True, eq=False)
class DashboardView:
    """The dashboard of a deployment; its numbers are in `data`."""

    data: DashboardReport
    review: EvaluationReport | None = None
    """How well predictions agree with reviews, where there are any."""
    missing: str = ""
    """What was predicted and is not in it, in words."""
    watch: str = ""
    """Class of the controls of a live one; ranges that are drawn in it are written into these."""

    def frames(self) -> dict[str, dict[str, list[Any]]]:
        """The data of every chart by its name: columns of one length, times in seconds, UTC.

        `pandas.DataFrame(view.frames()["latency"])` makes a table of one.
        """
        from picsellia_jupyter.display import dashboards

        return dashboards.frames_of(self.data, self.review)

    def to_html(self, path: str | Path) -> Path:
        """Write it as an HTML file that needs nothing else.

        Args:
            path: of the file; its folder must exist.
        """
        from picsellia_jupyter.display import pages

        title = f"{self.data.figures.deployment}, dashboard"
        return pages.written(Path(path), self._html(), title=title)

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write the data of every chart into a folder, a CSV file each."""
        into = _folder(folder)
        return [_csv(into / f"{name}.csv", frame) for name, frame in self.frames().items()]

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Write the data of every chart into a folder, a Parquet file each.

        Raises:
            MissingPackageError: pyarrow is not installed.
        """
        arrow = imported("pyarrow", "to_parquet")
        parquet = imported("pyarrow.parquet", "to_parquet")
        into, written = _folder(folder), []
        for name, frame in self.frames().items():
            written.append(into / f"{name}.parquet")
            parquet.write_table(arrow.table(frame), written[-1])
        return written

    def __repr__(self) -> str:
        from picsellia_jupyter.display import cards, dashboards

        return cards.with_note_text(dashboards.text(self.data, self.review), self.missing)

    def _html(self) -> str:
        from picsellia_jupyter.display import cards, dashboards

        return cards.with_note(
            dashboards.html(self.data, self.review, watch=self.watch), self.missing
        )

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": repr(self)}


def _folder(path: str | Path) -> Path:
    folder = Path(path).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _csv(path: Path, frame: dict[str, list[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(map(_cell, frame))
        writer.writerows(map(_cell, row) for row in zip(*frame.values(), strict=True))
    return path


def _cell(value: object) -> object:
    # A spreadsheet takes text that begins so for a formula, and labels come from elsewhere.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
