"""Where a serving kernel runs, as one types it after `--on`."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, urlsplit, urlunsplit

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.domain.secret_text import hide

LOCAL, RAY = "local", "ray"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F:.]+(%\w+)?")
_PAGE = "(?:lab|tree|notebooks|doc|edit|terminals|console)"
_OPEN = re.compile(rf"/{_PAGE}(/.*)?$")
_OF_HUB = re.compile(rf"[^/]*(?:/(?!{_PAGE}(?:/|$))[^/]+)*?/user/[^/]+")
"""JupyterHub's path to a user's server; the user may be called as a page is."""


class Kind(str, enum.Enum):
    """What starts serving kernels at a place."""

    LOCAL = "local"
    """The user's own Jupyter server, or this very process where there is none."""
    SERVER = "server"
    """A Jupyter server or Kernel Gateway at an address."""
    RAY = "ray"
    """Ray Serve, in a cluster."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a serving kernel runs."""

    kind: Kind
    name: str
    """As it is typed and kept: `local`, the name of a saved place, an address, `ray`."""
    address: str | None = None
    """Of the server, with its base path and no slash at the end; of the cluster, if one is
    named."""
    token: str = field(default="", repr=False)
    """That was typed with the address; never kept."""

    def __post_init__(self) -> None:
        hide(self, "token")

    @classmethod
    def parse(cls, typed: str, saved: Mapping[str, str] | None = None) -> Place:
        """Read what was typed.

        Args:
            typed: `local`, a saved place's name, `https://HOST:PORT/BASE`, `ray` or
                `ray:ADDRESS`.
            saved: addresses of the saved places by their names.

        Raises:
            NotFoundError: no place of that name is saved.
            InvalidInputError: it is an address that no server can have.
        """
        typed, saved = typed.strip(), saved or {}
        if typed == LOCAL:
            return cls(Kind.LOCAL, LOCAL)
        if typed == RAY or typed.startswith(f"{RAY}:"):
            return cls(Kind.RAY, typed, typed.partition(":")[2] or None)
        if typed in saved:
            return cls(Kind.SERVER, typed, saved[typed])
        if "://" in typed:
            address, token = read_address(typed)
            known = next((name for name, url in saved.items() if url == address), address)
            return cls(Kind.SERVER, known, address, token)
        if re.search(r"[.:/?#@]", typed):
            raise _not_whole(typed)
        raise NotFoundError.named(
            "place", typed, [LOCAL, *saved, RAY], remedy="Save one with: %places add NAME URL"
        )


def read_address(typed: str) -> tuple[str, str]:
    """The address of a Jupyter server as it may be copied from a browser, and its token.

    Args:
        typed: with the page that is open, a `?token=`, or a slash at the end.

    Returns:
        The address without these, and the token, or an empty text.

    Raises:
        InvalidInputError: it is no http(s) address, or holds a user's name or password.
    """
    if "://" not in typed:
        raise _not_whole(typed)
    parts = _parts(typed)
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.hostname or ""):
        raise InvalidInputError(
            f"{parts.scheme}://{parts.hostname or ''} is no address of a Jupyter server.",
            "It begins with http:// or https:// and names a host, as in https://gpu-box:8888.",
        )
    if parts.username or parts.password:
        raise InvalidInputError(
            f"The address of {parts.hostname} holds a user's name or password.",
            "Leave both out; a server is entered with its token.",
        )
    token = next(iter(parse_qs(parts.query).get("token", [])), "")
    path = _without_page(parts.path.rstrip("/"))
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), token


def _not_whole(typed: str) -> InvalidInputError:
    # What follows may be a token, and what precedes a host its password.
    shown = re.split(r"[?#]", typed)[0].rpartition("@")[2]
    return InvalidInputError(
        f"{shown!r} is an address without http:// or https://.",
        f"Write it whole, as in https://{_without_page(shown)}.",
    )


def _without_page(path: str) -> str:
    """The path of a server, without that of the page that is open."""
    found = _OF_HUB.match(path)
    own = found[0] if found else ""
    return own + _OPEN.sub("", path[len(own) :])


def _parts(typed: str) -> SplitResult:
    try:
        parts = urlsplit(typed)
        _ = parts.port  # which is only looked at when it is asked for
    except ValueError:
        # Not from it, nor with what was typed: that may hold a token.
        raise InvalidInputError(
            "What was typed as the address of a place has no valid host or port.",
            "It names both, as in https://gpu-box:8888.",
        ) from None
    return parts


def checked_name(name: str) -> str:
    """A name that a place may be saved under.

    Raises:
        InvalidInputError: it may not.
    """
    if not _NAME.fullmatch(name) or name in (LOCAL, RAY):
        raise InvalidInputError(
            f"A place cannot be called {name!r}.",
            "Take up to 40 letters, digits, - and _, a letter first, as in gpu1.",
        )
    return name


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics card."""

    name: str
    memory_mib: int
    free_mib: int
    utilization: int | None = None
    """Of its time in which it worked, in percent."""

    def in_words(self) -> str:
        """`NVIDIA L4, 20.1 of 22.5 GiB free`."""
        used = f", {self.utilization} % busy" if self.utilization is not None else ""
        free, whole = self.free_mib / 1024, self.memory_mib / 1024
        return f"{self.name}, {free:.1f} of {whole:.1f} GiB free{used}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a place has."""

    cores: int
    gpus: tuple[Gpu, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of Python and of packages that matter, by name."""
    serving: tuple[str, ...] = ()
    """What serves there now, in words."""

    def devices(self) -> str:
        """Its devices, in a sentence."""
        if self.gpus:
            return "; ".join(gpu.in_words() for gpu in self.gpus)
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"No GPU: models run on the CPU ({cores})."


@dataclass(frozen=True, slots=True)
class PlaceReport:
    """A place, and what it has or why that is not known."""

    place: Place
    inventory: Inventory | None = None
    trouble: str = ""
