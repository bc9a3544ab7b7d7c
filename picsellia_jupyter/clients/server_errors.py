"""What is wrong with a Jupyter server's address, token or certificate, in words.

No text here ever holds a token.
"""

from __future__ import annotations

import ssl

from picsellia_jupyter.domain.links import LinkError, Trouble


def unauthorized(url: str, status: int, *, token: str) -> LinkError:
    """It does not accept the token, or asks for one where none is known."""
    if not token:
        return LinkError(
            Trouble.UNAUTHORIZED,
            f"The Jupyter server at {url} asks for a token ({status}), and none is known.",
            "Set PICSELLIA_PLACE_TOKEN, or PICSELLIA_PLACE_NAME_TOKEN with the name of a place.",
        )
    return LinkError(
        Trouble.UNAUTHORIZED,
        f"The Jupyter server at {url} does not accept the token ({status}).",
        "It may have expired: get a new one there, then set PICSELLIA_PLACE_TOKEN.",
    )


def unusable_token(url: str) -> LinkError:
    """What was given cannot be a token."""
    return LinkError(
        Trouble.UNAUTHORIZED,
        f"The token for the Jupyter server at {url} has characters that no token has.",
        "Copy it anew, without quotes or line ends.",
    )


def gone(url: str, kernel_id: str) -> LinkError:
    """It has no such kernel any more."""
    return LinkError(
        Trouble.GONE,
        f"The Jupyter server at {url} has no kernel {kernel_id} any more.",
        "It was ended or culled: deploy again.",
    )


def failed(url: str, status: int) -> LinkError:
    """It answers with an error of its own."""
    return LinkError(
        Trouble.UNREACHABLE,
        f"The Jupyter server at {url} failed with status {status}.",
        "See its log; it is being tried again.",
    )


def unreachable(url: str, why: str) -> LinkError:
    """Nobody answers."""
    return LinkError(
        Trouble.UNREACHABLE,
        f"The Jupyter server at {url} does not answer: {why}.",
        "Is it running, and is the address right? It is being tried again.",
    )


def closed(url: str) -> LinkError:
    """The connection is closed at once, as one does who expects TLS."""
    return LinkError(
        Trouble.UNREACHABLE,
        f"The server at {url} closed the connection without a word.",
        "Write the address with https:// if it has a certificate. It is being tried again.",
    )


def of_tls(url: str, error: ssl.SSLError) -> LinkError:
    """Its certificate is not trusted, or it speaks no TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return LinkError(
            Trouble.TLS,
            f"The certificate of {url} is not trusted: {error.verify_message}.",
            "If it is self-signed, save it as a file and set SSL_CERT_FILE to its path.",
        )
    return no_tls(url, str(error.reason))


def no_tls(url: str, why: str) -> LinkError:
    """It speaks no TLS."""
    return LinkError(
        Trouble.TLS,
        f"{url} does not speak TLS: {why}.",
        "Write the address with http:// if that server has no certificate.",
    )


def wrong(url: str, what: str) -> LinkError:
    """Something else answers there."""
    return LinkError(
        Trouble.WRONG_ADDRESS,
        f"There is no Jupyter server at {url}: it {what}.",
        "Give the address that the browser shows before /lab or /tree.",
    )
