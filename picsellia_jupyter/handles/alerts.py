"""The alerts of a deployment in a user's hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from picsellia_jupyter.domain.alerts import Alert, Rang
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.wire.settings import alert_to_json
from picsellia_jupyter.workflows.conditions import condition_of

if TYPE_CHECKING:
    from picsellia_jupyter.clients.platform import PlatformClient


class Alerts:
    """Conditions that are watched, newest first; the platform is asked each time.

    On a cloud the notebook looks at them itself, while it is open, and says so.

    Example:
        >>> d.alerts.add("average latency > 200 ms over 10 min")  # doctest: +SKIP
        >>> d.alerts["average latency > 200 ms over 10 min"].state  # doctest: +SKIP
    """

    def __init__(self, platform: PlatformClient, record: DeploymentRecord) -> None:
        self._platform, self._record = platform, record

    def add(
        self,
        condition: str,
        *,
        name: str | None = None,
        cooldown_s: float | None = None,
        webhook: str | None = None,
        private: bool = False,
    ) -> Alert:
        """Watch a condition: `d.alerts.add("error rate > 5 % over 10 min")`.

        Args:
            condition: metric, operator, limit, and over which window; `until 150 ms` says where
                it counts as over (hysteresis). Metrics: latency, average latency, error rate,
                drift, outliers, label distribution, average precision, no traffic.
            name: of the alert; the condition without one.
            cooldown_s: seconds without the condition after which an episode is over.
            webhook: an address that is told when an episode opens and when it ends.
            private: whether that may be inside of this network.

        Raises:
            InvalidInputError: the condition or the webhook cannot be used.
            NotFoundError: there is no such metric.
        """
        found = condition_of(condition)
        body = alert_to_json(
            name or " ".join(condition.split()), found.metric, found.operator, found.limit,
            clear_limit=found.clear_limit, window_s=found.window_s, cooldown_s=cooldown_s,
            webhook_url=webhook, webhook_private=private or None,
        )  # fmt: skip
        return self.put(body)

    def put(self, body: Mapping[str, Any]) -> Alert:
        """Watch what `wire.settings.alert_to_json` spells; `add` is easier to write."""
        return self._platform.add_alert(self._record, dict(body))

    def at_last_look(self) -> tuple[Alert, ...]:
        """As they are known without measuring anything anew, newest first."""
        return self._known()

    def in_words(self) -> str:
        """How they stand: `1 of 3 firing: slow`; empty where nothing is watched."""
        known = self.at_last_look()
        firing = [one.name for one in known if one.active and one.state == "firing"]
        if not known:
            return ""
        names = f": {', '.join(firing)}" if firing else ""
        return f"{len(firing)} of {len(known)} firing{names}"

    def remove(self, name: str) -> None:
        """Watch a condition no longer; what it noted is removed too.

        Args:
            name: of the alert, or its id.

        Raises:
            NotFoundError: there is none.
        """
        self._platform.remove_alert(self._record, self[name].id)

    def test(self, name: str) -> Rang:
        """Send a message to an alert's webhook now, and say what came of it.

        Args:
            name: of the alert, or its id.

        Raises:
            NotFoundError: there is no such alert.
            InvalidInputError: it has no webhook.
        """
        return self._platform.ring(self._record, self[name].id)

    def secret(self, name: str) -> str:
        """What the receiver of an alert's messages verifies them with.

        Args:
            name: of the alert, or its id.
        """
        return self._platform.webhook_secret(self._record, self[name].id)

    def _known(self) -> tuple[Alert, ...]:
        return self._platform.alerts(self._record)

    def __iter__(self) -> Iterator[Alert]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    def __getitem__(self, name: str) -> Alert:
        known = tuple(self)
        found = next((one for one in known if name in (one.name, one.id)), None)
        if found is None:
            raise NotFoundError.named("alert", name, [one.name for one in known])
        return found

    def __repr__(self) -> str:
        from picsellia_jupyter.display import alerting

        return alerting.alerts_text(tuple(self), self._said)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import alerting

        known = tuple(self)
        return {
            "text/html": alerting.alerts_html(self._record.name, known, self._said),
            "text/plain": alerting.alerts_text(known, self._said),
        }

    @property
    def _said(self) -> str:
        """Who watches, where that is not the platform itself."""
        return ""
