import base64
import io
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.display.charts import (
    dashboard_figure,
    dashboard_html,
    dashboard_png,
    dashboard_text,
)
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.workflows.metrics import summarize
from tests.display.html_reading import PAYLOAD, assert_only_ours

UNTIL = 1_790_000_000.0
DAY = 86_400.0


def log(predictions: int, *, shapes_each: int = 4, seconds: float = DAY) -> PredictionLog:
    rng = np.random.default_rng(0)
    shape_of = np.repeat(np.arange(predictions), shapes_each)
    return PredictionLog(
        at=np.sort(UNTIL - rng.random(predictions) * seconds),
        latency_s=rng.gamma(4, 0.001, predictions),
        shape_of=shape_of,
        classes=rng.integers(0, 15, len(shape_of)),
        scores=rng.random(len(shape_of)),
    )


def dashboard(predictions: int = 100, *, threshold=0.3, labels=None, name="brave-otter", **options):
    seconds = options.pop("seconds", DAY)
    return summarize(
        log(predictions, seconds=seconds, **options),
        deployment=name,
        labels=labels or {index: str(index) for index in range(15)},
        threshold=threshold,
        since=UNTIL - seconds,
        until=UNTIL,
    )


CASES = {
    "a busy day": dashboard(500),
    "none": dashboard(0),
    "one": dashboard(1),
    "no shapes": dashboard(5, shapes_each=0),
    "classification": dashboard(50, threshold=None, shapes_each=1),
    "long labels": dashboard(labels={i: f"a label far too long to fit {i}" for i in range(15)}),
    "half a minute": dashboard(3, seconds=30),
    "a year": dashboard(40, seconds=365 * DAY),
    "ten years": dashboard(40, seconds=3650 * DAY),
    "threshold at 0": dashboard(threshold=0.0),
    "threshold at 1": dashboard(threshold=1.0),
    "many": dashboard(30_000, shapes_each=3),
}


@pytest.fixture(params=CASES, name="figure", scope="module")
def drawn_figure(request):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = dashboard_figure(CASES[request.param])
    FigureCanvasAgg(figure).draw()
    return figure


def test_nothing_in_the_figure_is_clipped(figure):
    whole = figure.get_tightbbox(figure.canvas.get_renderer())
    width, height = figure.get_size_inches()
    assert whole.x0 >= 0
    assert whole.y0 >= 0
    assert whole.x1 <= width
    assert whole.y1 <= height


def test_no_panel_reaches_into_another(figure):
    boxes = [panel.get_tightbbox(figure.canvas.get_renderer()) for panel in figure.axes]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_no_heading_or_tick_runs_into_its_neighbour(figure):
    for panel in figure.axes:
        left, right = panel._left_title, panel._right_title
        assert left.get_window_extent().x1 < right.get_window_extent().x0
        ticks = [
            tick.get_window_extent()
            for tick in panel.get_xticklabels()
            if tick.get_text() and tick.get_visible()
        ]
        inside = [box for box in ticks if panel.bbox.x0 <= (box.x0 + box.x1) / 2 <= panel.bbox.x1]
        for one, other in itertools.pairwise(sorted(inside, key=lambda box: box.x0)):
            assert one.x1 <= other.x0


def test_every_panel_says_its_sample_and_its_units(figure):
    for panel in figure.axes:
        assert panel.get_title(loc="left")
        assert panel.get_title(loc="right").startswith("n = ")
        assert panel.get_xlabel()


def test_bars_are_the_counts():
    data = CASES["a busy day"]
    over_time, _, scores, labels = dashboard_figure(data).axes
    heights = [bar.get_height() for bar in over_time.patches]
    assert heights == data.predictions_over_time.counts.tolist()
    assert [bar.get_height() for bar in scores.patches] == data.score_histogram.counts.tolist()
    assert sum(bar.get_width() for bar in labels.patches) == data.shapes


def test_latency_is_drawn_in_milliseconds():
    data = CASES["a busy day"]
    lines = {line.get_label(): line.get_ydata() for line in dashboard_figure(data).axes[1].lines}
    assert np.allclose(lines["p50"], data.latency_p50_s * 1000)
    assert np.allclose(lines["p95"], data.latency_p95_s * 1000)


def test_the_threshold_is_a_line_among_the_scores():
    scores = dashboard_figure(CASES["a busy day"]).axes[2]
    assert [line.get_xdata()[0] for line in scores.lines] == [0.3]
    assert [text.get_text() for text in scores.texts] == ["threshold 0.3"]


def test_a_classification_has_no_threshold_line():
    assert not dashboard_figure(CASES["classification"]).axes[2].lines


def test_no_predictions_are_said_in_every_panel():
    for panel in dashboard_figure(CASES["none"]).axes:
        assert [text.get_text() for text in panel.texts] == ["no predictions yet"]


def test_labels_beyond_the_tenth_are_summed_up():
    names = [
        tick.get_text() for tick in dashboard_figure(CASES["a busy day"]).axes[3].get_yticklabels()
    ]
    assert len(names) == 10
    assert names[-1] == "6 others"


def test_a_label_with_dollar_signs_is_no_formula():
    labels = {index: rf"$\frac{index}$" for index in range(15)}
    assert dashboard_png(dashboard(labels=labels)).startswith(b"\x89PNG")


def test_the_page_shows_through_the_picture():
    picture = Image.open(io.BytesIO(dashboard_png(CASES["one"])))
    assert picture.mode == "RGBA"
    assert picture.getpixel((0, 0))[3] == 0
    assert picture.getpixel((picture.width // 4, picture.height // 4))[3] == 0


def test_a_users_own_matplotlib_settings_change_nothing():
    import matplotlib as mpl

    expected = dashboard_png(CASES["one"])
    theirs = {
        "font.family": "serif",
        "axes.titlepad": 30,
        "savefig.bbox": "tight",
        "savefig.dpi": 50,
    }
    with mpl.rc_context(theirs):
        assert dashboard_png(CASES["one"]) == expected


def test_drawing_opens_no_window_and_loads_no_pyplot():
    code = (
        "import sys; from tests.display.test_charts import CASES;"
        "from picsellia_jupyter.display.charts import dashboard_png; dashboard_png(CASES['one']);"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=root)


def test_html_has_the_numbers_and_the_picture():
    data = CASES["a busy day"]
    reading = assert_only_ours(dashboard_html(data))
    shown = " | ".join(reading.text)
    assert "Inferences | 500" in shown
    assert f"Shapes over 0.3 | {data.shapes:,}" in shown
    assert "Latency p95 | " in shown
    (source,) = reading.values("src")
    assert Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).format == "PNG"
    assert "inferences 500" in reading.values("alt")[0]


def test_text_of_an_empty_dashboard_has_no_numbers_made_up():
    assert "inferences none yet" in dashboard_text(CASES["none"])
    assert "nan" not in dashboard_text(CASES["none"]).lower()


def test_a_name_from_elsewhere_does_not_become_html():
    data = dashboard(name=PAYLOAD, labels=dict.fromkeys(range(15), PAYLOAD))
    assert any("<script>" in text for text in assert_only_ours(dashboard_html(data)).text)
