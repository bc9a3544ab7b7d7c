"""Messages about alerts to webhooks: signed, tried again, and never to where they must not go.

Signed as https://www.standardwebhooks.com says, so that receivers find a library that verifies.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import InvalidInputError, PicselliaJupyterError
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.tables.alerts import Alert, Delivery, FiredAlert

PAUSES_S = (5.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0)
"""Seconds between attempts; after the last one a message has failed."""
TIMEOUT_S = 10.0
_AT_ONCE = 8
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class UndeliverableError(PicselliaJupyterError):
    """A message must not go there; trying again is of no use."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A webhook, and the one address that a message goes to."""

    url: str
    host: str
    """As the URL names it: for the Host header and the certificate."""
    pinned_url: str
    """The same with the address that was looked up and checked in place of the name."""


def checked_url(url: str, *, private: bool) -> str:
    """A webhook's URL, as far as it can be judged without looking its host up.

    Raises:
        InvalidInputError: it is no URL of a web server, names a user, or is plain http to
            somewhere public.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not is_plain or host is None or parts.scheme not in ("http", "https"):
        raise InvalidInputError(
            f"{url!r} is no address of a webhook.", "Give one like https://hooks.example.com/x."
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError(
            "The webhook's address has a user in it.", "Leave it out: messages are signed."
        )
    if parts.scheme == "http" and not private:
        raise InvalidInputError(
            f"The webhook at {host} would be told in the clear.",
            "Give its https address; or, if it is in your own network, webhook_private=true.",
        )
    return url


def signing_secret(here: Platform, alert_id: str) -> str:
    """What the receiver of an alert's messages verifies them with; made of the platform's own."""
    key = here.keyring.derived(f"webhook {alert_id}")
    return "whsec_" + base64.b64encode(key).decode()


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """The header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def deliver(here: Platform) -> int:
    """Send what is due.

    Returns:
        How many attempts were made.
    """
    now = here.clock()
    with here.store.reading() as session:
        due = session.execute(
            select(Delivery, Alert)
            .join(FiredAlert, FiredAlert.id == Delivery.fired_alert_id)
            .join(Alert, Alert.id == FiredAlert.alert_id)
            .where(Delivery.state == "WAITING", Delivery.due_at <= now)
            .order_by(Delivery.due_at, Delivery.id)
            .limit(_AT_ONCE)
        ).all()
    for message, alert in due:
        error, is_final = _attempt(here, message, alert, now)
        with here.store.writing() as session:
            _note(session, message.id, error, is_final=is_final, now=now)
    return len(due)


def ring(here: Platform, alert: Alert) -> str:
    """Send a message at once, to try a webhook; what went wrong, or nothing."""
    now = here.clock()
    when = datetime.fromtimestamp(now, tz=timezone.utc).isoformat()
    told = {"alert": {"id": alert.id, "name": alert.name, "metric": alert.metric}}
    body = json.dumps({"type": "alert.test", "timestamp": when, "data": told})
    message = Delivery(fired_alert_id="", event="alert.test", body=body, due_at=now, created_at=now)
    error, _ = _attempt(here, message, alert, now)
    return error


def _attempt(here: Platform, message: Delivery, alert: Alert, now: float) -> tuple[str, bool]:
    """What went wrong, and whether that is the end of it."""
    if alert.webhook_url is None:
        return "The alert has no webhook any more.", True
    try:
        where = destination(alert.webhook_url, private=alert.webhook_private)
        _post(where, message, signing_secret(here, alert.id), int(now))
    except UndeliverableError as error:
        return f"{error.fact} {error.remedy}", True
    except (OSError, httpx.HTTPError) as error:
        return f"{type(error).__name__}: {error}", False
    return "", False


def _note(session: Session, ident: str, error: str, *, is_final: bool, now: float) -> None:
    row = session.get(Delivery, ident)
    if row is None:
        return
    row.attempts, row.error = row.attempts + 1, error
    if not error:
        row.state = "DELIVERED"
    elif is_final or row.attempts > len(PAUSES_S):
        row.state = "FAILED"
    else:
        row.due_at = now + PAUSES_S[row.attempts - 1]


def destination(url: str, *, private: bool) -> Destination:
    """Look a webhook's host up, once, and refuse addresses that only this network knows.

    The connection goes to the address that was checked: a name that says something else the next
    time (DNS rebinding) leads nowhere.

    Args:
        url: of the webhook.
        private: whether such addresses are allowed.

    Raises:
        UndeliverableError: it is at such an address.
        OSError: its host is unknown.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]
    hidden = [address for address in addresses if not is_public(address)]
    if hidden and not private:
        raise UndeliverableError(
            f"The webhook's host {host} is at {hidden[0]}, an address inside of this network.",
            "If that is meant, set webhook_private=true.",
        )
    literal = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
    pinned = parts._replace(netloc=f"{literal}:{port}", fragment="").geturl()
    named = parts.netloc.rpartition("@")[2]
    return Destination(url, named, pinned)


def is_public(address: Address) -> bool:
    """Whether an address is one of the Internet's, and so is what it stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo is not None:
            return False
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _trusted() -> ssl.SSLContext:
    """Whom to believe: the Web's authorities, and those that this machine believes beside."""
    trusted = httpx.create_ssl_context()
    trusted.load_default_certs()
    return trusted


def _post(where: Destination, message: Delivery, secret: str, timestamp: int) -> None:
    """Send a message; nothing of the answer is read but its status.

    Raises:
        UndeliverableError: the webhook leads elsewhere, or is gone for good.
        httpx.HTTPError: it does not answer, or does not take the message now.
    """
    headers = {
        "Host": where.host,
        "Content-Type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message.id, timestamp, message.body),
    }
    name = urlsplit(where.url).hostname or ""
    # No proxies of the environment: they would look the name up again.
    with (
        httpx.Client(
            trust_env=False, follow_redirects=False, timeout=TIMEOUT_S, verify=_trusted()
        ) as client,
        client.stream(
            "POST",
            where.pinned_url,
            content=message.body.encode(),
            headers=headers,
            extensions={"sni_hostname": name},
        ) as reply,
    ):
        status = reply.status_code
    if 300 <= status < 400:
        raise UndeliverableError(
            f"The webhook at {where.host} leads elsewhere ({status}).",
            "Redirects are not followed: give the address that it leads to.",
        )
    if status == httpx.codes.GONE:
        raise UndeliverableError(f"The webhook at {where.host} is gone (410).", "Give another one.")
    if not 200 <= status < 300:
        raise httpx.HTTPError(f"{where.host} answered {status}")
