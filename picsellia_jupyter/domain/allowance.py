"""What may still be used of MPU."""

from __future__ import annotations

from dataclasses import dataclass

from picsellia_jupyter.domain.errors import QuotaSpentError
from picsellia_jupyter.domain.usage import amount

SPENT_REMEDY = (
    "Whoever runs this local platform raises the quota: picsellia-jupyter usage set --quota MPU. "
    "Monitoring only costs none: --strategy monitoring."
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """MPU of an organization, where the platform meters them."""

    left: float | None
    """MPU that are left; None where there is no limit."""
    estimate: str = ""
    """What one deployment uses, in a sentence; empty where nobody knows."""
    quota: float | None = None
    """MPU in all; None where there is no limit."""

    def check(self) -> None:
        """Refuse Picsellia Serving where nothing is left for it.

        Raises:
            QuotaSpentError: it says what is left, and who to ask.
        """
        if self.left is not None and self.left <= 0:
            quota = amount(self.quota or 0.0)
            raise QuotaSpentError(
                f"No MPU is left for Picsellia Serving: the quota is {quota} MPU.", SPENT_REMEDY
            )


def quota_spent(
    used: float, quota: float, *, reserved: float = 0.0, use: str = "Picsellia Serving"
) -> QuotaSpentError:
    """The refusal of more MPU than there are.

    Args:
        used: MPU.
        quota: MPU in all.
        reserved: MPU that are left, but held for what is under way.
        use: what is refused.
    """
    told = f"{amount(used)} of {amount(quota)} MPU are used"
    held = f", {amount(reserved)} reserved for what is being served" if reserved else ""
    return QuotaSpentError(f"No MPU is left for {use}: {told}{held}.", SPENT_REMEDY)
