"""Chapters on datasets, annotations, projects and experiments."""

from __future__ import annotations

from contract_book import Book, World, filenames, names


def datasets(book: Book, world: World) -> None:
    client, call = world.client, book.call
    dataset = call(client.create_dataset, "streets", "by day", gives=lambda d: d.name == "streets")
    call(client.get_dataset, "streets", gives=lambda found: found == dataset)
    call(client.get_dataset_by_id, dataset.id, gives=lambda found: found == dataset)
    call(client.list_datasets, gives=lambda found: found == [dataset])
    call(dataset.update, description="by night", gives=lambda _: dataset.sync()["description"])
    call(dataset.list_users, gives=lambda users: len(users) == 1)
    tag = call(client.create_dataset_tag, "roads", gives=lambda tag: tag.name == "roads")
    call(dataset.add_tags, tag, gives=lambda _: dataset.get_tags() == [tag])
    version = call(
        dataset.create_version,
        "v1",
        type="OBJECT_DETECTION",
        gives=lambda made: made.version == "v1" and made.name == "streets",
    )
    call(dataset.get_version, "v1", gives=lambda found: found == version)
    call(dataset.get_version_by_id, version.id, gives=lambda found: found == version)
    call(dataset.list_versions, gives=lambda found: found == [version])
    call(client.get_dataset_version_by_id, version.id, gives=lambda found: found == version)
    call(version.update, description="first", gives=lambda _: version.sync()["description"])
    call(version.set_type, "OBJECT_DETECTION", gives=lambda _: version.type.name.startswith("OBJ"))
    book.refused(dataset.create_version, "v1", says="already", kind="ResourceConflictError")
    call(version.lock, gives=lambda _: version.sync()["locked"])
    book.refused(version.create_label, "car", says="locked", kind="ResourceConflictError")
    call(version.unlock, gives=lambda _: not version.sync()["locked"])
    world.keep(dataset=dataset, dataset_version=version)


def assets(book: Book, world: World) -> None:
    call, version = book.call, world.dataset_version
    many = world.lake.list_data(q='filename in ("street-1.png", "street-2.png", "street-3.png")')
    call(version.add_data, many, tags=["train"], gives=lambda job: job.status.name == "SUCCESS")
    call(version.add_data, many, gives=lambda _: len(version.list_assets()) == 3)
    found = call(version.list_assets, gives=lambda many: len(many) == 3)
    call(version.list_assets, tags="train", data_tags=["wet"], gives=lambda some: len(some) == 3)
    call(version.list_assets, filenames=["street-1.png"], gives=lambda some: len(some) == 1)
    call(version.list_assets, filenames_startswith=["street-"], gives=lambda some: len(some) == 3)
    call(version.list_assets, data_ids=[many[0].id], gives=lambda some: len(some) == 1)
    call(version.list_assets, order_by=["created_at"], limit=2, gives=lambda some: len(some) == 2)
    asset = call(version.find_asset, filename="street-1.png", gives=lambda one: one in found.items)
    call(version.find_asset, data=many[0], gives=lambda one: one.data_id == many[0].id)
    call(asset.get_data, gives=lambda one: one.filename == "street-1.png")
    call(asset.get_tags, gives=lambda tags: names(tags) == ["train"])
    call(version.get_asset_tag, "train", gives=lambda tag: tag.name == "train")
    call(version.list_asset_tags, gives=lambda tags: len(tags) == 1)
    call(
        asset.download,
        str(world.folder / "assets"),
        gives=lambda _: (world.folder / "assets" / "street-1.png").exists(),
    )
    call(version.get_asset_tag_analytics, gives=lambda raw: raw["tags"] == {"train": 3})
    world.keep(asset=asset, assets=found)


def annotations(book: Book, world: World) -> None:
    call, version, asset = book.call, world.dataset_version, world.asset
    car = call(version.create_label, "car", gives=lambda label: label.name == "car")
    call(version.get_label, "car", gives=lambda found: found == car)
    bus = call(version.get_or_create_label, "bus", gives=lambda made: made.name == "bus")
    call(version.list_labels, gives=lambda labels: labels == [car, bus])
    call(bus.update, "coach", gives=lambda _: bus.sync()["name"] == "coach")
    group = call(version.create_label_group, "vehicles", gives=lambda made: made.parent_id is None)
    call(car.set_group, group, gives=lambda _: car.get_group() == group)
    book.refused(asset.get_annotation, says="no annotation", kind="ResourceNotFoundError")
    made = call(asset.create_annotation, 2.5, gives=lambda one: one.duration == 2.5)
    book.refused(asset.create_annotation, says="has an annotation")
    shapes = {
        "rectangles": (made.create_rectangle, (1, 2, 3, 4, car), made.list_rectangles),
        "polygons": (made.create_polygon, ([[1, 1], [9, 1], [9, 9]], car), made.list_polygons),
        "lines": (made.create_line, ([[1, 1], [9, 9]], bus), made.list_lines),
        "points": (made.create_point, ([5, 6], car), made.list_points),
        "classifications": (made.create_classification, (bus,), made.list_classifications),
        "masks": (made.create_mask, ("a1b2", car), made.list_masks),
    }
    for create, drawn, listed in shapes.values():
        shape = call(create, *drawn, gives=lambda one, drawn=drawn: one.label == drawn[-1])
        call(listed, gives=lambda many, shape=shape: many == [shape])
    box = made.list_rectangles()[0]
    call(box.update, x=7, label=bus, gives=lambda _: box.sync()["x"] == 7 and box.label == bus)
    call(box.delete, gives=lambda _: made.list_rectangles() == [])
    call(made.update, status="ACCEPTED", gives=lambda _: made.sync()["status"] == "ACCEPTED")
    call(
        made.overwrite,
        rectangles=[(1, 2, 3, 4, car), (5, 6, 7, 8, car)],
        gives=lambda _: len(made.list_rectangles()) == 2 and made.list_points() == [],
    )
    call(asset.list_annotations, gives=lambda many: many == [made])
    call(version.list_annotations, status="ACCEPTED", gives=lambda many: len(many) == 1)
    call(version.load_annotations, gives=lambda loaded: len(loaded[str(asset.id)]) == 1)
    call(
        version.build_coco_file_locally,
        gives=lambda coco: len(coco.annotations) == 2 and len(coco.images) == 1,
    )
    book.refused(version.export_annotation_file, "COCO", says="build_coco_file_locally()")
    call(version.retrieve_stats, gives=lambda stats: stats.label_repartition == {"car": 2})
    world.keep(car=car, annotation=made)


def importing(book: Book, world: World) -> None:
    call, version = book.call, world.dataset_version
    coco = """{"images": [{"id": 0, "file_name": "street-2.png", "width": 48, "height": 32}],
        "categories": [{"id": 0, "name": "car"}, {"id": 1, "name": "sign"}],
        "annotations": [{"id": 0, "image_id": 0, "category_id": 1, "bbox": [1, 2, 3, 4],
                         "segmentation": [], "area": 12, "iscrowd": 0}]}"""
    call(
        version.import_annotations_coco_file,
        world.text("coco.json", coco),
        gives=lambda counts: counts == {"annotations": 1, "shapes": 1, "kept": 0},
    )
    call(
        version.split_into_multi_assets,
        [0.5, 0.5],
        gives=lambda split: sum(map(len, split[0])) == 2,
    )
    copy, job = call(
        version.fork,
        "v2",
        with_annotations=True,
        with_tags=True,
        gives=lambda forked: len(forked[0].list_assets(tags="train")) == 3,
    )
    call(job.wait_for_done, gives=lambda status: status.name == "SUCCESS")
    call(copy.retrieve_stats, gives=lambda stats: stats.nb_objects == 3)
    call(copy.delete_all_annotations, gives=lambda _: copy.retrieve_stats().nb_objects == 0)
    call(copy.delete, gives=lambda _: len(world.dataset.list_versions()) == 1)


def projects(book: Book, world: World) -> None:
    client, call = world.client, book.call
    project = call(client.create_project, "traffic", gives=lambda made: made.name == "traffic")
    call(client.get_project, "traffic", gives=lambda found: found == project)
    call(client.get_project_by_id, project.id, gives=lambda found: found == project)
    call(client.list_projects, gives=lambda found: found == [project])
    call(project.update, description="cars", gives=lambda _: project.sync()["description"])
    call(project.attach_dataset, world.dataset_version, gives=lambda _: True)
    call(project.list_dataset_versions, gives=lambda found: found == [world.dataset_version])
    call(
        project.detach_dataset,
        world.dataset_version,
        gives=lambda _: project.list_dataset_versions() == [],
    )
    world.keep(project=project)


def runs(book: Book, world: World) -> None:
    client, call, project = world.client, book.call, world.project
    run = call(
        project.create_experiment,
        "run 1",
        base_model_version=world.version,
        parameters={"epochs": 3},
        gives=lambda made: made.status.name == "WAITING",
    )
    call(project.get_experiment, "run 1", gives=lambda found: found == run)
    call(project.get_experiment_by_id, run.id, gives=lambda found: found == run)
    call(client.get_experiment_by_id, run.id, gives=lambda found: found == run)
    call(project.list_experiments, gives=lambda found: found == [run])
    book.refused(project.create_experiment, "run 1", says="already", kind="ResourceConflictError")
    call(run.update, status="RUNNING", gives=lambda _: run.sync()["status"] == "RUNNING")
    call(run.attach_dataset, "train", world.dataset_version, gives=lambda _: True)
    call(run.get_dataset, "train", gives=lambda found: found == world.dataset_version)
    call(run.get_attached_dataset_versions, gives=lambda found: list(found) == ["train"])
    call(run.get_base_model_version, gives=lambda found: found == world.version)
    call(run.send_logging, "epoch 1", "training", gives=lambda _: True)
    call(run.update_job_status, "RUNNING", gives=lambda _: run.sync()["job_status"] == "RUNNING")
    world.keep(run=run)


def logging(book: Book, world: World) -> None:
    call, run, folder = book.call, world.run, world.folder
    call(run.get_log, "parameters", gives=lambda log: log.data == {"epochs": 3})
    curve = call(run.log, "loss", {"x": [0], "y": [0.9]}, "LINE", gives=lambda log: log.name)
    call(curve.append, {"x": [1], "y": [0.5]}, gives=lambda _: curve.data["y"] == [0.9, 0.5])
    call(curve.update, name="train loss", gives=lambda _: curve.sync()["name"] == "train loss")
    call(run.log_parameters, {"epochs": 5}, gives=lambda log: log.data == {"epochs": 5})
    book.refused(run.log, "parameters", {}, "TABLE", False, says="already")
    call(run.log, "example", world.photo("example.png"), "IMAGE", gives=lambda log: log.data)
    call(run.list_logs, gives=lambda logs: len(logs) == 3)
    weights = world.text("model.pt", "weights")
    artifact = call(run.store, "model-latest", weights, gives=lambda made: made.filename)
    again = world.text("model.pt", "better weights")
    call(run.store, "model-latest", again, gives=lambda same: same == artifact)
    call(run.list_artifacts, gives=lambda found: found == [artifact])
    call(run.get_artifact, "model-latest", gives=lambda found: found == artifact)
    call(
        run.get_artifact("model-latest").download,
        str(folder / "artifacts"),
        gives=lambda _: (folder / "artifacts" / "model.pt").read_text() == "better weights",
    )
    console = world.text("console.txt", "epoch 1")
    call(run.store_logging_file, console, gives=lambda file: file.object_name)
    call(run.get_logging_file, gives=lambda file: file.filename)


def publishing(book: Book, world: World) -> None:
    call, run, folder = book.call, world.run, world.folder
    model = world.client.create_model("published")
    version = call(run.export_in_existing_model, model, gives=lambda made: made.version == 0)
    call(version.get_context, gives=lambda context: context.experiment_id == run.id)
    context = version.get_context()
    call(context.get_infos, gives=lambda infos: infos["parameters"] == {"epochs": 5})
    call(context.get_dataset_version, "train", gives=lambda one: one == world.dataset_version)
    call(context.get_experiment, gives=lambda found: found == run)
    call(context.sync, gives=lambda raw: raw["experiment_id"] == str(run.id))
    call(run.export_as_model, "published anew", gives=lambda made: made.type == world.version.type)
    call(run.delete_all_logs, gives=lambda _: run.list_logs() == [])
    call(run.delete_all_artifacts, gives=lambda _: run.list_artifacts() == [])
    call(
        version.get_file("model-latest").download,
        str(folder / "published"),
        gives=lambda _: (folder / "published" / "model.pt").read_text() == "better weights",
    )
    call(
        run.detach_dataset,
        world.dataset_version,
        gives=lambda _: run.get_attached_dataset_versions() == {},
    )
    call(run.delete, gives=lambda _: world.project.list_experiments() == [])
    assert filenames(version.list_files()) == ["model.pt"]


CHAPTERS = (datasets, assets, annotations, importing, projects, runs, logging, publishing)
