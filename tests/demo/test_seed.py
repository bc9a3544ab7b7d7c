"""The demo models in the registry of a platform."""

from __future__ import annotations

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.session import Session


def test_models_of_an_earlier_demo_are_given_the_notebook_that_trains_them(
    start_platform, tmp_path
):
    running = start_platform(tmp_path / "home")
    session = Session(running.host, running.token)
    assert seed(session) == ("digits-detector", "digits-classifier")
    version = session.sdk.get_model("digits-detector").get_version(0)
    version.get_file("training.ipynb").delete()

    assert seed(session) == ()
    assert seed(session) == ()

    names = [file.name for file in version.list_files()]
    assert sorted(names) == ["model-export", "model-latest", "serving.json", "training.ipynb"]
