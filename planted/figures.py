"""Figures that are wrong, or said too often."""

from __future__ import annotations

from planted.fault import Fault

FAULTS = (
    Fault(
        "pooled-scores",
        "drift is tested on the pooled scores of boxes",
        "picsellia_jupyter/workflows/rollups.py",
        "    keys.append(Signal.SHAPE * _SIGNAL + _labelled(log.classes, log.scores))\n"
        "    owners = [*[everyone] * len(of_image), log.shape_of]\n",
        "    keys[-2] = Signal.MEAN_SCORE * _SIGNAL + _logit(log.scores)\n"
        "    keys.append(Signal.SHAPE * _SIGNAL + _labelled(log.classes, log.scores))\n"
        "    owners = [*[everyone] * len(of_image), log.shape_of]\n"
        "    owners[-3] = log.shape_of\n",
        ("tests/workflows/test_rollups.py",),
    ),
    Fault(
        "many-tests-uncorrected",
        "p of many signals is not adjusted",
        "picsellia_jupyter/workflows/drift.py",
        "    adjusted = iter(_scipy_stats().false_discovery_control(known) if known else ())",
        "    adjusted = iter(known)",
        ("tests/workflows/test_drift.py",),
    ),
    Fault(
        "negligible-drift",
        "a significant shift is drift, however small",
        "picsellia_jupyter/workflows/drift.py",
        "q <= alpha and one.effect >= one.least",
        "q <= alpha",
        ("tests/workflows/test_drift.py",),
    ),
    Fault(
        "object-found-twice",
        "two predictions may have found the same object",
        "picsellia_jupyter/workflows/matching.py",
        "            free[candidates[best]] = False\n",
        "",
        ("tests/workflows/test_matching.py",),
    ),
    Fault(
        "ledger-below-zero",
        "more is charged than is left",
        "picsellia_jupyter/localplatform/metering.py",
        "        amount = self._left_of(used, meter)\n",
        "        amount = used\n",
        ("tests/localplatform/test_usage.py::test_no_more_is_charged_than_is_left_though_more_was_served",),
    ),
    Fault(
        "reserved-twice",
        "what is reserved for one deployment is given to another",
        "picsellia_jupyter/localplatform/metering.py",
        "        left = account.quota_nano - account.used_nano - self.held(but=meter.charged_to)\n",
        "        left = account.quota_nano - account.used_nano\n",
        ("tests/localplatform/test_usage.py::test_what_is_reserved_for_another_deployment_is_not_given_away",),
    ),
    Fault(
        "trembling-alert",
        "a figure that trembles at its limit fires again and again",
        "picsellia_jupyter/workflows/alerts.py",
        "    beyond = rule.limit if rule.clear_limit is None else rule.clear_limit\n",
        "    beyond = rule.limit\n",
        ("tests/workflows/test_alerts.py",),
    ),
    Fault(
        "alert-without-rest",
        "an episode ends with the first quiet look",
        "picsellia_jupyter/workflows/alerts.py",
        "now - episode.last_at >= rule.cooldown_s:",
        "now - episode.last_at >= 0:",
        ("tests/workflows/test_alerts.py",),
    ),
    Fault(
        "shadow-fires-alerts",
        "the shadow model's predictions fire the champion's alerts",
        "picsellia_jupyter/localplatform/alerting.py",
        "    champions = [row for row in rows if not row.is_shadow]",
        "    champions = list(rows)",
        ("tests/localplatform/test_alerts.py::test_a_shadow_model_that_is_slow_fires_nothing",),
    ),
)  # fmt: skip
"""Each a figure that nobody checks by hand."""
