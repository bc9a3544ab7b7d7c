"""A Jupyter server with a certificate of its own making."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.places.servers import jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterServer


@contextlib.contextmanager
def tls_server(home: Path) -> Iterator[tuple[JupyterServer, ssl.SSLContext]]:
    """A Jupyter server with a certificate that it signed itself, and who trusts it."""
    certificate = home / "certificate.pem"
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gpu-box")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate.write_bytes(private + signed.public_bytes(Encoding.PEM))
    trusting = ssl.create_default_context(cadata=signed.public_bytes(Encoding.PEM).decode())
    with jupyter_server(home, f"--ServerApp.certfile={certificate}", tls=trusting) as server:
        yield server, trusting
