"""A cloud's figures: the platform's first, ours below, and nothing that is not ours in the HTML."""

from __future__ import annotations

from picsellia_jupyter.display import clouds
from picsellia_jupyter.domain.cloud_figures import CloudReport, CrossCheck, Told
from picsellia_jupyter.domain.running import Running
from tests.display.html_reading import PAYLOAD, assert_only_ours
from tests.display.reports import DAY, UNTIL, report

TOLD = (
    Told("AGGREGATED_LABEL_DISTRIBUTION", (("result.0", 84), ("result.1", 56)), left_out=8),
    Told("AGGREGATED_OBJECT_DETECTION_STATS", (("stats.ap_50_95", 0.6123456789),)),
    Told("AGGREGATED_PREDICTIONS_DATA", (("result.inferences", 1_200), ("result.since", None))),
    Told("AGGREGATED_DRIFTING_PREDICTIONS", (("infos.info", "Compute"),), is_outdated=True),
    Told("ANOTHER", trouble="It has no reviews."),
)


def cloud(ours: CrossCheck, *, name="press-line", told=TOLD) -> CloudReport:
    host = "https://app.picsellia.com"
    page = f"{host}/deployment/1"
    return CloudReport(name, host, page, UNTIL - DAY, UNTIL, told, ours, ("Of all.",))


def seen(predicted: int | None = 1_198) -> CrossCheck:
    running = Running(predicted=predicted, failed=2, recorded=1_190, latency_s=23.96)
    return CrossCheck(1_190, 1, running, report(50).figures)


def test_theirs_comes_first_and_ours_below():
    told, page = clouds.text(cloud(seen())), clouds.html(cloud(seen()))
    for face in (told, " | ".join(assert_only_ours(page).text)):
        theirs, ours = face.index("What https://app"), face.index("Seen from here, as a cross-")
        assert theirs < face.index("stats.ap_50_95") < ours
        assert "0.612346" in face
        assert "8 more left out" in face
        assert "of an older computation, or of none" in face
        assert "not told. It has no reviews." in face
        assert ours < face.index("1,198 predicted, 2 failed, 1,190 recorded since it began")
        assert ours < face.index("20 ms", ours)
        assert "50, computed here from the single predictions it tells" in face
        assert "1 of the newest are there more than once: their reply was lost." in face
        assert "Of all." in face


def test_what_is_not_known_is_left_out_or_said():
    assert clouds.ours(CrossCheck()) == [("Known", "nothing")]
    assert clouds.ours(CrossCheck(why_not="It is spelled otherwise.")) == [
        ("Not computed", "It is spelled otherwise."),
    ]
    assert clouds.ours(seen(None))[0] == ("Recorded", "1,190 predictions with an image")
    idle = dict(clouds.ours(CrossCheck(running=Running(predicted=0))))
    assert idle["Its mean latency"] == "none"
    everything = cloud(CrossCheck())
    assert "all until" not in clouds.text(everything)


def test_what_a_server_says_does_not_become_html():
    told = (Told("S", ((PAYLOAD, PAYLOAD),), trouble=""), Told("T", trouble=PAYLOAD))
    page = clouds.html(cloud(CrossCheck(why_not=PAYLOAD), name=PAYLOAD, told=told))
    assert "<script>" in " | ".join(assert_only_ours(page).text)
