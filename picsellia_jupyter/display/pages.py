"""An output as a page of its own, which needs nothing else."""

from __future__ import annotations

from pathlib import Path

from picsellia_jupyter.display import style

# A page may not fetch anything: what is in it is all there is.
_POLICY = (
    "default-src 'none'; img-src data: blob: 'self' file:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'"
)
_CSS = (
    "body{margin:16px;font:14px system-ui,sans-serif;color-scheme:light dark}"
    "h1{font-size:18px;margin:0 0 8px;overflow-wrap:anywhere}"
    "@media (prefers-color-scheme:dark){body{background:#111;color:#ddd}}"
)


def page(body: str, *, title: str) -> str:
    """A whole HTML page around an output, in the reader's own light or dark colours."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{style.escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{style.escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n"
        f'<body class="pxj-page">\n<main>\n<h1>{style.escape(title)}</h1>\n{body}\n</main>\n'
        "</body>\n</html>\n"
    )


def written(path: Path, body: str, *, title: str) -> Path:
    """Write such a page to a file."""
    path.write_text(page(body, title=title), encoding="utf-8")
    return path
