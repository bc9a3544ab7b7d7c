"""What the cloud shows on its own pages and no API gives: said in a sentence, with the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from picsellia_jupyter.domain.errors import PlatformError


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Stands where a dashboard would."""

    fact: str
    url: str
    """The page where it is."""
    missing: str = ""
    """What was predicted and is not on it yet, in words."""

    @property
    def data(self) -> NoReturn:
        """There are no numbers here.

        Raises:
            PlatformError: always.
        """
        raise PlatformError(self.fact, f"Open {self.url}")

    def __repr__(self) -> str:
        from picsellia_jupyter.display import cards

        return cards.with_note_text(f"{self.fact} Open {self.url}", self.missing)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import cards

        html = cards.with_note(cards.elsewhere(self.fact, self.url), self.missing)
        return {"text/html": html, "text/plain": repr(self)}


def cloud_dashboard(name: str, recorded: int | None, twice: int, url: str, host: str) -> Elsewhere:
    """Where a deployment's dashboard is, and what can be said of it here.

    Args:
        name: of the deployment.
        recorded: predictions with an image; None where the cloud does not count them.
        twice: of the newest of them, how many are there more than once.
        url: of its page.
        host: of the platform.
    """
    said = f"{host} draws the dashboard of {name!r} itself; its API gives no figures to draw."
    if recorded is not None:
        said += f" It has {recorded:,} prediction{'s' if recorded != 1 else ''} with an image."
    if twice:
        said += f" {twice:,} of the newest are there more than once: their reply was lost."
    return Elsewhere(said, url)
