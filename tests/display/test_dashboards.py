"""The dashboard's HTML and text: what is shown, what is left out, and nothing that is not ours."""

from dataclasses import replace

import numpy as np

from picsellia_jupyter.display import dashboards
from picsellia_jupyter.display.charts import figure_of
from picsellia_jupyter.display.palette import tone_of
from picsellia_jupyter.domain.dashboards import Errors, Filters
from picsellia_jupyter.domain.drift import Verdict
from picsellia_jupyter.workflows.evaluation import reports
from tests.display.html_reading import PAYLOAD, assert_only_ours
from tests.display.reports import drift, full, report, signal
from tests.workflows.evaluation.reviewed import many, subject


def shown(one):
    return " | ".join(
        text.strip()
        for text in assert_only_ours(dashboards.html(one), scripts=True).text
        if text.strip()
    )


def titles(one):
    return [part.title for part in dashboards.sections_of(one, None)]


def test_the_header_tells_what_matters():
    told = shown(full())
    assert "Champion | digits:0 | Shadow | digits:1 | Inferences | 500" in told
    assert "Errors | 12 (2.34 %) | Alerts | 1 of 3" in told
    assert "Alert slow: latency 0.812 (> 0.5), 12 times" in told


def test_errors_are_told_also_where_everything_failed():
    failed = replace(report(0), errors=Errors(0, 3, np.array([3])))
    assert "Inferences | none yet | Errors | 3 (100 %)" in shown(failed)
    none = replace(report(5), errors=Errors(5, 0, np.array([0])))
    assert "Errors | none" in shown(none)
    assert "Predictions that failed" not in shown(none)
    assert "Errors" not in shown(report(5))


def test_only_what_has_data_is_shown():
    assert titles(report(0)) == []
    assert titles(report(5)) == ["Overview", "Labels and scores"]
    assert titles(full()) == ["Overview", "Labels and scores", "Drift", "Outliers", "Images"]


def test_nothing_predicted_is_said_without_made_up_numbers():
    told = shown(report(0))
    assert "Inferences | none yet" in told
    assert "nan" not in told.lower()
    assert "<img" not in dashboards.html(report(0))
    filtered = replace(report(0), filters=Filters(tag="night"))
    assert "Inferences | none" in shown(filtered)
    assert "tag night" in shown(filtered)


def test_every_bin_is_a_button_that_names_its_numbers_and_what_one_types():
    one = full()
    reading = assert_only_ours(dashboards.html(one), scripts=True)
    counts = one.figures.predictions_over_time.counts
    names = [name for name in reading.values("aria-label") if " to " in name]
    assert len(names) == 3 * len(counts)
    assert names[0].endswith(f": {counts[0]} predictions")
    # One bar of each chart is on the way of the tabulator; the arrow keys lead to the others.
    buttons = [
        value for tag, name, value in reading.attributes if (tag, name) == ("button", "tabindex")
    ]
    assert buttons.count("0") == 3
    since, until = reading.values("data-since"), reading.values("data-until")
    assert since[1:3] == until[0:2]
    assert "".join(reading.text).count('d.predicted(since="') == 1
    assert reading.tags.count("tr") >= len(counts)


def test_drift_is_told_before_it_is_opened():
    moved = dashboards.html(replace(report(5), drift=drift(signal(), signal("label"))))
    assert '<details open data-part="drift"><summary><strong>Drift</strong>' in moved
    assert "mean score, label moved" in moved
    steady = replace(report(5), drift=drift(signal(verdict=Verdict.STEADY)))
    assert '<details data-part="drift"><summary><strong>Drift</strong>' in dashboards.html(steady)
    assert "1 signals steady" in shown(steady)
    few = replace(report(5), drift=drift(signal(verdict=Verdict.TOO_FEW)))
    assert "too few images: 300 against 1,000; 200 of each are needed" in shown(few)


def test_the_drift_table_has_effect_and_corrected_p():
    told = shown(replace(report(5), drift=drift(signal())))
    assert "mean score | drift | D 0.31 | < 0.001 | 300 | 1,000" in told
    assert "Benjamini-Hochberg, alarm at 0.05" in told


def test_names_from_elsewhere_do_not_become_html():
    one = report(name=PAYLOAD, labels=dict.fromkeys(range(15), PAYLOAD))
    hostile = replace(
        one,
        champion=PAYLOAD,
        shadow=PAYLOAD,
        filters=Filters(tag=PAYLOAD, source=PAYLOAD),
        alerts=tuple(replace(alert, name=PAYLOAD) for alert in full().alerts),
        notices=(PAYLOAD,),
        drift=drift(signal(PAYLOAD)),
        training_labels={PAYLOAD: 5},
    )
    assert shown(hostile).count("<script>") > 5


def test_frames_are_the_data_of_every_chart():
    one = full()
    frames = dashboards.frames_of(one, None)
    assert set(frames) == {
        "inferences", "latency", "errors", "labels", "labels_over_time", "scores", "outlier_scores",
        "outlier_share", "image_width", "image_area", "heatmap", "drift",
    }  # fmt: skip
    assert sum(frames["inferences"]["inferences"]) == 500
    assert frames["drift"]["verdict"] == ["drift", "steady"]
    assert all(len({len(column) for column in frame.values()}) == 1 for frame in frames.values())


def test_every_label_has_its_curve_and_best_threshold():
    review = reports.report(many(60), subject(n=60))
    sections = {one.name: one for one in dashboards.sections_of(full(), review)}
    charts = {chart.name: chart for chart in sections["reviews"].charts}
    assert set(charts) == {"precision_recall", "best_thresholds", "calibration"}
    frames = dashboards.frames_of(full(), review)
    for one in review.labels:
        row = frames["best_thresholds"]["label"].index(one.label)
        assert frames["best_thresholds"]["threshold"][row] == one.best.threshold
        points = [at for at, name in enumerate(frames["curves"]["label"]) if name == one.label]
        assert [frames["curves"]["f1"][at] for at in points] == one.curve.f1.tolist()
    axes = figure_of(charts["best_thresholds"]).axes[0]
    assert {line.get_color() for line in axes.lines[:-1]} == {tone_of(0), tone_of(1)}
    line, dot = axes.lines[:2]
    [best], [f1] = dot.get_data()
    # The value holds from the score before: a step that ends at the next one.
    step = np.searchsorted(line.get_xdata(), best)
    assert line.get_ydata()[step] == f1


def test_text_has_the_same_numbers():
    told = dashboards.text(full())
    assert "champion digits:0, shadow digits:1, inferences 500" in told
    assert "drift: mean score moved" in told
    assert "outliers: 30 of 500 images unlike the training data" in told
    assert "alert: slow: latency 0.812" in told
