"""What of a user's environment leads requests astray: proxies, netrc files, certificates.

`requests`, which the SDK speaks through, asks proxies for this very machine too, and sends what
a netrc file has for a host instead of the token.
"""

from __future__ import annotations

import contextlib
import ipaddress
import netrc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from picsellia_jupyter.domain.diagnosis import Fact

LOOPBACK = ("127.0.0.1", "localhost")
BYPASS = f"export no_proxy={','.join(LOOPBACK)} NO_PROXY={','.join(LOOPBACK)}"
_SCHEMES = ("http", "https", "all")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def proxies(environment: Mapping[str, str]) -> Iterator[Fact]:
    """Those that are set, and whether they are asked for this machine too."""
    found = {
        name: value
        for scheme in _SCHEMES
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper())
        if (value := environment.get(name))
    }
    excepted = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    asked = [host for host in LOOPBACK if not _bypassed(host, excepted)]
    for name, value in found.items():
        yield Fact("Proxies", name, value)
    if found:
        remedy = f"{BYPASS} (with what is there already)" if excepted else BYPASS
        yield Fact("Proxies", "no_proxy", excepted or "not set", remedy if asked else "")
    else:
        yield Fact("Proxies", "proxies", "none")


def netrc_files(environment: Mapping[str, str], home: Path, hosts: Sequence[str]) -> Iterator[Fact]:
    """Which netrc file there is, and whether it has an entry for a host that takes a token.

    Args:
        environment: its `NETRC` names another file.
        home: the user's home directory.
        hosts: host names that are asked with a token.
    """
    path = netrc_file(environment, home)
    if path is None:
        yield Fact("netrc", "file", "none")
        return
    try:
        entries = netrc.netrc(str(path)).hosts
    except (OSError, netrc.NetrcParseError) as error:
        # The message of a parser may show a part of the line.
        yield Fact("netrc", "file", f"{path} cannot be read: {type(error).__name__}")
        return
    yield Fact("netrc", "file", str(path))
    for host in dict.fromkeys([*LOOPBACK, *hosts, "default"]):
        if host in entries:
            yield Fact("netrc", host, "its entry is sent instead of the token", _remove(host, path))


def netrc_file(environment: Mapping[str, str], home: Path) -> Path | None:
    """The one that `requests` reads."""
    given = environment.get("NETRC")
    paths = [Path(given).expanduser()] if given else [home / ".netrc", home / "_netrc"]
    return next((path for path in paths if path.is_file()), None)


def netrc_secrets(environment: Mapping[str, str], home: Path) -> set[str]:
    """All names and passwords in it, that nobody else may read."""
    path = netrc_file(environment, home)
    try:
        entries = netrc.netrc(str(path)).hosts if path else {}
    except (OSError, netrc.NetrcParseError):
        return set()
    return {word for entry in entries.values() for word in entry if word}


def certificates(environment: Mapping[str, str]) -> Iterator[Fact]:
    """The files of trusted certificates that are set, and whether they are there."""
    for name in _BUNDLES:
        if value := environment.get(name):
            there = Path(value).expanduser().exists()
            remedy = "" if there else f"There is no such file: unset {name}"
            yield Fact("Certificates", name, value, remedy)


def host_of(address: str | None) -> list[str]:
    """The host name in an address, in a list; an empty list where there is none."""
    name = urlsplit(address).hostname if address else None
    return [name] if name else []


def _bypassed(host: str, excepted: str) -> bool:
    """Whether `requests` asks no proxy for a host."""
    names = [name.strip() for name in excepted.split(",") if name.strip()]
    return "*" in names or any(_is_meant(host, name.lstrip(".")) for name in names)


def _is_meant(host: str, name: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
    return host == name or host.endswith(f".{name}")


def _remove(host: str, path: Path) -> str:
    if host == "default":
        return f"Remove the entry `default` from {path}, or name its hosts one by one."
    return f"Remove the entry of {host} from {path}."
