"""A local platform with a small model whose training notebook does as its parameter says."""

from __future__ import annotations

import nbformat
import pytest

from picsellia_jupyter.demo.annotated import annotated_version, opened
from picsellia_jupyter.demo.catalog import ASSETS, ground_truth, pages
from picsellia_jupyter.session import Session

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


@pytest.fixture(scope="module")
def running(tmp_path_factory, start_platform):
    """A platform of its own."""
    return start_platform(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def session(running):
    """Of that platform."""
    return Session(home=running.home)


@pytest.fixture(scope="module")
def deployment(session, tmp_path_factory):
    """`line`, which trains on `train` and compares on `eval`; set up by the unmodified SDK."""
    sdk, folder = session.sdk, tmp_path_factory.mktemp("files")
    version = sdk.create_model("tiny").create_version(
        labels={str(n): str(n) for n in range(10)}, type="OBJECT_DETECTION", framework="ONNX"
    )
    version.store("model-latest", str(ASSETS / "digits_detector.onnx"))
    version.store("serving.json", str(ASSETS / "digits_detector.serving.json"))
    version.store("training.ipynb", str(written(folder / "training.ipynb")))
    made = session.deploy("tiny", strategy="monitoring", name="line")
    held_out = {path.name: opened(path, ground_truth(path)) for path in pages()[:21]}
    first = dict([next(iter(held_out.items()))])
    data = {
        "train": annotated_version(session, "pages", "train", first),
        "eval": annotated_version(session, "pages", "held-out", held_out, lock=True),
    }
    owned = sdk.get_deployment(name="line")
    owned.setup_continuous_training(
        sdk.create_project("retraining"), experiment_parameters={"mode": "good"}
    )
    for name, one in data.items():
        owned.attach_dataset_version_to_continuous_training(name, one)
    return made


@pytest.fixture
def parameters(session, deployment):
    """Set the parameters of the next run: `parameters(mode="bad")`."""
    owned = session.sdk.get_deployment(name="line")
    project = session.sdk.get_project("retraining")

    def change(**given):
        owned.setup_continuous_training(project, experiment_parameters=given)

    return change


@pytest.fixture
def trained(parameters, deployment):
    """Begin a run with these parameters: `trained(mode="bad")`."""

    def begin(**given):
        parameters(**given)
        return deployment.training.start()

    return begin


@pytest.fixture
def slow(parameters):
    """Have the next run take for ever."""
    parameters(mode="slow")
