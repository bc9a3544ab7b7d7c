"""What a user does with a dashboard: data, files, pages."""

import csv
import sys
from dataclasses import replace

import pyarrow.parquet
import pytest

from picsellia_jupyter.handles.conversions import MissingPackageError
from picsellia_jupyter.handles.dashboard import DashboardView
from tests.display.html_reading import PAYLOAD
from tests.display.reports import full


def test_every_chart_becomes_a_csv_file(tmp_path):
    view = DashboardView(full())
    written = view.to_csv(tmp_path / "new")
    assert {path.stem for path in written} == set(view.frames())
    with (tmp_path / "new" / "inferences.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["inferences"]) for row in rows] == view.frames()["inferences"]["inferences"]


def test_a_label_is_no_formula_of_a_spreadsheet(tmp_path):
    one = full()
    figures = replace(one.figures, label_counts={'=HYPERLINK("http://x")': 3})
    DashboardView(replace(one, figures=figures)).to_csv(tmp_path)
    assert "'=HYPERLINK" in (tmp_path / "labels.csv").read_text()


def test_every_chart_becomes_a_parquet_file(tmp_path):
    view = DashboardView(full())
    for path in view.to_parquet(tmp_path):
        table = pyarrow.parquet.read_table(path)
        assert table.to_pydict() == view.frames()[path.stem]


def test_without_pyarrow_parquet_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match="pip install pyarrow"):
        DashboardView(full()).to_parquet(tmp_path)


def test_the_page_stands_alone(tmp_path):
    one = full()
    figures = replace(one.figures, deployment=PAYLOAD)
    page = DashboardView(replace(one, figures=figures)).to_html(tmp_path / "d.html").read_text()
    assert "<title>&lt;script&gt;" in page
    assert "alert('x')</script>" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_what_is_missing_is_said_first():
    view = DashboardView(full(), missing="3 predictions are not recorded yet.")
    assert repr(view).startswith("Note: 3 predictions")
    html = view._repr_mimebundle_()["text/html"]
    assert html.index("3 predictions are not") < html.index("pxj-dash-head")
