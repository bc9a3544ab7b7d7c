"""The site is built of the pages and the code, and says what they say."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from docs.site import errors_page, http_page, magics_page, serving_json_page
from docs.site.__main__ import build
from docs.site.links import broken_links
from docs.site.staging import GENERATED
from picsellia_jupyter.magics.extension import INNER, VERBS
from picsellia_jupyter.serving import keys, manifest
from tests.docs import pages

# What MyST uses of Sphinx will be gone in its next but one.
pytestmark = pytest.mark.filterwarnings("ignore:.*MystReferenceResolver.app")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert build(folder / "staged", folder / "html") == 0
    return folder / "html"


def test_it_is_built_without_a_warning_and_no_link_is_broken(site: Path):
    assert (site / "index.html").exists()
    assert broken_links(site) == []


def test_every_page_is_in_the_navigation(site: Path):
    index = (site / "index.html").read_text(encoding="utf-8")
    written = [p.relative_to(pages.ROOT / "docs") for p in pages.pages()[1:]]
    for page in [*map(str, GENERATED), *(path.with_suffix("").as_posix() for path in written)]:
        assert page == "index" or f'href="{page}.html"' in index, page


def test_notebooks_are_shown_with_their_code(site: Path):
    shown = (site / "tutorial" / "01_deploy.html").read_text(encoding="utf-8")
    assert "Deploy a model in one line" in shown
    assert "quickstart" in html.unescape(shown)


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path):
    (tmp_path / "other.html").write_text("<h1 id='there'>", encoding="utf-8")
    links = ("other.html#there", "other.html#not", "gone.html", "https://example.com", "#self")
    body = "".join(f"<a href='{link}'></a>" for link in links)
    (tmp_path / "page.html").write_text(
        f"{body}<script src='https://cdn.example/x.js'></script>", encoding="utf-8"
    )

    assert broken_links(tmp_path) == [
        "page.html: fetches https://cdn.example/x.js, which is elsewhere.",
        "page.html: other.html#not: there is no such heading.",
        "page.html: gone.html leads nowhere.",
        "page.html: #self: there is no such heading.",
    ]


def test_the_magics_have_every_option_with_what_it_is():
    text = magics_page.page()
    for verb in (*VERBS, *INNER):
        for action in verb.arguments._actions:
            assert action.help, f"%{verb.name} {action.dest} has no help"
            assert all(option in text for option in action.option_strings)


def test_every_error_is_in_the_catalogue_and_says_when_it_is_raised():
    text = errors_page.page()
    for name, kind in errors_page.classes().items():
        assert f"## {name}\n" in text
        assert "__doc__" in vars(kind), name
        assert kind.__doc__, name


def test_the_messages_are_those_of_the_source():
    said = {(one.error, one.fact) for one in errors_page.messages()}
    assert ("NotFoundError", "There is no variable …") not in said
    assert ("AuthenticationError", "The token is for another deployment.") in said
    assert len(said) > 300


def test_serving_json_is_explained_key_by_key():
    for row in serving_json_page.rows(manifest.Manifest) + serving_json_page.rows(
        manifest.InputSpec
    ):
        key = row[0].strip("`")
        assert row[3] or key in serving_json_page.NOT_WRITTEN, f"{key} is not explained"
    # What is read of the file is what the dataclasses hold; a key that is refused is not told.
    assert keys.FILE_NAME in serving_json_page.page()


def test_every_route_of_a_serving_kernel_says_what_it_does():
    rows = http_page.front_rows()
    assert len(rows) > 25
    assert [route for route, said in rows if not said] == []


def test_every_route_of_the_local_platform_says_what_it_does():
    rows = [line for line in http_page.page().splitlines() if " /api/" in line]
    assert len(rows) > 250
    assert [row for row in rows if row.rstrip().endswith("|  |")] == []
