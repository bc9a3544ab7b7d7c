"""The places where serving kernels can run."""

from __future__ import annotations

from collections.abc import Mapping

from picsellia_jupyter.domain.places import Place
from picsellia_jupyter.handles.views import PlaceListing
from picsellia_jupyter.session.connected import Connected


class Placing(Connected):
    """Verbs on places."""

    def places(self) -> PlaceListing:
        """Where serving kernels can run, and what each of these places has.

        All are asked at once; one that does not answer is told as such.
        """
        return PlaceListing(self._fleet.reports())

    @property
    def saved_places(self) -> Mapping[str, str]:
        """The addresses of the saved places by their names; none of them is asked."""
        return self._fleet.places.saved

    def add_place(self, name: str, address: str) -> Place:
        """Save a Jupyter server under a name: `s.add_place("gpu1", "https://gpu-box:8888")`.

        Its token is not saved with it; see `PICSELLIA_PLACE_TOKEN`.

        Raises:
            InvalidInputError: the name or the address cannot be taken.
        """
        return self._fleet.places.add(name, address)

    def remove_place(self, name: str) -> None:
        """Forget a saved place; what it serves goes on.

        Raises:
            NotFoundError: no place of that name is saved.
        """
        self._fleet.places.remove(name)
