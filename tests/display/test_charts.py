import io
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from picsellia_jupyter.display import plots
from picsellia_jupyter.display.charts import figure_of, html_of, png_of, short_number
from picsellia_jupyter.display.dashboards import sections_of
from picsellia_jupyter.display.palette import label_colour
from tests.display.html_reading import PAYLOAD, assert_only_ours
from tests.display.reports import DAY, full, report

CASES = {
    "everything": full(),
    "one": report(1),
    "no shapes": report(5, shapes_each=0),
    "classification": report(50, threshold=None, shapes_each=1),
    "long labels": report(labels={i: f"a label far too long to fit {i}" for i in range(15)}),
    "half a minute": report(3, seconds=30),
    "a year": report(40, seconds=365 * DAY),
    "ten years": report(40, seconds=3650 * DAY),
    "threshold at 0": report(threshold=0.0),
    "threshold at 1": report(threshold=1.0),
    "many": report(30_000, shapes_each=3),
}


def charts_of(one):
    return {chart.name: chart for part in sections_of(one, None) for chart in part.charts}


CHARTS = [
    pytest.param(chart, id=f"{case}, {name}")
    for case, one in CASES.items()
    for name, chart in charts_of(one).items()
]


@pytest.mark.parametrize("chart", CHARTS)
def test_nothing_is_cut_off_or_runs_into_its_neighbour(chart):
    figure = figure_of(chart)
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    whole = figure.axes[0].get_tightbbox(figure.canvas.get_renderer())
    assert whole.x0 >= 0
    assert whole.y0 >= 0
    assert whole.x1 <= width
    assert whole.y1 <= height
    panel = figure.axes[0]
    ticks = [
        tick.get_window_extent()
        for tick in panel.get_xticklabels()
        if tick.get_text() and tick.get_visible()
    ]
    inside = [box for box in ticks if panel.bbox.x0 - 1 <= box.x1 and box.x0 <= panel.bbox.x1 + 1]
    for one, other in pairwise(sorted(inside, key=lambda box: box.x0)):
        assert one.x1 <= other.x0


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_has_columns_of_one_length_a_sample_and_words(chart):
    assert len({len(values) for values in chart.columns.values()}) == 1
    assert chart.title
    assert "n = " in chart.sample or " of " in chart.sample
    assert chart.said


def test_bars_are_the_counts():
    one = CASES["everything"]
    charts = charts_of(one)
    [drawn] = figure_of(charts["inferences"]).axes[0].collections
    counts = one.figures.predictions_over_time.counts.tolist()
    assert heights(drawn) == charts["inferences"].columns["inferences"] == counts
    [scores] = figure_of(charts["scores"]).axes[0].collections
    assert heights(scores) == one.figures.score_histogram.counts.tolist()


def heights(bars):
    """Of each bar of a collection."""
    return [
        float(path.vertices[:, 1].max() - path.vertices[:, 1].min()) for path in bars.get_paths()
    ]


def test_bars_stand_in_their_bins_and_upon_each_other():
    one = CASES["everything"]
    panel = figure_of(charts_of(one)["labels_over_time"]).axes[0]
    since, until = one.figures.since / DAY, one.figures.until / DAY
    floor = np.zeros(len(one.figures.predictions_over_time.counts))
    for bars, counts in zip(panel.collections, one.labels_over_time.values(), strict=True):
        lows = [path.vertices[:, 1].min() for path in bars.get_paths()]
        assert np.allclose(lows, floor)
        lefts = np.array([path.vertices[:, 0].min() for path in bars.get_paths()])
        rights = np.array([path.vertices[:, 0].max() for path in bars.get_paths()])
        assert lefts[0] == pytest.approx(since)
        assert (rights[:-1] < lefts[1:]).all()
        assert rights[-1] < until
        floor = floor + counts
    assert panel.get_ylim()[1] >= floor.max()


def test_the_rate_is_told_in_a_unit_one_can_read():
    assert plots.rate(report(500).figures) == "20.8 per h"
    assert plots.rate(report(3, seconds=30 * DAY).figures) == "0.1 per day"
    assert plots.rate(report(600_000, shapes_each=0).figures) == "6.94 per s"


def test_latency_is_drawn_in_milliseconds_and_the_shadow_in_grey():
    one = CASES["everything"]
    chart = charts_of(one)["latency"]
    lines = {line.get_label(): line for line in figure_of(chart).axes[0].lines}
    for name in ("p50", "p95", "p99"):
        expected = getattr(one.figures, f"latency_{name}_s") * 1000
        assert np.allclose(lines[name].get_ydata(), expected)
        assert np.allclose(chart.columns[f"{name}_ms"], expected)
    assert lines["shadow p50"].get_color() == "#9a9a9a"
    assert set(chart.columns["shadow_p50_ms"]) == {20.0}
    assert chart.sample == "n = 500, shadow 80"


def test_the_threshold_is_a_line_among_the_scores():
    [line] = figure_of(charts_of(CASES["one"])["scores"]).axes[0].lines
    assert line.get_xdata()[0] == 0.3
    assert not figure_of(charts_of(CASES["classification"])["scores"]).axes[0].lines


def test_labels_stand_beside_the_training_data_as_shares():
    one = CASES["everything"]
    chart = charts_of(one)["labels"]
    columns = chart.columns
    assert columns["label"][-1] == "7 others"
    assert sum(columns["predicted"]) == one.figures.shapes
    assert sum(columns["training"]) == 450
    drawn = [bar.get_width() for bar in figure_of(chart).axes[0].patches]
    assert sum(drawn) == pytest.approx(2.0)
    assert chart.sample.endswith("against 450, 24 % apart")


def test_labels_beyond_the_tenth_are_summed_up():
    chart = charts_of(report(500))["labels"]
    assert len(chart.columns["label"]) == 10
    assert chart.columns["label"][-1] == "6 others"
    assert sum(chart.columns["predicted"]) == report(500).figures.shapes


def test_a_label_has_one_colour_whatever_else_is_shown():
    one = CASES["everything"]
    chart = charts_of(one)["labels_over_time"]
    for name, colour in chart.colours:
        red, green, blue = label_colour(one.choices.labels.index(name))
        assert colour == f"#{red:02x}{green:02x}{blue:02x}"
    first = figure_of(chart).axes[0].collections[0]
    assert to_hex(first.get_facecolor()[0]) == chart.colours[0][1]


def test_the_map_is_as_dark_as_the_fullest_cell():
    [image] = figure_of(charts_of(CASES["everything"])["heatmap"]).axes[0].images
    opacity = np.asarray(image.get_array())[..., 3]
    assert opacity.max() == 1.0
    assert opacity[0, 0] == 0.0
    assert opacity[16, 16] == pytest.approx((16 * 32 + 16) / 1023)


def test_a_label_with_dollar_signs_is_no_formula():
    labels = {index: rf"$\frac{index}$" for index in range(15)}
    assert png_of(charts_of(report(labels=labels))["labels"]).startswith(b"\x89PNG")


def test_the_page_shows_through_the_picture():
    picture = Image.open(io.BytesIO(png_of(charts_of(CASES["one"])["inferences"])))
    assert picture.mode == "RGBA"
    assert picture.getpixel((0, 0))[3] == 0
    assert picture.getpixel((picture.width // 2, picture.height // 3))[3] == 0
    assert np.asarray(picture)[..., 3].max() == 255


def test_a_users_own_matplotlib_settings_change_nothing():
    import matplotlib as mpl

    chart = charts_of(CASES["one"])["inferences"]
    expected = png_of(chart)
    theirs = {"font.family": "serif", "savefig.bbox": "tight", "savefig.dpi": 50}
    with mpl.rc_context(theirs):
        assert png_of(chart) == expected


def test_drawing_opens_no_window_and_loads_no_pyplot():
    code = (
        "import sys; from tests.display.reports import full;"
        "from picsellia_jupyter.display.dashboards import html; html(full());"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=root)


def test_a_name_from_elsewhere_does_not_become_html():
    one = report(labels=dict.fromkeys(range(15), PAYLOAD))
    reading = assert_only_ours(html_of(charts_of(one)["labels"]))
    assert any(PAYLOAD[:8] in alt for alt in reading.values("alt"))


@pytest.mark.parametrize(
    ("number", "told"),
    [(950, "950"), (9_500, "9,500"), (12_000, "12k"), (3.5e6, "3.5M"), (2e9, "2G")],
)
def test_large_numbers_fit_beside_an_axis(number, told):
    assert short_number(number) == told


def test_what_draws_can_be_imported_beside_other_work():
    code = (
        "import sys, threading\n"
        "from picsellia_jupyter.display.charts import get_ready\n"
        "assert 'matplotlib' not in sys.modules\n"
        "get_ready()\n"
        "[thread] = [one for one in threading.enumerate() if one.name == 'charts']\n"
        "thread.join()\n"
        "assert 'matplotlib.figure' in sys.modules\n"
        "get_ready()\n"
        "assert threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
