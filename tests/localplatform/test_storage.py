import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.blobs import Folder, checked_object_name, new_object_name


def register(world, object_name, filename="photo.png", **more):
    lake = world.user.get(f"/api/organization/{world.organization}/datalake").json()["id"]
    body = {"type": "IMAGE", "filename": filename, "object_name": object_name, **more}
    return world.user.post(f"/api/datalake/{lake}/datas", json=body)


def test_an_image_is_served_as_what_decoding_found_it_to_be(world, encoded):
    data = register(world, world.upload("x.jpg", encoded()), "x.jpg", content_type="text/html")
    reply = world.stranger.get(data.json()["presigned_url"])
    assert reply.content == encoded()
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["content-length"] == str(len(encoded()))
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == "sandbox; default-src 'none'"


def test_the_rest_of_an_object_is_had_by_who_has_its_beginning(world):
    body = bytes(range(256)) * 2000
    url = world.user.post(
        f"/api/object-storage/{_connector(world)}/retrieve_presigned_url",
        json={"object_name": world.upload("weights.onnx", body)},
    ).json()["presigned_url"]
    for start in (0, 1, 262_144, len(body) - 1):
        reply = world.stranger.get(url, headers={"Range": f"bytes={start}-"})
        assert reply.status_code == 206
        assert reply.content == body[start:]
        assert reply.headers["content-length"] == str(len(body) - start)
        assert reply.headers["content-range"] == f"bytes {start}-{len(body) - 1}/{len(body)}"
    beyond = world.stranger.get(url, headers={"Range": f"bytes={len(body)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(body)}"
    for other in ("bytes=0-9", "bytes=-5", "bytes=0-1,5-", "lines=1-", "bytes=x-"):
        reply = world.stranger.get(url, headers={"Range": other})
        assert (reply.status_code, reply.content) == (200, body)


def _connector(world):
    organization = world.user.get(f"/api/organization/{world.organization}").json()
    return organization["default_connector_id"]


def test_a_page_that_calls_itself_an_image_is_served_as_plain_bytes(world):
    name = world.upload("x.png", b"<script>alert(1)</script>")
    data = register(world, name, content_type="image/png").json()
    assert data["upload_status"] == "ERROR"
    reply = world.stranger.get(data["presigned_url"])
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"].startswith("attachment")


def test_a_jpeg_of_several_pictures_is_stored_and_served_as_a_jpeg(world, several_pictures):
    data = register(world, world.upload("p.jpg", several_pictures), "p.jpg").json()
    assert data["upload_status"] == "DONE"
    assert data["content_type"] == "image/jpeg"
    assert world.stranger.get(data["presigned_url"]).headers["content-type"] == "image/jpeg"


def test_two_uploads_under_one_file_name_are_two_data_with_their_own_bytes(world, encoded):
    pictures = [encoded(48, 32), encoded(24, 16)]
    made = [register(world, world.upload("x.png", body), "x.png").json() for body in pictures]
    assert made[0]["id"] != made[1]["id"]
    assert [world.stranger.get(data["presigned_url"]).content for data in made] == pictures


def test_an_address_is_good_for_an_hour_and_for_one_object_and_method(world, encoded):
    url = register(world, world.upload("x.png", encoded())).json()["presigned_url"]
    other = world.upload("y.png", encoded())
    elsewhere = url.replace(url.split("/data/")[1].split("?")[0], other.removeprefix("data/"))
    assert world.stranger.get(elsewhere).status_code == 403
    assert world.stranger.put(url, content=b"x").status_code == 403
    assert world.stranger.get(url.split("signature=")[0] + "signature=00").status_code == 403
    assert world.stranger.get(url.split("?")[0]).status_code == 422
    world.clock.pass_by(3601)
    assert world.stranger.get(url).status_code == 403


def test_a_registered_object_cannot_be_overwritten(world, encoded):
    name = world.upload("x.png", encoded())
    connector = world.user.get(f"/api/organization/{world.organization}").json()
    path = f"/api/object-storage/{connector['default_connector_id']}/generate_presigned_url"
    before = world.user.post(path, json={"object_name": name}).json()["presigned_url_data"]["url"]
    register(world, name)
    assert world.stranger.put(before, content=b"other").status_code == 409
    assert world.user.post(path, json={"object_name": name}).status_code == 409


def test_registering_the_same_object_again_answers_the_same_data(world, encoded):
    name = world.upload("x.png", encoded())
    first, again = register(world, name), register(world, name)
    assert first.json()["id"] == again.json()["id"]


@pytest.mark.parametrize(
    "name",
    ["../secret", "data/../../secret", "/etc/passwd", "data/x.png", "", "data/" + "0" * 32 + "/.."],
)
def test_names_the_platform_did_not_make_are_refused(world, name):
    assert register(world, name).status_code == 400
    with pytest.raises(InvalidInputError, match="no object name"):
        checked_object_name(name)


@pytest.mark.parametrize(
    "filename",
    [
        "../x.png", "a\\b.png", "", "x" * 256, "..", "a\r\nb", "a\x7fb", "a\u0085b",
        "a\u2028b", "gpj.\u202eexe", "a\u2066b",
    ],
)  # fmt: skip
def test_file_names_with_paths_or_control_characters_are_refused(world, encoded, filename):
    name = world.upload("x.png", encoded())
    reply = register(world, name, filename)
    assert reply.status_code == 422


def test_a_file_name_with_half_a_character_is_refused(world):
    lake = world.user.get(f"/api/organization/{world.organization}/datalake").json()["id"]
    body = rb'{"type": "IMAGE", "object_name": "data/x", "filename": "\ud800.png"}'
    assert world.user.post(f"/api/datalake/{lake}/datas", content=body).status_code == 422


@pytest.mark.parametrize(
    "filename",
    [
        "Screenshot at 9.41.07\u202fPM.png", "1\u00a0000.png", "\u3000.png", "\u05e9\u200e.png",
        "\U0001f469\u200d\U0001f680.png", "caf\u00e9 \u6771\u4eac #1 50%20?.png",
    ],
)  # fmt: skip
def test_every_other_file_name_is_kept_as_it_is(world, encoded, filename):
    reply = register(world, world.upload(filename, encoded()), filename)
    assert reply.status_code == 201, reply.text
    assert reply.json()["filename"] == filename
    assert world.stranger.get(reply.json()["presigned_url"]).content == encoded()


def test_an_object_that_was_never_uploaded_cannot_be_registered(world):
    assert register(world, new_object_name("DATA", "x.png")).status_code == 404


def test_a_file_name_leaves_only_a_harmless_suffix_in_the_object_name():
    assert new_object_name("DATA", "../../a b.PNG").endswith(".png")
    assert "." not in new_object_name("DATA", "x.p/../g")
    assert new_object_name("MODEL_FILE", "x.<b>").startswith("model_file/")


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path):
    blobs, name = Folder(tmp_path / "s"), new_object_name("DATA", "x.png")

    def broken():
        with blobs.writing(name) as stream:
            stream.write(b"half")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        broken()
    assert blobs.size(name) is None
    assert [path for path in (tmp_path / "s").rglob("*") if path.is_file()] == []


def test_parts_that_a_crash_left_are_gone_after_the_next_start(tmp_path):
    part = tmp_path / "s" / "data" / ".part-0123"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    Folder(tmp_path / "s")
    assert not part.exists()
