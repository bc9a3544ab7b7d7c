from __future__ import annotations

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.handles.evaluation import EvaluationView
from picsellia_jupyter.workflows.evaluation import reports
from tests.display.html_reading import PAYLOAD, assert_only_ours
from tests.workflows.evaluation.reviewed import boxes, classes, image, many, subject


def shown(images, about):
    view = EvaluationView(reports.report(images, about))
    faces = view._repr_mimebundle_()
    return faces["text/plain"], " | ".join(assert_only_ours(faces["text/html"]).text)


def test_both_faces_tell_figures_intervals_labels_and_coverage():
    for face in shown(many(60), subject(n=60)):
        assert "60 of 100 predicted images are reviewed, chosen at random." in face
        assert "AP50, 95 % interval" in face
        assert "Overlap 0.50 to 0.95" in face
        assert "Precision over 0.5" in face
        assert "Best threshold" in face
        assert "Calibration error (ECE)" in face
        assert "shadow better" in face
    assert "taken for background" in shown(many(60), subject())[0]


def test_without_ground_truth_no_figure_is_shown_as_zero():
    one = ("one", 0.9, 10, 10, 60, 60)
    for face in shown([image(boxes(), boxes(one))], subject()):
        assert "no ground truth" in face
        assert "Under 20 reviewed images" in face


def test_nothing_reviewed_is_one_sentence():
    text, page = shown([], subject(n=0))
    assert text == (
        "lines, evaluated\n0 of 100 predicted images are reviewed.\n\n"
        "Nothing is reviewed yet: there are no figures."
    )
    assert "Nothing is reviewed yet" in page


def test_classes_are_counted_in_images():
    images = [image(classes(("one", 1.0)), classes(("one", 0.9))) for _ in range(3)]
    text, page = shown(images, subject(InferenceType.CLASSIFICATION, threshold=None))
    assert "Accuracy" in text
    assert "Images" in page
    assert "Objects" not in text
    assert "threshold" not in text


def test_labels_are_data_and_never_markup():
    one = (PAYLOAD, 0.9, 10, 10, 60, 60)
    _, page = shown([image(boxes(one), boxes(one))], subject(known=(PAYLOAD,)))
    assert "<script>" in page


def test_confusions_of_many_labels_are_a_list_of_the_most_frequent():
    labels = [f"label {n}" for n in range(14)]
    images = [
        image(boxes((label, 1.0, 1, 1, 9, 9)), boxes((labels[0], 0.9, 1, 1, 9, 9)))
        for label in labels
    ]
    _, page = shown(images, subject(known=labels))
    assert "Most frequent errors" in page
    assert "label 3 taken for label 0: 1" in page


def test_one_figure_can_be_had_by_its_name():
    view = EvaluationView(reports.report(many(40), subject()))
    assert view["ap_50"] == view.data.scores["ap_50"]
