"""A local platform in this process, with a clock that tests turn."""

from __future__ import annotations

import base64
import io
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from picsellia_jupyter.localplatform.app import build_app
from picsellia_jupyter.localplatform.bootstrap import open_platform
from picsellia_jupyter.localplatform.store import Store

DATABASE = "platform.sqlite3"
BASE = "http://127.0.0.1:8123"
BOXES = {
    "detection_classes": [1, 0],
    "detection_scores": [0.9, 0.25],
    "detection_boxes": [[2, 1, 20, 30], [5, 6, 7, 8]],
}


@dataclass
class FakeClock:
    """Seconds since the epoch that pass when a test says so."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class World:
    """The platform, a caller with its API token, and short ways to furnish it."""

    home: Path
    clock: FakeClock = field(default_factory=FakeClock)
    database: str | None = None

    def __post_init__(self):
        self.platform, self.token = open_platform(
            self.home, token=None, clock=self.clock, started_at=0.0, database=self.database
        )
        self.app = build_app(self.platform)
        self.stranger = TestClient(self.app, base_url=BASE, raise_server_exceptions=False)
        self.user = self.caller(self.token)
        self.organization = self.user.get("/api/home/ping").json()["default_organization"]

    def caller(self, token: str) -> TestClient:
        headers = {"Authorization": f"Bearer {token}"}
        return TestClient(self.app, base_url=BASE, headers=headers, raise_server_exceptions=False)

    def version(self, name="digits", kind="OBJECT_DETECTION", labels=("zero", "one")):
        made = self.user.post(f"/api/organization/{self.organization}/models", json={"name": name})
        assert made.status_code == 201, made.text
        body = {"type": kind, "labels": {str(n): label for n, label in enumerate(labels)}}
        return self.user.post(f"/api/model/{made.json()['id']}/versions", json=body).json()

    def deployment(self, name="lines", kind="OBJECT_DETECTION", **settings):
        version = self.version(f"model of {name}", kind)
        reply = self.user.post(
            f"/api/model/version/{version['id']}/deploy", json={"name": name, **settings}
        )
        assert reply.status_code == 201, reply.text
        return reply.json()

    def login(self, deployment) -> TestClient:
        body = {"api_token": self.token, "deployment_id": deployment["id"]}
        return self.caller(self.stranger.post("/api/auth/login", json=body).json()["jwt"])

    def monitor(self, deployment, caller=None, **changes):
        caller = caller or self.login(deployment)
        return caller.post(
            f"/api/deployment/{deployment['id']}/predictions", json={**monitored(), **changes}
        )

    def upload(self, filename: str, body: bytes, kind: str = "DATA") -> str:
        """Store bytes as the SDK does; their object name."""
        connector = self.user.get(f"/api/organization/{self.organization}").json()[
            "default_connector_id"
        ]
        name = self.user.post(
            f"/api/organization/{self.organization}/connector/{connector}/generate_object_name",
            json={"filename": filename, "type": kind},
        ).json()["object_name"]
        where = self.user.post(
            f"/api/object-storage/{connector}/generate_presigned_url",
            json={"object_name": name, "content_type": "image/png"},
        ).json()
        url = where["presigned_url_data"]["url"]
        assert self.stranger.put(url, content=body).status_code == 201
        return name


def png(width: int = 48, height: int = 32, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (9, 8, 7)).save(stream, kind, **options)
    return stream.getvalue()


def monitored(**changes):
    return {
        "filename": "page.png",
        "content_type": "IMAGE/PNG",
        "width": 48,
        "height": 32,
        "raw_predictions": BOXES,
        "latency": 0.0125,
        "image": base64.b64encode(png()).decode(),
        **changes,
    }


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    """The URL of a database, or None for the data directory's own."""
    if request.param == "sqlite":
        yield None
        return
    with request.getfixturevalue("postgresql").furnished() as url:
        yield url


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """An SQLite database that has all tables and no rows."""
    made = tmp_path_factory.mktemp("tables") / DATABASE
    Store(f"sqlite:///{made}").close()
    return made


@pytest.fixture
def world(tmp_path, database, tables):
    home = tmp_path / "home"
    if database is None:
        home.mkdir(mode=0o700)
        shutil.copy(tables, home)
    made = World(home, database=database)
    yield made
    made.platform.store.close()


@pytest.fixture
def open_world():
    """Opens a platform in a data directory: `open_world(home)`; the test closes its store."""
    return World


@pytest.fixture
def encoded():
    """Makes an encoded image: `encoded(48, 32, "PNG")`."""
    return png


@pytest.fixture
def several_pictures():
    """A JPEG that holds a second picture, as the cameras of phones write it."""
    stream = io.BytesIO()
    first, second = Image.new("RGB", (48, 32), (9, 8, 7)), Image.new("RGB", (24, 16))
    first.save(stream, "MPO", save_all=True, append_images=[second])
    return stream.getvalue()
