"""Reviewing by program, against a real local platform."""

from __future__ import annotations

import threading
import uuid

import pytest

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.domain.reviews import ReviewConflictError, ReviewState, Shape
from picsellia_jupyter.session import Session
from tests.reviewing import CLASSES, Furnished

FOUND = (
    Shape("zero", ((20.0, 10.0), (90.0, 60.0))),
    Shape("one", ((100.0, 70.0), (150.0, 110.0))),
)


@pytest.fixture
def lines(platform) -> Furnished:
    return Furnished(platform.host, platform.token, f"lines {uuid.uuid4().hex[:8]}")


@pytest.fixture
def session(platform) -> Session:
    return Session(platform.host, platform.token)


def test_what_is_accepted_is_what_was_found_over_the_threshold(lines: Furnished, session: Session):
    asset = lines.predict()
    (item,) = session.deployment(lines.name).reviews()
    assert item.state is ReviewState.TO_REVIEW

    item.accept()

    (review,) = lines.reviews_of(asset)
    boxes = [(s["label"]["name"], s["x"], s["y"], s["w"], s["h"]) for s in review["rectangles"]]
    assert boxes == [("zero", 20, 10, 70, 50), ("one", 100, 70, 50, 40)]
    assert item.state is ReviewState.REVIEWED
    assert lines.tags_of(asset) == {"sampled:random"}
    assert session.evaluate(lines.name, sampled="random")["ap_50"] == pytest.approx(1.0)


def test_shapes_are_rejected_relabelled_and_drawn(lines: Furnished, session: Session):
    lines.predict_many(3)
    first, second, third = session.deployment(lines.name).reviews()

    first.reject()
    second.relabel({1: "two"})
    third.save([Shape("two", ((1.4, 2.6), (9.2, 11.8)))])

    assert lines.reviews_of(first.id)[0]["rectangles"] == []
    labels = [s["label"]["name"] for s in lines.reviews_of(second.id)[0]["rectangles"]]
    assert labels == ["zero", "two"]
    (drawn,) = lines.reviews_of(third.id)[0]["rectangles"]
    assert [drawn[key] for key in "xywh"] == [1, 3, 8, 9]
    # Read again, it is what was saved.
    assert second.refresh().shapes == (FOUND[0], FOUND[1].named("two"))


def test_a_class_is_relabelled_and_cannot_be_rejected(platform, session: Session):
    cats = Furnished(platform.host, platform.token, "cats of reviews", kind="CLASSIFICATION")
    asset = cats.predict(raw=CLASSES)
    (item,) = session.deployment(cats.name).reviews()
    assert item.shapes == (Shape("one"),)

    with pytest.raises(InvalidInputError, match="reviewed with one class, not 0"):
        item.reject()
    item.relabel("two")

    assert [s["label"]["name"] for s in cats.reviews_of(asset)[0]["classifications"]] == ["two"]


def test_a_review_that_cannot_be_meant_is_refused(lines: Furnished, session: Session):
    lines.predict()
    (item,) = session.deployment(lines.name).reviews()

    with pytest.raises(NotFoundError, match=r"no label named 'on'. Did you mean 'one'"):
        item.relabel("on")
    with pytest.raises(InvalidInputError, match="has no area"):
        item.save([Shape("one", ((5, 5), (5, 9)))])
    with pytest.raises(InvalidInputError, match="no shape 2 among 2"):
        item.relabel({2: "one"})
    assert lines.reviews_of(item.id) == []


def test_policies_that_have_nothing_to_go_by_say_so(lines: Furnished, session: Session):
    lines.predict()
    deployment = session.deployment(lines.name)

    with pytest.raises(NotFoundError, match=r"no policy named 'uncertian'. Did you mean"):
        deployment.reviews("uncertian")
    with pytest.raises(InvalidInputError, match="has an outlier score"):
        deployment.reviews("outliers")
    with pytest.raises(InvalidInputError, match="seen by a shadow model"):
        deployment.reviews("disagreements")
    with pytest.raises(InvalidInputError, match="'label' needs a label"):
        deployment.reviews("label")
    with pytest.raises(NotFoundError, match=r"no label named 'three'"):
        deployment.reviews(label="three")


def test_a_review_over_one_that_was_not_seen_is_refused_and_shown(
    lines: Furnished, session: Session
):
    lines.predict()
    (mine,) = session.deployment(lines.name).reviews()
    (theirs,) = session.deployment(lines.name).reviews()
    assert mine.shapes == theirs.shapes
    theirs.relabel("two")

    with pytest.raises(ReviewConflictError, match=r"has reviewed page\.jpg meanwhile"):
        mine.accept()

    assert mine.theirs is not None
    assert {shape.label for shape in mine.theirs.shapes} == {"two"}
    assert len(lines.reviews_of(mine.id)) == 1
    mine.save(mine.shapes, over=mine.theirs)
    labels = [s["label"]["name"] for s in lines.reviews_of(mine.id)[-1]["rectangles"]]
    assert labels == ["zero", "one"]


def test_two_reviewers_of_one_image_lose_no_review_in_a_hundred(lines: Furnished, platform):
    asset = lines.predict()
    each, start = 100, threading.Barrier(2)
    conflicts: list[int] = []

    def review(number: int) -> None:
        (item,) = (
            one
            for one in Session(platform.host, platform.token)
            .deployment(lines.name)
            .reviews(limit=1)
        )
        start.wait()
        refused = 0
        for turn in range(each):
            mine = [Shape("one", ((number, turn), (number + 9, turn + 9)))]
            over = None
            while True:
                try:
                    item.save(mine, over=over)
                    break
                except ReviewConflictError as conflict:
                    refused += 1
                    over = conflict.theirs
        conflicts.append(refused)

    threads = [threading.Thread(target=review, args=[number]) for number in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    kept = [
        (shape["x"], shape["y"]) for one in lines.reviews_of(asset) for shape in one["rectangles"]
    ]
    assert sorted(kept) == [(number, turn) for number in (0, 100) for turn in range(each)]
    assert len(conflicts) == 2
    assert sum(conflicts) > 0


def test_submitted_reviews_are_final_and_fed_once(lines: Furnished, session: Session):
    version = lines.feed_into(f"truth of {lines.name}")
    lines.predict_many(2)
    reviews = session.deployment(lines.name).reviews()
    for item in reviews:
        item.accept()

    done = reviews.submit()

    assert (done.submitted, done.annotated) == (2, 2)
    assert reviews.submit().submitted == 0
    with pytest.raises(ConflictError, match="is submitted"):
        reviews[0].accept()
    stats = lines.get(f"/api/dataset/version/{version}/stats")
    assert stats["label_repartition"] == {"zero": 2, "one": 2}
    assert (reviews.counts.reviewed, reviews.counts.submitted) == (0, 2)
    assert "Submitted  2" in repr(reviews)
