"""The places that a user has saved, and how each lets us in."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from picsellia_jupyter.clients import server_errors
from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.domain.errors import NotFoundError, PlatformError
from picsellia_jupyter.domain.links import LinkError, Trouble
from picsellia_jupyter.domain.places import Place, checked_name, read_address
from picsellia_jupyter.domain.secret_text import Secret
from picsellia_jupyter.launch import keyrings

FILE = "places.json"
CHECK_S = 10.0

Prompt = Callable[[str], str | None]
"""Asks the user for a secret without showing it; None where nobody can be asked."""


class Places:
    """Saved places, by name; their tokens are never saved with them."""

    def __init__(
        self, home: Path, tokens: Mapping[str, str], prompt: Prompt = lambda _text: None
    ) -> None:
        """Look into a data directory.

        Args:
            home: the data directory.
            tokens: what the environment says, by variable: `PICSELLIA_PLACE_TOKEN` for any
                place, `PICSELLIA_PLACE_GPU1_TOKEN` for the one saved as `gpu1`.
            prompt: asks for a token that is not known otherwise; nobody by default.
        """
        self._path = home / FILE
        self._tokens = tokens
        self._prompt = prompt
        self._given: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Places({', '.join(self.saved)})"

    @property
    def saved(self) -> Mapping[str, str]:
        """The address of each saved place, by name.

        Raises:
            PlatformError: the file that keeps them cannot be read.
        """
        try:
            said = json.loads(self._path.read_text(encoding="utf-8"))
            return MappingProxyType({str(name): str(said[name]) for name in said})
        except FileNotFoundError:
            return MappingProxyType({})
        except (OSError, ValueError, TypeError) as error:
            raise PlatformError(
                f"{self._path} cannot be read: {type(error).__name__}.",
                "Mend it, or remove it and save the places again: %places add NAME URL",
            ) from error

    def parse(self, typed: str) -> Place:
        """Read what was typed after `--on`; a token that came with it is used in this session."""
        place = Place.parse(typed, self.saved)
        if place.token and place.address:
            self._given[place.address] = place.token
        return place

    def add(self, name: str, address: str) -> Place:
        """Save a place; one of that name gets the new address.

        Raises:
            InvalidInputError: it cannot be called so, or that is no server's address.
        """
        name = checked_name(name)
        url, token = read_address(address)
        if token:
            self._given[url] = Secret(token)
        self._save({**self.saved, name: url})
        return self.parse(name)

    def remove(self, name: str) -> None:
        """Forget a saved place; what it serves goes on.

        Raises:
            NotFoundError: no place of that name is saved.
        """
        saved = dict(self.saved)
        if name not in saved:
            raise NotFoundError.named("saved place", name, list(saved))
        del saved[name]
        self._save(saved)

    def client(
        self, place: Place, *, asks: bool = True, within_s: float = CHECK_S
    ) -> JupyterClient:
        """A connection to a place's server that has been let in.

        The token is taken from where it is known: typed with the address, the environment,
        the keyring (where the package `keyring` is installed), or the user's answer, which is
        then offered to the keyring. The user is asked where none of these is accepted.

        Args:
            place: of a Jupyter server.
            asks: whether the user may be asked now.
            within_s: how long its server is waited for.

        Raises:
            LinkError: nobody answers there, it is no Jupyter server, its certificate is not
                trusted, or it does not accept the token.
        """
        address = place.address or ""
        refused: LinkError | None = None
        for token in self._known_tokens(place) or [""]:
            try:
                return _let_in(address, token, within_s)
            except LinkError as error:
                if error.trouble is not Trouble.UNAUTHORIZED:
                    raise
                refused = error
        self._given.pop(address, None)
        answer = self._prompt(f"Token of the Jupyter server at {address}: ") if asks else None
        if refused is not None and not answer:
            raise refused
        client = _let_in(address, (answer or "").strip(), within_s)
        self._given[address] = client.server.token
        keyrings.keep(address, client.server.token)
        return client

    def _known_tokens(self, place: Place) -> Sequence[str]:
        """Each that may be the right one, the likeliest first: one of them may have expired."""
        address = place.address or ""
        own = f"PICSELLIA_PLACE_{place.name.upper().replace('-', '_')}_TOKEN"
        known = (
            self._given.get(address),
            self._tokens.get(own),
            self._tokens.get("PICSELLIA_PLACE_TOKEN"),
            keyrings.stored(address),
        )
        # A line end may have come with it from a file.
        return list(dict.fromkeys(token.strip() for token in known if token))

    def _save(self, places: Mapping[str, str]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file of its own mode 0600, renamed: never half written.
        handle, part = tempfile.mkstemp(dir=self._path.parent, prefix=".places-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(dict(sorted(places.items())), file, indent=1)
        Path(part).replace(self._path)


def _let_in(address: str, token: str, within_s: float) -> JupyterClient:
    if not (token.isascii() and token.isprintable()):
        # As a header it would be refused with a message that shows it.
        raise server_errors.unusable_token(address)
    client = JupyterClient(JupyterServer(address, token))
    try:
        client.check(timeout_s=within_s)
    except LinkError:
        client.close()
        raise
    return client
