"""What is left of MPU, by whom it was used, and how long it lasts."""

import pytest

from picsellia_jupyter.domain.allowance import Allowance, quota_spent
from picsellia_jupyter.domain.errors import InvalidInputError, QuotaSpentError
from picsellia_jupyter.domain.usage import (
    Spending,
    Sum,
    Usage,
    amount,
    estimate,
    parse_quota,
    parse_rate,
)

NOON = 1_795_867_200.0
"""2026-11-28, 12:00 UTC."""
SPENDINGS = (
    Spending("d1", "lines", "2026-11-20", 4.0, 14_400),
    Spending("d1", "lines", "2026-11-27", 1.0, 3_600),
    Spending("d2", "boxes", "2026-11-27", 2.5, 9_000),
    Spending("d1", "press line", "2026-11-28", 0.5, 1_800),
)


def test_what_was_used_is_summed_by_deployment_under_its_last_name():
    usage = Usage(8.0, spendings=SPENDINGS)
    assert usage.by_deployment() == (Sum("press line", 5.5, 19_800), Sum("boxes", 2.5, 9_000))


def test_what_was_used_is_summed_by_day_the_last_one_first():
    days = Usage(8.0, spendings=SPENDINGS).by_day()
    assert [(day.name, day.mpu) for day in days] == [
        ("2026-11-28", 0.5),
        ("2026-11-27", 3.5),
        ("2026-11-20", 4.0),
    ]


def test_what_is_reserved_is_left_but_not_free():
    usage = Usage(4.0, 10.0, reserved=1.0)
    assert (usage.left, usage.free) == (6.0, 5.0)
    assert Usage(12.0, 10.0).left == 0.0
    assert Usage(12.0).left is None


def test_the_forecast_goes_by_what_serves_now():
    forecast = Usage(4.0, 10.0, rate=0.5, serving=2).forecast()
    assert forecast is not None
    assert forecast.mpu_a_day == 24.0
    assert forecast.lasts_s == 6 * 3600
    assert forecast.basis == "if what serves now goes on"


def test_the_forecast_goes_by_the_last_week_where_nothing_serves():
    forecast = Usage(8.0, 10.0, at=NOON, spendings=SPENDINGS).forecast()
    assert forecast is not None
    assert forecast.mpu_a_day == pytest.approx(4.0 / 7)
    assert forecast.lasts_s == pytest.approx(2.0 / (4.0 / 7) * 86_400)
    assert forecast.basis == "by the mean of the last 7 days; nothing serves now"


def test_without_use_there_is_no_forecast_and_without_a_quota_no_end():
    assert Usage(0.0, 10.0, at=NOON).forecast() is None
    forecast = Usage(0.0, serving=1).forecast()
    assert forecast is not None
    assert forecast.lasts_s is None


def test_an_allowance_refuses_only_where_nothing_is_left():
    Allowance(None).check()
    Allowance(0.001, quota=5.0).check()
    with pytest.raises(QuotaSpentError) as refused:
        Allowance(0.0, quota=5.0).check()
    assert refused.value.fact == "No MPU is left for Picsellia Serving: the quota is 5 MPU."
    assert "usage set --quota" in refused.value.remedy


def test_the_refusal_says_what_is_held_for_others():
    assert quota_spent(3.5, 4.0, reserved=0.5).fact == (
        "No MPU is left for Picsellia Serving: 3.5 of 4 MPU are used, "
        "0.5 reserved for what is being served."
    )


def test_a_refusal_has_no_more_digits_than_a_person_reads():
    assert quota_spent(1.2345678, 1.2345679, reserved=0.0027778).fact == (
        "No MPU is left for Picsellia Serving: 1.23 of 1.23 MPU are used, "
        "0.0028 reserved for what is being served."
    )


@pytest.mark.parametrize(
    ("mpu", "said"),
    [
        (0.0, "0"),
        (0.0000028, "under 0.001"),
        (0.00278, "0.0028"),
        (0.351, "0.35"),
        (4.2512, "4.25"),
        (5.0, "5"),
        (12.49, "12.5"),
        (99.96, "100"),
        (1250.4, "1,250"),
    ],
)
def test_amounts_are_rounded_to_what_can_be_read(mpu, said):
    assert amount(mpu) == said


def test_a_rate_keeps_the_digits_it_was_set_with():
    assert estimate(0.0125) == "About 0.0125 MPU an hour of serving (our estimate)."
    assert "About 1,000,000 MPU" in estimate(1e6)


def test_a_quota_is_a_number_or_none():
    assert (parse_quota("20"), parse_quota(" None ")) == (20.0, None)
    with pytest.raises(
        InvalidInputError, match=r"The quota 'lots' is no number\. Use, say: --quota"
    ):
        parse_quota("lots")
    with pytest.raises(
        InvalidInputError, match=r"from 0 to 1,000,000; got -3\. Or use: --quota none"
    ):
        parse_quota("-3")


@pytest.mark.parametrize("wrong", ["-1", "0.0001", "1e7", "nan", "inf"])
def test_a_rate_that_cannot_be_counted_is_refused(wrong):
    with pytest.raises(InvalidInputError, match=r"A rate is 0, or 0\.001 to 1,000,000 MPU an hour"):
        parse_rate(wrong)
