"""Webhooks over HTTPS: to a server on loopback whose certificate is made here."""

import datetime
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from picsellia_jupyter.localplatform.webhooks import deliver
from tests.localplatform.test_alerts import Hook, alert, record

DAY = datetime.timedelta(days=1)


@pytest.fixture
def database():
    """A webhook is sent alike with either database."""


@pytest.fixture
def certificate(tmp_path):
    """A certificate of `localhost` that nobody has signed but itself, and its key, in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "localhost.pem"
    spelled = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + spelled)
    return path


@pytest.fixture
def hook(certificate):
    made = Hook()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    made.server.socket = context.wrap_socket(made.server.socket, server_side=True)
    yield made
    made.stop()


def deliveries(world, made):
    return world.user.get(f"/api/local/alerts/{made['id']}/deliveries").json()["items"]


def fired(world, url, *, private):
    deployment = world.deployment()
    made = alert(world, deployment, limit=0.5, webhook_url=url, webhook_private=private)
    record(world, deployment, 1, latency=0.6)
    deliver(world.platform)
    return deliveries(world, made)[0]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestHttps:
    def test_a_certificate_that_this_machine_believes_is_taken(
        self, world, hook, certificate, monkeypatch
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        url = f"https://localhost:{hook.port}/hook"
        assert fired(world, url, private=True)["state"] == "DELIVERED"
        [(path, headers, _)] = hook.got
        assert (path, headers["Host"]) == ("/hook", f"localhost:{hook.port}")
        assert headers["webhook-signature"].startswith("v1,")

    def test_one_that_nobody_vouches_for_is_not_and_the_message_waits(self, world, hook):
        url = f"https://localhost:{hook.port}/hook"
        one = fired(world, url, private=True)
        assert (one["state"], one["attempts"]) == ("WAITING", 1)
        assert "CERTIFICATE_VERIFY_FAILED" in one["error"]
        assert hook.got == []

    def test_one_for_another_name_is_not(self, world, hook, certificate, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        one = fired(world, f"https://127.0.0.1:{hook.port}/hook", private=True)
        assert "127.0.0.1" in one["error"]
        assert (one["state"], hook.got) == ("WAITING", [])

    def test_loopback_is_refused_without_the_word_private(
        self, world, hook, certificate, monkeypatch
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        one = fired(world, f"https://localhost:{hook.port}/hook", private=False)
        assert (one["state"], hook.got) == ("FAILED", [])
        assert "an address inside of this network" in one["error"]
