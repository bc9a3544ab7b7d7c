"""The deck of a review as a pure model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from picsellia_jupyter.domain.predictions import ImageSize, Points, PredictedImage
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.domain.reviews import (
    Chosen,
    Policy,
    Queue,
    ReviewState,
    Saved,
    Shape,
    Subject,
)
from picsellia_jupyter.widgets.review_model import Decision, ReviewModel, Save
from picsellia_jupyter.widgets.review_page import face, script

FOUND = (Shape("cat", ((1.0, 1.0), (9.0, 9.0))), Shape("dog", ((2.0, 2.0), (5.0, 5.0))))
MORE = (*FOUND, Shape("cat", ((0.0, 0.0), (3.0, 3.0))))
NOTHING = Points(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((0, 2), np.float32))


def subject(asset_id: str) -> Subject:
    image = PredictedImage(f"{asset_id}.jpg", ImageSize(20, 10), NOTHING, 0.01, asset_id)
    return Subject(asset_id, image, FOUND, None, ReviewState.TO_REVIEW, "")


@pytest.fixture
def model() -> ReviewModel:
    items = (Chosen("a", ""), Chosen("b", "", also=("z",)), Chosen("c", "score 0.50"))
    made = ReviewModel(Queue(Policy.RANDOM, items, 9), InferenceType.OBJECT_DETECTION)
    for item in items:
        made.learn(subject(item.id))
    return made


def store(model: ReviewModel, save: Save | None, revision: str = "1") -> None:
    assert save is not None
    model.saved(save.subject.id, Saved(revision, ReviewState.REVIEWED), save.shapes)


def shown(model: ReviewModel) -> str | None:
    return model.current.id if model.current else None


def test_what_is_accepted_is_stored_and_the_next_image_shown(model: ReviewModel):
    save = model.accept("a")

    assert save is not None
    assert (save.subject.id, save.shapes) == ("a", FOUND)
    assert (shown(model), model.unsaved) == ("b", 1)
    store(model, save)
    assert (model.unsaved, model.reviewed_ids) == (0, ("a",))
    assert model.tally == {Decision.ACCEPTED: 1}


def test_what_was_edited_is_corrected_and_an_empty_image_rejected(model: ReviewModel):
    model.edit("a", MORE)
    corrected = model.accept("a")
    rejected = model.reject("b")

    assert corrected is not None
    assert corrected.shapes == MORE
    assert rejected is not None
    assert (rejected.shapes, rejected.also) == ((), ("z",))
    assert model.tally == {Decision.CORRECTED: 1, Decision.REJECTED: 1}


def test_a_late_message_about_another_image_changes_nothing(model: ReviewModel):
    model.accept("a")

    assert model.accept("a") is None
    model.edit("a", MORE)

    assert (shown(model), model.draft and model.draft.shapes) == ("b", FOUND)


def test_an_image_that_is_left_undecided_is_stored_only_if_it_was_changed(model: ReviewModel):
    assert model.move(1) is None
    model.edit("b", MORE)
    save = model.move(-1)

    assert save is not None
    assert save.shapes == MORE
    assert shown(model) == "a"
    assert model.move(-1) is None
    assert shown(model) == "a"


def test_edits_and_decisions_are_undone_one_by_one(model: ReviewModel):
    model.edit("a", MORE)
    model.edit("a", FOUND[:1])
    store(model, model.accept("a"))
    assert shown(model) == "b"

    model.undo()
    assert (shown(model), model.draft and model.draft.decision) == ("a", None)
    model.undo()
    assert model.draft is not None
    assert model.draft.shapes == MORE
    # Decided again, it is stored over the review that is there.
    save = model.accept("a")
    assert save is not None
    assert (save.subject.revision, save.shapes) == ("1", MORE)
    for _ in range(3):
        model.undo()
    assert not model.can_undo
    assert (shown(model), model.draft and model.draft.shapes) == ("a", FOUND)


@pytest.mark.parametrize("keep_mine", [True, False])
def test_a_conflict_brings_the_image_back_and_one_of_both_is_chosen(
    model: ReviewModel, keep_mine: bool
):
    theirs = replace(
        subject("a"), reviewed=FOUND[1:], revision="9", state=ReviewState.REVIEWED, reviewer="Ann"
    )
    model.accept("a")
    model.refused("a", "Ann was first.", theirs)
    assert shown(model) == "a"
    told = face(model, [])
    assert told["conflict"].startswith("Ann has reviewed this image meanwhile. Yours: 2 shapes;")
    assert len(told["theirs"]) == 1
    assert model.accept("a") is None

    save = model.resolve("a", keep_mine=keep_mine)

    assert shown(model) == "b"
    if keep_mine:
        assert save is not None
        assert (save.subject.revision, save.shapes) == ("9", FOUND)
    else:
        assert save is None
        assert model.seen("a").revision == "9"
        model.move(-1)
        assert model.draft is not None
        assert model.draft.shapes == FOUND[1:]


def test_a_review_that_cannot_be_stored_says_so_at_its_image(model: ReviewModel):
    model.accept("a")
    model.accept("b")
    model.refused("a", "The platform does not answer.")

    assert shown(model) == "a"
    assert face(model, [])["trouble"] == "The platform does not answer."
    assert model.accept("a") is not None


def test_a_classification_is_not_rejected(model: ReviewModel):
    classes = ReviewModel(model.queue, InferenceType.CLASSIFICATION)
    classes.learn(subject("a"))

    assert classes.reject("a") is None
    assert shown(classes) == "a"


def test_what_is_submitted_stays(model: ReviewModel):
    store(model, model.accept("a"))
    model.submitted()

    assert (model.reviewed_ids, model.can_undo) == ((), False)
    model.move(-1)
    assert model.accept("a") is None
    assert face(model, [])["final"] is True


def test_the_face_says_where_one_is_and_what_was_done(model: ReviewModel):
    assert face(model, [])["title"] == "Image 1 of 3 · a.jpg"
    assert face(model, [])["status"].startswith("3 images of 9, at random")
    model.move(2)
    assert face(model, [])["title"] == "Image 3 of 3 · c.jpg · score 0.50"
    store(model, model.accept("c"))
    told = face(model, [])
    assert told["title"] == "All 3 images looked at"
    assert told["status"] == "1 accepted · all saved"
    assert (told["asset"], told["reviewed"]) == ("", 1)


def test_images_are_wanted_before_they_are_looked_at(model: ReviewModel):
    fresh = ReviewModel(model.queue, InferenceType.OBJECT_DETECTION)
    assert fresh.wanted(1) == ["a", "b"]
    fresh.learn(subject("a"))
    assert fresh.wanted(2) == ["b", "c"]


def test_the_script_is_one_module_without_imports():
    lines = script().splitlines()
    assert not [line for line in lines if line.startswith("import ")]
    assert [line for line in lines if line.startswith("export ")] == ["export default { render };"]
