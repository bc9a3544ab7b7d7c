"""Chapters on the registry, its files, datalakes and data."""

from __future__ import annotations

import hashlib
from pathlib import Path

from contract_book import Book, World, names
from picsellia.types.enums import ChartAggregateFunction, DatalakeChartField, ObjectDataType
from picsellia.types.schemas import ProcessingSchema

MIB = 2**20


def digest(path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class NoProcessing:
    """Stands for a processing, which the local platform cannot make."""

    id = "00000000-0000-4000-8000-000000000000"


def connecting(book: Book, world: World) -> None:
    client, call = world.client, book.call
    call(client.sync, gives=lambda raw: raw["name"] == client.name)
    call(client.list_users, gives=lambda users: [user.username for user in users] == ["local"])
    call(client.list_users, username="nobody", gives=lambda users: users == [])
    call(client.list_public_models, gives=lambda models: models == [])
    book.refused(client.get_public_model, "yolo", says="no public model")


def models(book: Book, world: World) -> None:
    client, call = world.client, book.call
    model = call(client.create_model, "faces", "finds faces", gives=lambda m: m.private)
    call(client.get_model_by_id, model.id, gives=lambda found: found == model)
    call(client.list_models, order_by=["name"], limit=5, gives=lambda found: model in found)
    call(model.sync, gives=lambda raw: raw["description"] == "finds faces")
    call(model.update, description="finds all faces", gives=lambda _: True)
    call(model.update, name="all faces", gives=lambda _: client.get_model("all faces") == model)
    call(model.refresh, model.sync(), gives=lambda schema: schema.name == "all faces")
    call(model.get_resource_url_on_platform, gives=lambda url: str(model.id) in url)
    tag = call(client.create_model_tag, "vision", gives=lambda tag: tag.name == "vision")
    call(client.find_model_tag, "vision", gives=lambda found: found == tag)
    call(client.list_model_tags, gives=lambda tags: tags == [tag])
    call(model.add_tags, tag, gives=lambda _: True)
    call(model.get_tags, gives=lambda tags: tags == [tag])
    call(model.remove_tags, tag, gives=lambda _: model.get_tags() == [])
    book.refused(client.create_model, "all faces", says="already", kind="ResourceConflictError")
    world.keep(model=model)


def versions(book: Book, world: World) -> None:
    call, model = book.call, world.model
    version = call(
        model.create_version,
        name="first",
        type="OBJECT_DETECTION",
        framework="ONNX",
        labels={"0": "face", "1": "mask"},
        base_parameters={"epochs": 3},
        docker_flags=["--gpu"],
        gives=lambda made: (made.version, made.name) == (0, "first"),
    )
    call(model.create_version, gives=lambda made: made.version == 1)
    call(model.list_versions, gives=lambda found: len(found) == 2)
    call(model.get_version, "first", gives=lambda found: found == version)
    call(model.get_version, 1, gives=lambda found: found.type.name == "NOT_CONFIGURED")
    book.refused(model.get_version, "second", says="no version", kind="ResourceNotFoundError")
    world.keep(version=version)


def one_version(book: Book, world: World) -> None:
    client, call, version = world.client, book.call, world.version
    call(client.get_model_version_by_id, version.id, gives=lambda found: found == version)
    call(version.sync, gives=lambda raw: raw["parameters"] == {"epochs": 3})
    call(version.update, description="better", gives=lambda _: version.sync()["description"])
    call(version.refresh, version.sync(), gives=lambda schema: schema.labels["1"] == "mask")
    call(version.get_resource_url_on_platform, gives=lambda url: str(version.id) in url)
    tag = call(client.create_model_version_tag, "golden", gives=lambda tag: tag.name == "golden")
    call(version.add_tags, [tag], gives=lambda _: True)
    call(version.get_tags, gives=lambda tags: tags == [tag])
    call(version.remove_tags, [tag], gives=lambda _: version.get_tags() == [])
    book.refused(version.get_context, says="no training context")
    book.refused(version.launch_processing, _processing(client), says="runs no processings")


def _processing(client):
    from picsellia.sdk.processing import Processing

    raw = {"id": NoProcessing.id, "name": "none", "target": "MODEL_VERSION", "type": None}
    raw |= {"docker_image": "none", "docker_tag": "latest"}
    ProcessingSchema(**raw)
    return Processing(client.connection, raw)


def files(book: Book, world: World) -> None:
    call, version, folder = book.call, world.version, world.folder
    small = world.text("weights.onnx", "weights " * 999)
    file = call(version.store, "model-latest", small, gives=lambda stored: not stored.large)
    call(version.list_files, gives=lambda found: found == [file])
    call(version.get_file, "model-latest", gives=lambda found: found == file)
    call(file.sync, gives=lambda raw: raw["filename"] == "weights.onnx")
    call(file.refresh, file.sync(), gives=lambda schema: schema.name == "model-latest")
    call(file.reset_url, gives=lambda url: url.startswith(world.host))
    call(
        file.download,
        str(folder / "files"),
        gives=lambda _: digest(folder / "files" / "weights.onnx") == digest(small),
    )
    for size in (25 * MIB + 1, 50 * MIB):
        large = folder / f"large-{size}.bin"
        large.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
        stored = call(version.store, f"large-{size}", str(large), gives=lambda made: made.large)
        call(
            stored.download,
            str(folder / "files"),
            gives=lambda _, large=large: digest(folder / "files" / large.name) == digest(large),
        )
        large.unlink()
    newer = world.text("weights.onnx", "newer weights")
    file = call(
        version.store,
        "model-latest",
        newer,
        replace=True,
        gives=lambda _: len(version.list_files()) == 3,
    )
    archive = folder / "saved"
    archive.mkdir()
    (archive / "part.txt").write_text("part")
    call(
        version.store,
        "archive",
        str(archive),
        do_zip=True,
        gives=lambda stored: stored.filename == "saved.zip",
    )
    book.refused(version.store, "archive", small, says="already", kind="ResourceConflictError")
    call(version.get_file("archive").delete, gives=lambda _: len(version.list_files()) == 3)


def datalakes(book: Book, world: World) -> None:
    client, call = world.client, book.call
    lake = call(client.get_datalake, gives=lambda lake: lake.name == "default")
    call(client.list_datalakes, gives=lambda lakes: lake in lakes)
    call(client.get_datalake, name="default", gives=lambda found: found == lake)
    call(lake.sync, gives=lambda raw: raw["connector_id"] == str(lake.connector_id))
    call(lake.refresh, lake.sync(), gives=lambda schema: schema.name == "default")
    call(lake.get_resource_url_on_platform, gives=lambda url: str(lake.id) in url)
    call(lake.create_data_tag, "night", gives=lambda tag: tag.target_type.name == "DATA")
    tag = call(lake.get_data_tag, "night", gives=lambda tag: tag.name == "night")
    call(lake.get_or_create_data_tag, "night", gives=lambda found: found == tag)
    call(lake.get_or_create_data_tag, "day", gives=lambda made: made.name == "day")
    call(lake.list_data_tags, gives=lambda tags: names(tags) == ["day", "night"])
    source = call(client.create_datasource, "camera 6", gives=lambda made: made.name == "camera 6")
    call(client.get_datasource, "camera 6", gives=lambda found: found == source)
    call(client.get_or_create_datasource, "camera 6", gives=lambda found: found == source)
    call(client.list_datasources, gives=lambda found: source in found)
    call(source.update, "camera 7", gives=lambda _: source.sync()["name"] == "camera 7")
    call(tag.update, "dark", gives=lambda _: tag.sync()["name"] == "dark")
    spare = client.create_datasource("spare")
    call(spare.delete, gives=lambda _: names(client.list_datasources()) == ["camera 7"])
    world.keep(lake=lake, tag=tag, source=source)


def data(book: Book, world: World) -> None:
    call, lake = book.call, world.lake
    paths = [world.photo(f"street-{n}.png", n) for n in range(6)]
    call(
        lake.upload_data,
        paths,
        tags=[world.tag, "wet"],
        source=world.source,
        custom_metadata=[{"shelf": n} for n in range(6)],
        gives=lambda many: len(many) == 6,
    )
    one = call(lake.find_data, filename="street-3.png", gives=lambda found: found.width == 48)
    call(lake.find_data, object_name=one.object_name, gives=lambda found: found == one)
    book.refused(lake.find_data, filename="street-9.png", says="no data")
    call(lake.list_data, gives=lambda many: len(many) == 6)
    call(
        lake.list_data,
        limit=2,
        offset=1,
        order_by=["-filename"],
        gives=lambda many: [d.filename for d in many] == ["street-4.png", "street-3.png"],
    )
    call(lake.list_data, tags="wet", custom_metadata={"shelf": 3}, gives=lambda many: many == [one])
    call(lake.list_data, ids=[one.id], gives=lambda many: many == [one])
    call(lake.list_data, q='data_source.name = "camera 7"', gives=lambda many: len(many) == 6)
    world.keep(one=one)


def one_data(book: Book, world: World) -> None:
    call, lake, one = book.call, world.lake, world.one
    path = world.folder / "street-3.png"
    call(one.sync, gives=lambda raw: raw["datalake_id"] == str(lake.id))
    call(one.refresh, one.sync(), gives=lambda schema: schema.meta.height == 32)
    call(one.is_ready, gives=lambda ready: ready is True)
    call(one.wait_for_upload_done, gives=lambda _: True)
    call(one.get_tags, gives=lambda tags: names(tags) == ["dark", "wet"])
    call(one.remove_tags, world.tag, gives=lambda _: names(one.get_tags()) == ["wet"])
    call(one.add_tags, [world.tag], gives=lambda _: len(one.get_tags()) == 2)
    call(world.tag.detach_from, one, gives=lambda _: len(one.get_tags()) == 1)
    call(world.tag.attach_on, lake.list_data(), gives=lambda _: len(one.get_tags()) == 2)
    call(one.get_datasource, gives=lambda found: found == world.source)
    call(one.update_metadata, {"reference": "r1"}, gives=lambda _: one.metadata["reference"])
    call(one.update_custom_metadata, {"k": 1}, gives=lambda _: one.custom_metadata == {"k": 1})
    call(one.reset_url, gives=lambda url: "signature=" in url)
    call(
        one.download,
        str(world.folder / "lake"),
        gives=lambda _: digest(world.folder / "lake" / "street-3.png") == digest(path),
    )
    change = {"custom_metadata": {"bulk": True}, "tags": ["bulk"], "data_source": "robot"}
    call(
        lake.update_multiple_data,
        {one.id: change},
        gives=lambda _: "bulk" in names(one.get_tags()) and one.get_datasource().name == "robot",
    )
    call(lake.find_data(filename="street-5.png").delete, gives=lambda _: len(lake.list_data()) == 5)
    call(
        lake.list_data(filenames=["street-0.png"]).delete,
        gives=lambda _: len(lake.list_data()) == 4,
    )


def projections(book: Book, world: World) -> None:
    call, lake, one = book.call, world.lake, world.one
    path = world.photo("small.png", 9, (12, 8))
    made = call(lake.create_projection, one, "small", path, gives=lambda made: made.name == "small")
    call(one.list_projections, gives=lambda found: found == [made])
    call(made.sync, gives=lambda raw: raw["infos"]["width"] == 12)
    call(made.reset_url, gives=lambda url: "signature=" in url)
    call(
        made.download,
        str(world.folder / "projected"),
        gives=lambda _: digest(world.folder / "projected" / "small.png") == digest(path),
    )
    call(made.delete, gives=lambda _: one.list_projections() == [])
    loose = _stored(world, "loose.png")
    job = call(
        lake.import_bucket_objects,
        [loose[:20]],
        tags=["found"],
        gives=lambda job: job.sync()["report"] == {"found": 1, "imported": 1},
    )
    call(job.wait_for_done, gives=lambda status: status.name == "SUCCEEDED")
    other = _stored(world, "other.png")
    call(
        lake.import_cloud_objects,
        {other: {"tags": ["found"], "metadata": {"by": "hand"}}},
        gives=lambda _: len(lake.list_data(tags="found")) == 2,
    )
    third = _stored(world, "third.png")
    call(
        lake.import_cloud_projections,
        {other: [{"name": "third", "object_name": third}]},
        gives=lambda job: job.sync()["report"] == {"imported": 1},
    )
    call(lake.find_data(object_name=other).list_projections, gives=lambda p: names(p) == ["third"])


def _stored(world: World, name: str) -> str:
    connection = world.client.connection
    object_name = connection.generate_data_object_name(
        name, ObjectDataType.DATA, world.lake.connector_id
    )
    connection.upload_file(object_name, world.photo(name), connector_id=world.lake.connector_id)
    return object_name


def metadata_schema(book: Book, world: World) -> None:
    call, lake = book.call, world.lake
    key = {"input_type": "INTEGER", "required": False, "min": 0}
    call(
        lake.upsert_custom_metadata_schema_key,
        "shelf",
        key,
        gives=lambda raw: "shelf" in raw["custom_metadata_schema"],
    )
    call(
        lake.update_custom_metadata_schema,
        {"room/1": {"input_type": "STRING", "required": True}},
        gives=lambda report: report["created"] == ["room/1"] and not report["errors"],
    )
    call(lake.delete_custom_metadata_schema_key, "room/1", gives=lambda _: True)
    call(lake.set_allow_extra_custom_metadata, False, gives=lambda _: True)
    call(
        lake.get_custom_metadata_schema,
        gives=lambda raw: (
            list(raw["custom_metadata_schema"]) == ["shelf"]
            and raw["allow_extra_custom_metadata"] is False
        ),
    )


def not_computed(book: Book, world: World) -> None:
    call, refused, lake = book.call, book.refused, world.lake
    call(lake.count_embeddings, gives=lambda count: count == 0)
    call(lake.embeddings_computation_status, gives=lambda raw: raw["activated"] is False)
    refused(lake.list_embeddings, 5, says="no embeddings", kind="BadRequestError")
    refused(lake.similar_search, world.one, 5, says="no embeddings", kind="BadRequestError")
    refused(lake.visual_search, world.one, 5, says="no embeddings", kind="BadRequestError")
    refused(lake.text_search, "a dog", 5, says="no embeddings", kind="BadRequestError")
    refused(lake.launch_processing, _processing(world.client), [world.one], says="no processings")
    call(lake.list_charts, gives=lambda charts: charts == [])
    refused(
        lake.create_chart,
        "tags",
        ChartAggregateFunction.COUNT,
        DatalakeChartField.ID,
        DatalakeChartField.CONTENT_TYPE,
        says="no charts",
    )


CHAPTERS = (
    connecting,
    models,
    versions,
    one_version,
    files,
    datalakes,
    data,
    one_data,
    projections,
    metadata_schema,
    not_computed,
)
