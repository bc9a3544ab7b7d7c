"""Two people who deploy with the form, one by mouse and one by keyboard alone; and what fails."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from playwright.sync_api import expect

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.session import Session
from tests.browser.deploy_form import DeployPage

CARDS = {"serving": "Picsellia Serving", "monitoring": "Monitoring only"}


@dataclass(frozen=True)
class Wish:
    """What is to be deployed."""

    model: str
    strategy: str
    name: str
    datalake: str
    threshold: bool
    """Whether it is raised."""


class Person(Protocol):
    """Fills in the form and deploys."""

    def __call__(self, form: DeployPage, wish: Wish) -> None: ...


def by_mouse(form: DeployPage, wish: Wish) -> None:
    """Click, drag and choose; type the name only."""
    form.field("Model version").select_option(label=wish.model)
    form.card(CARDS[wish.strategy]).click()
    expect(form.form.locator(".pxj-line code")).to_contain_text(f"--strategy {wish.strategy} ")
    if wish.threshold:
        _drag_threshold(form)
    form.field("Datalake").select_option(label=_option(form, wish.datalake))
    form.name(wish.name)
    _until_line_says(form, wish)
    form.button("Deploy").click()


def by_keyboard(form: DeployPage, wish: Wish) -> None:
    """Tab, arrows, Space and Enter."""
    form.tab_to(form.field("Model version"))
    form.type(wish.model[:8])  # its options are found by their first letters
    expect(form.form.locator(".pxj-line code")).to_contain_text(f"{wish.model} ")
    if wish.strategy == "monitoring":
        form.choose_card_by_keys(CARDS[wish.strategy])
    if wish.threshold:
        form.tab_to(form.form.get_by_role("slider", name="Threshold"))
        form.press("PageUp")
    form.tab_to(form.field("Datalake"))
    form.type(wish.datalake[:4])
    form.tab_to(form.field("Name"))
    form.type(wish.name)
    form.press("Tab")
    _until_line_says(form, wish)
    form.tab_to(form.button("Deploy"))
    form.press("Enter")


def store_broken(session: Session, folder: Path) -> str:
    """The title of a new detector whose model file is none."""
    platform = session.platform
    like = session.registry().models[0].versions[0]
    made = platform.create_version(
        platform.create_model("broken", "Its file is no model."),
        kind=InferenceType.OBJECT_DETECTION,
        framework=like.framework,
        labels=like.labels,
    )
    file = folder / "broken.onnx"
    file.write_bytes(b"no model at all")
    platform.store_file(made, "model-latest", file)
    return made.title


def _until_line_says(form: DeployPage, wish: Wish) -> None:
    line = form.form.locator(".pxj-line code")
    expect(line).to_contain_text(f"--name {wish.name}")
    expect(line).to_contain_text(f"%deploy {wish.model} --strategy {wish.strategy} ")
    expect(line).to_contain_text(f"--datalake '{wish.datalake}'")
    if wish.threshold:
        expect(line).to_contain_text(re.compile(r"--threshold 0\.(1\d|[2-9])"))
    else:
        expect(line).not_to_contain_text("--threshold")


def _drag_threshold(form: DeployPage) -> None:
    handle = form.form.get_by_role("slider", name="Threshold")
    box = handle.bounding_box() or {}
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = form.page.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 60, y, steps=4)
    mouse.up()


def _option(form: DeployPage, text: str) -> str:
    option = form.field("Datalake").locator("option", has_text=text)
    return str(option.text_content())
