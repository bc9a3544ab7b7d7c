import pytest

from picsellia_jupyter.domain.alerts import AlertMetric
from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.workflows.conditions import Condition, condition_of

M = AlertMetric


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("latency > 200 ms", Condition(M.LATENCY, ">", 0.2)),
        ("latency>0.2", Condition(M.LATENCY, ">", 0.2)),
        ("Average  Latency >= 1.5s over 10min", Condition(M.AVERAGE_LATENCY, ">=", 1.5, 600.0)),
        (
            "average latency > 300 ms until 200 ms for 1 h",
            Condition(M.AVERAGE_LATENCY, ">", 0.3, 3600.0, 0.2),
        ),
        ("error rate > 5 % over 10 min", Condition(M.ERROR_RATE, ">", 0.05, 600.0)),
        ("error_rate > 0.05", Condition(M.ERROR_RATE, ">", 0.05)),
        ("stats.ap_50_95 < 0.6 over 7 d", Condition(M.AVERAGE_PRECISION, "<", 0.6, 604_800.0)),
        ("AP < 60 %", Condition(M.AVERAGE_PRECISION, "<", 0.6)),
        ("drift", Condition(M.DRIFT)),
        ("drift over 24 h", Condition(M.DRIFT, ">", None, 86_400.0)),
        ("label distribution > 20%", Condition(M.DISTRIBUTION, ">", 0.2)),
        ("outliers over 1 day", Condition(M.OUTLIERS, ">", None, 86_400.0)),
        ("no traffic for 90 min", Condition(M.NO_TRAFFIC, ">", 5400.0)),
        ("no traffic > 1 h", Condition(M.NO_TRAFFIC, ">", 3600.0)),
        ("no_traffic", Condition(M.NO_TRAFFIC)),
    ],
)
def test_a_condition_is_read_as_it_is_written(written, meant):
    found = condition_of(written)
    assert (found.metric, found.operator) == (meant.metric, meant.operator)
    for name in ("limit", "window_s", "clear_limit"):
        assert getattr(found, name) == pytest.approx(getattr(meant, name)), name


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "cannot be read"),
        ("latency > fast", "cannot be read"),
        ("latency > 200 ms and drift", "cannot be read"),
        ("latency = 1", "There is no operator '='"),
        ("latency > 5 %", "latency is not told in '%'"),
        ("error rate > 200 ms", "error_rate is not told in 'ms'"),
        ("latency > 200 ms over 10 min", "write: average latency > 200 ms over 10 min"),
        ("no traffic > 1 h over 2 h", "no_traffic is of no window"),
        ("drift over 10", "'10' is no length of time"),
        ("drift over -1 h", "'-1 h' is no length of time"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_how_to_write_it(written, said):
    with pytest.raises(InvalidInputError) as refused:
        condition_of(written)
    assert said in str(refused.value)


def test_an_unknown_metric_is_answered_with_the_closest():
    with pytest.raises(NotFoundError, match="Did you mean 'error rate'"):
        condition_of("eror rate > 5 %")
