"""Clients that monitor predictions as fast as they can, and what is stored of it later."""

from __future__ import annotations

import base64
import http.client
import json
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from picsellia_jupyter.wire.resources import PREDICTION_ID_KEY

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@dataclass
class Client:
    """Monitors in one deployment; keeps what was acknowledged."""

    host: str
    deployment: str
    jwt: str
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Ids of predictions that were answered with 201, with what `moment` said then."""
    unanswered: set[str] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)
    moment: Callable[[], int] = int

    @classmethod
    def of(cls, running) -> Client:
        """A client with a new deployment in a running platform."""
        with httpx.Client(
            base_url=running.host, headers={"Authorization": f"Bearer {running.token}"}, timeout=30
        ) as user:
            home = user.get("/api/home/ping").json()["default_organization"]
            name = {"name": uuid.uuid4().hex}
            model = user.post(f"/api/organization/{home}/models", json=name).json()["id"]
            kind = {"type": "OBJECT_DETECTION"}
            version = user.post(f"/api/model/{model}/versions", json=kind).json()["id"]
            made = user.post(f"/api/model/version/{version}/deploy", json={}).json()["id"]
            login = {"api_token": running.token, "deployment_id": made}
            jwt = user.post("/api/auth/login", json=login).json()["jwt"]
        return cls(running.host, made, jwt)

    def monitor(self, connection: http.client.HTTPConnection, mine: str, *, kept: bool) -> int:
        """Send one prediction; the status it was answered with."""
        body = {
            "filename": f"{mine}.png", "content_type": "IMAGE/PNG", "width": 1, "height": 1,
            "latency": 0.01, "image": base64.b64encode(PNG).decode(), "sample": kept,
            "custom_metadata": {PREDICTION_ID_KEY: mine},
            "raw_predictions": {
                "detection_classes": [], "detection_scores": [], "detection_boxes": [],
            },
        }  # fmt: skip
        self.unanswered.add(mine)
        connection.request(
            "POST", f"/api/deployment/{self.deployment}/predictions", json.dumps(body),
            {"Authorization": f"Bearer {self.jwt}", "Content-Type": "application/json"},
        )  # fmt: skip
        reply = connection.getresponse()
        reply.read()
        self.unanswered.discard(mine)
        if reply.status == 201:
            self.acknowledged[mine] = self.moment()
        else:
            self.refused[reply.status] += 1
        return reply.status

    def connection(self) -> http.client.HTTPConnection:
        """To the platform."""
        return http.client.HTTPConnection(self.host.removeprefix("http://"), timeout=30)

    def burst(self, seconds: float, *, threads: int = 8) -> list[threading.Thread]:
        """Monitor from several threads until the time is over or the platform is gone."""
        until = time.monotonic() + seconds

        def send(number: int) -> None:
            connection, kept = self.connection(), number % 2 == 0
            try:
                while time.monotonic() < until:
                    self.monitor(connection, str(uuid.uuid4()), kept=kept)
            except (OSError, http.client.HTTPException):
                return  # the platform was killed
            finally:
                connection.close()

        started = [threading.Thread(target=send, args=(n,)) for n in range(threads)]
        for thread in started:
            thread.start()
        return started


def faults_of(
    home: Path, acknowledged: set[str], deployment: str, *, unanswered: int = 0
) -> list[str]:
    """What is wrong with a data directory that nobody serves; nothing, if all is well.

    Args:
        home: the data directory; SQLite recovers it here as the platform would.
        acknowledged: predictions that must be there, once.
        deployment: where they were monitored.
        unanswered: how many more there may be.
    """
    with sqlite3.connect(home / "platform.sqlite3") as connection:
        if not connection.execute("SELECT name FROM sqlite_master").fetchall():
            return [f"lost: {mine}" for mine in acknowledged]
        found = [f"integrity: {row[0]}" for row in connection.execute("PRAGMA integrity_check")]
        found = [] if found == ["integrity: ok"] else found
        found += [f"reference: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
        stored = Counter(
            row[0]
            for row in connection.execute(
                "SELECT oracle_prediction_id FROM prediction WHERE deployment_id = ?", [deployment]
            )
        )
        counted = connection.execute(
            "SELECT inferences FROM deployment WHERE id = ?", [deployment]
        ).fetchone()
        names = [row[0] for row in connection.execute("SELECT object_name FROM data")]
    connection.close()
    found += [f"lost: {mine}" for mine in acknowledged - set(stored)]
    found += [f"doubled: {mine}" for mine, times in stored.items() if times > 1]
    if counted is None or counted[0] != stored.total():
        found.append(f"counted {counted}, stored {stored.total()}")
    if stored.total() > len(acknowledged) + unanswered:
        found.append(f"stored {stored.total()}, acknowledged {len(acknowledged)} + {unanswered}")
    found += [f"image: {name}" for name in names if not _is_whole(home, name)]
    return found


def _is_whole(home: Path, name: str) -> bool:
    path = home / "storage" / "default" / name
    return path.is_file() and path.read_bytes() == PNG
