"""Uploads in pieces, as Google and S3 take them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

CHUNK = 300_000


def asked(world, form, filename="weights.onnx"):
    """Ask where to upload; the object name and the reply."""
    world.platform.storage_form = form
    connector = world.user.get(f"/api/organization/{world.organization}").json()[
        "default_connector_id"
    ]
    name = world.user.post(
        f"/api/organization/{world.organization}/connector/{connector}/generate_object_name",
        json={"filename": filename, "type": "MODEL_FILE"},
    ).json()["object_name"]
    path = f"/api/object-storage/{connector}"
    begun = world.user.post(f"{path}/init_multipart_upload", json={"object_name": name})
    return path, name, begun.json()


def stored(world, path, name) -> bytes | None:
    reply = world.user.post(f"{path}/retrieve_presigned_url", json={"object_name": name})
    if reply.status_code == 404:
        return None
    return world.stranger.get(reply.json()["presigned_url"]).content


def ranges(body: bytes):
    for first in range(0, len(body), CHUNK):
        piece = body[first : first + CHUNK]
        yield piece, {"Content-Range": f"bytes {first}-{first + len(piece) - 1}/{len(body)}"}


@pytest.fixture
def body():
    return bytes(range(256)) * 4000


def left_over(world) -> list[Path]:
    return list((world.home / "uploads").glob("*"))


def test_ranges_make_an_object_with_the_last_of_them(world, body):
    path, name, begun = asked(world, "google")
    statuses = []
    for piece, headers in ranges(body):
        assert stored(world, path, name) is None
        statuses.append(
            world.stranger.put(begun["url"], content=piece, headers=headers).status_code
        )

    assert statuses == [308, 308, 308, 200]
    assert stored(world, path, name) == body
    assert left_over(world) == []


def test_a_range_that_is_sent_again_changes_nothing(world, body):
    path, name, begun = asked(world, "google")
    for piece, headers in ranges(body):
        for _ in range(2):
            reply = world.stranger.put(begun["url"], content=piece, headers=headers)
            assert reply.status_code in (200, 308), reply.text

    assert stored(world, path, name) == body


@pytest.mark.parametrize(
    "header", ["", "bytes 5-9/10", "bytes 0-9/5", "bytes 0-3/100", "bytes 9-0/10", "items 0-9/10"]
)
def test_a_range_that_cannot_be_is_refused_and_nothing_appears(world, header):
    path, name, begun = asked(world, "google")

    reply = world.stranger.put(begun["url"], content=b"x" * 10, headers={"Content-Range": header})

    assert reply.status_code == 400
    assert stored(world, path, name) is None


def part(world, path, name, begun, number, piece):
    wanted = {"object_name": name, "upload_id": begun["upload_id"], "part_no": number}
    where = world.user.post(f"{path}/generate_part_presigned_url", json=wanted).json()["url"]
    return {"ETag": world.stranger.put(where, content=piece).headers["ETag"], "PartNumber": number}


def complete(world, path, name, begun, parts):
    body = {"object_name": name, "upload_id": begun["upload_id"], "parts": parts}
    return world.user.post(f"{path}/complete_part_upload", json=body)


def test_parts_make_an_object_an_empty_last_one_too(world, body):
    path, name, begun = asked(world, "minio")
    pieces = [body[:CHUNK], body[CHUNK:], b""]
    parts = [part(world, path, name, begun, n, piece) for n, piece in enumerate(pieces, start=1)]
    assert parts[0]["ETag"] == f'"{hashlib.sha256(pieces[0]).hexdigest()}"'

    first = complete(world, path, name, begun, parts)
    again = complete(world, path, name, begun, parts)

    assert (first.status_code, again.status_code) == (200, 200)
    assert stored(world, path, name) == body
    assert left_over(world) == []


def test_a_part_that_did_not_arrive_as_it_was_sent_makes_no_object(world, body):
    path, name, begun = asked(world, "minio")
    good = part(world, path, name, begun, 1, body)

    wrong = complete(world, path, name, begun, [{**good, "ETag": "0" * 64}])
    missing = complete(world, path, name, begun, [good, {**good, "PartNumber": 2}])

    assert (wrong.status_code, missing.status_code) == (400, 400)
    assert stored(world, path, name) is None


def test_an_upload_can_only_become_the_object_it_was_begun_for(world, body):
    path, name, begun = asked(world, "minio")
    parts = [part(world, path, name, begun, 1, body)]
    _, other, _ = asked(world, "minio")

    assert complete(world, path, other, begun, parts).status_code == 400
    strange = {"upload_id": "00000000-0000-4000-8000-000000000000"}
    assert complete(world, path, name, strange, parts).status_code == 404


def test_small_files_come_as_forms(world):
    path, name, _ = asked(world, "minio")
    where = world.user.post(
        f"{path}/generate_presigned_url", json={"object_name": name, "content_type": "x/y"}
    ).json()
    url = where["presigned_url_data"]["url"]

    nothing = world.stranger.post(url, data=where["presigned_url_data"]["fields"])
    reply = world.stranger.post(url, data={"Content-Type": "x/y"}, files={"file": (name, b"small")})

    assert (nothing.status_code, reply.status_code) == (400, 201)
    assert stored(world, path, name) == b"small"


def test_an_address_for_a_piece_is_good_for_nothing_else_and_not_for_long(world, body):
    path, name, begun = asked(world, "google")
    elsewhere = begun["url"].replace("resumable", "parts", 1)
    headers = {"Content-Range": "bytes 0-0/1"}

    assert world.stranger.put(elsewhere, content=b"x").status_code in (403, 404, 422)
    world.clock.pass_by(3601)
    assert world.stranger.put(begun["url"], content=b"x", headers=headers).status_code == 403
    assert stored(world, path, name) is None


def test_uploads_that_nobody_goes_on_with_are_given_up(world):
    import os

    _, _, begun = asked(world, "minio")
    folder = world.home / "uploads" / begun["upload_id"]
    for old in (folder / "target", folder):
        os.utime(old, (world.clock() - 90_000, world.clock() - 90_000))

    asked(world, "minio")

    assert not folder.exists()
    assert len(left_over(world)) == 1
