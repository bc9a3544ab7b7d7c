"""Sphinx' settings."""

from __future__ import annotations

import re
from typing import Any

import picsellia_jupyter

project = "picsellia_jupyter"
author = "the picsellia_jupyter contributors"
release = version = picsellia_jupyter.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]

myst_enable_extensions = ["attrs_inline"]
# Headings can be linked to, and links to those that are not there are warnings.
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
python_use_unqualified_type_names = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"picsellia_jupyter {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
copybutton_exclude = ".linenos, .gp, .go"
# Nothing is fetched, neither as the site is built nor as it is read.
html_use_opensearch = ""


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _spell, priority=100)  # before napoleon's 500


def _spell(
    _app: Any, what: str, _name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Our docstrings, as napoleon is to read them."""
    # `This` is code.
    lines[:] = [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in lines]
    if what in ("property", "attribute") and lines:
        # What stands before a colon would be taken for a type; nothing is one.
        lines[0] = f": {lines[0]}"
