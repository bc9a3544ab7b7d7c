"""What a bug report must not hold is removed, and the rest stays readable."""

import pytest

from picsellia_jupyter.domain.redaction import Redaction, secrets_in

CANARY = "canary/8f2b 61d7"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"it said {CANARY}!", "it said [removed]!"),
        ("at http://h/?q=canary%2F8f2b%2061d7", "at http://h/?q=[removed]"),
        ("http://me:other-word@proxy:3128/x", "http://proxy:3128/x"),
        ("http://me:pa/ss@rd@proxy:3128", "http://proxy:3128"),
        ("me:other-word@proxy:3128", "proxy:3128"),
        ("postgresql://me@db/name", "postgresql://db/name"),
        ("http://h/lab?token=abc123&reset", "http://h/lab?token=[removed]&reset"),
        ("X-Amz-Signature=abc and more", "X-Amz-Signature=[removed] and more"),
        ('{"api_key": "abc", "n": 1}', '{"api_key": "[removed]", "n": 1}'),
        ("Authorization: Bearer abcdefgh.ij", "Authorization: Bearer [removed]"),
        ("token 0123abcd4567", "token [removed]"),
        ("eyJhbGciOi.eyJzdWIi.c2ln it is", "[removed] it is"),
        ("0123456789abcdef0123456789abcdef01234567", "[removed]"),
        ("/home/ann/x and /home/anna/x, /home/ann", "~/x and /home/anna/x, ~"),
    ],
)
def test_secrets_and_the_home_directory_are_removed(text: str, left: str):
    assert Redaction([CANARY], ["/home/ann"])(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "/opt/homebrew/opt/python@3.11/bin/python",
        "does not accept the token (403)",
        "5f0c8a52-9f0e-4f6c-a9a3-6a1d6e1f0b77: 3 to be recorded",
        'not installed (pip install "picsellia_jupyter[lab]")',
        "HTTP 401: no token is set",
    ],
)
def test_what_is_no_secret_is_left(text: str):
    assert Redaction(["1", "true"], ["/"])(text) == text


def test_secrets_are_found_by_the_names_of_variables_and_in_addresses():
    found = secrets_in(
        {
            "PICSELLIA_TOKEN": "token-canary",
            "AWS_SECRET_ACCESS_KEY": "key-canary",
            "DATABASE": "postgresql://me:database-canary@db/name",
            "http_proxy": "me:proxy-canary@proxy:3128",
            "PWD": "/srv/notebooks",
            "PATH": "/opt/python@3.11/bin:/usr/bin",
        }
    )
    assert {"token-canary", "key-canary", "database-canary", "proxy-canary"} <= found
    assert not any("/srv" in one or "/opt" in one for one in found)
    assert "canary" not in repr(Redaction(found, ["/home/ann"]))
