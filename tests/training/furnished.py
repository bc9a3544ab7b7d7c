"""A deployment of a small model whose training notebook does as its parameter `mode` says."""

from __future__ import annotations

import nbformat

from picsellia_jupyter.demo.annotated import annotated_version, opened
from picsellia_jupyter.demo.catalog import ASSETS, ground_truth, pages

CELLS = (
    'experiment_id = ""\nmode = "good"',
    "from picsellia_jupyter import Session\n"
    "experiment = Session().sdk.get_experiment_by_id(experiment_id)\n"
    "base = experiment.get_base_model_version()\n"
    'print("begun with", mode)',
    'if mode == "bad":\n    raise RuntimeError("the loss is not a number")\n'
    'if mode == "slow":\n    import time\n    time.sleep(600)',
    'experiment.log("loss", [3.0, 2.0], "LINE")\n'
    'experiment.log("loss", [1.0], "LINE")\n'
    'experiment.log("epochs", 3, "VALUE")',
    'if mode == "good":\n'
    '    file = base.get_file("model-latest")\n'
    '    file.download(".")\n'
    '    experiment.store("model-latest", file.filename)\n'
    'print("done")',
)


def written(path, cells=CELLS):
    """A notebook of these cells; the first one holds the parameters."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    book.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(book, path)
    return path


def furnished(session, folder, name="line", *, held_out=21, cells=CELLS, **parameters):
    """A deployment that trains on `train` and compares on `eval`; set up by the unmodified SDK.

    Args:
        session: of a platform.
        folder: for the notebook.
        name: of the deployment.
        held_out: images of `eval`; with 0 there is none.
        cells: of the training notebook.
        parameters: of training.
    """
    sdk = session.sdk
    model = "tiny" if name == "line" else f"tiny {name}"
    version = sdk.create_model(model).create_version(
        labels={str(n): str(n) for n in range(10)}, type="OBJECT_DETECTION", framework="ONNX"
    )
    version.store("model-latest", str(ASSETS / "digits_detector.onnx"))
    version.store("serving.json", str(ASSETS / "digits_detector.serving.json"))
    version.store("training.ipynb", str(written(folder / "training.ipynb", cells)))
    made = session.deploy(model, strategy="monitoring", name=name)
    known = {path.name: opened(path, ground_truth(path)) for path in pages()[: max(held_out, 1)]}
    first = dict([next(iter(known.items()))])
    data = {"train": annotated_version(session, f"pages of {name}", "train", first)}
    if held_out:
        data["eval"] = annotated_version(session, f"pages of {name}", "held-out", known, lock=True)
    owned = sdk.get_deployment(name=name)
    owned.setup_continuous_training(
        sdk.create_project(f"retraining {name}"), experiment_parameters=parameters
    )
    for alias, one in data.items():
        owned.attach_dataset_version_to_continuous_training(alias, one)
    return made
