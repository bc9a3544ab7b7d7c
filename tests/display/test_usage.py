"""MPU as a card and as text."""

from dataclasses import replace

from picsellia_jupyter.display.usage import usage_card, usage_text
from picsellia_jupyter.domain.usage import Spending, Usage
from picsellia_jupyter.handles.usage import UsageView
from tests.display.html_reading import PAYLOAD, assert_only_ours

USAGE = Usage(
    used=7.5,
    quota=10.0,
    reserved=0.0028,
    rate=1.0,
    serving=1,
    at=1_795_867_200.0,
    spendings=(
        Spending("d1", "press line", "2026-11-27", 5.0, 18_000),
        Spending("d2", "boxes", "2026-11-28", 2.5, 9_000),
    ),
)


def shown(usage: Usage) -> str:
    return " | ".join(assert_only_ours(usage_card(usage)).text)


def test_the_card_says_what_is_left_by_whom_it_was_used_and_how_long_it_lasts():
    for fact in (
        "Left | 2.5 MPU | Used | 7.5 MPU | Quota | 10 MPU | Lasts about | 2.5 h",
        "Rate | 1 MPU an hour of serving, our estimate: Picsellia publishes no rate",
        "24 MPU a day if what serves now goes on; spent on 2026-11-28",
        "press line | 5 | 5 h | boxes | 2.5 | 2.5 h",
        "2026-11-28 | 2.5 | 2.5 h | 2026-11-27 | 5 | 5 h",
    ):
        assert fact in shown(USAGE)
    assert "75% of the quota is used" in usage_card(USAGE)


def test_the_text_says_the_same():
    text = usage_text(USAGE)
    assert "Left         2.5 MPU" in text
    assert "press line  5    5 h" in text
    assert repr(UsageView(USAGE)) == text


def test_a_spent_quota_says_what_to_do():
    spent = replace(USAGE, used=10.0)
    assert "No MPU is left: Picsellia Serving is paused" in shown(spent)
    assert "%usage --quota MPU" in usage_text(spent)
    assert "Lasts about" not in shown(spent)
    assert "spent on" not in shown(spent)


def test_without_a_quota_and_without_use_nothing_is_made_up():
    fresh = Usage(0.0)
    assert "Left | no limit | Used | 0 MPU" in shown(fresh)
    assert "Nothing was used yet. Monitoring only costs no MPU." in shown(fresh)
    assert "Nothing was used yet." in usage_text(fresh)
    assert "Forecast" not in shown(fresh)


def test_what_would_last_for_ages_is_not_dated():
    ages = replace(USAGE, quota=1e6, rate=0.001)
    assert "Lasts about | over 10 years" in shown(ages)
    assert "spent on" not in shown(ages)


def test_long_histories_say_what_they_leave_out():
    many = tuple(Spending(f"d{n}", f"line {n}", f"2026-10-{n:02}", 1.0, 60) for n in range(1, 31))
    assert "Not shown: 10 more deployments, 16 earlier days; the attribute data has all." in shown(
        replace(USAGE, spendings=many)
    )


def test_names_cannot_write_into_the_page():
    hostile = Spending("d", PAYLOAD, "2026-11-28", 1.0, 1)
    assert_only_ours(usage_card(replace(USAGE, spendings=(hostile,))))
