"""What Picsellia Serving costs."""

from __future__ import annotations

from picsellia_jupyter.handles.usage import UsageView
from picsellia_jupyter.session.connected import Connected


class Metering(Connected):
    """Verbs on MPU."""

    def usage(self) -> UsageView:
        """MPU used and left, by deployment and by day, and how long they last.

        Raises:
            PlatformError: a cloud tells none by its API; the error says which page does.
        """
        return UsageView(self.platform.usage())

    def set_quota(self, mpu: float | None) -> UsageView:
        """Set how many MPU there are in all; None for no limit. On the local platform alone.

        What is paused for want of MPU goes on by itself within seconds.

        Raises:
            InvalidInputError: it is negative, or beyond a million.
            PlatformError: this is a cloud.
        """
        return UsageView(self.platform.set_quota(mpu))

    def set_rate(self, mpu_an_hour: float) -> UsageView:
        """Set what an hour of serving costs, an estimate. On the local platform alone.

        Raises:
            InvalidInputError: it is negative, under a thousandth, or beyond a million.
            PlatformError: this is a cloud.
        """
        return UsageView(self.platform.set_rate(mpu_an_hour))
