"""The one look of everything that is HTML, and the one place where text is escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping

from picsellia_jupyter.display.palette import Colour
from picsellia_jupyter.display.units import printable
from picsellia_jupyter.domain.deployments import ServingState

BADGE_INK: Colour = (255, 255, 255)

BADGES: Mapping[str, Colour] = {
    "good": (26, 116, 54),
    "busy": (9, 98, 204),
    "warn": (140, 92, 0),
    "bad": (190, 36, 36),
    "off": (87, 96, 106),
}
"""Backgrounds of badges; each keeps a contrast of 4.5 with `BADGE_INK`."""

_TONES: Mapping[ServingState, str] = {
    ServingState.STARTING: "busy",
    ServingState.LOADING: "busy",
    ServingState.WARMING: "busy",
    ServingState.READY: "good",
    ServingState.DEGRADED: "warn",
    ServingState.UNHEALTHY: "bad",
    ServingState.PAUSED: "warn",
    ServingState.STOPPED: "off",
    ServingState.NOT_SERVED: "off",
    ServingState.HOSTED: "off",
}

# JupyterLab's and VS Code's own variables first, so that the theme decides; a plain page
# falls back to what it inherits. Rules are doubled (.pxj.pxj) to win over .jp-RenderedHTMLCommon.
_CSS = """
.pxj{font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.45;
color:var(--jp-ui-font-color1,var(--vscode-foreground,inherit));max-width:100%;margin:4px 0 10px}
.pxj.pxj *{box-sizing:border-box}
.pxj.pxj p,.pxj.pxj figure,.pxj.pxj dl,.pxj.pxj dd,.pxj.pxj ol,.pxj.pxj ul{margin:0;padding:0}
.pxj.pxj img{display:block;max-width:100%;height:auto;margin:0}
.pxj-card{border:1px solid var(--jp-border-color1,rgba(128,128,128,.5));border-radius:6px;
padding:12px 16px;margin:4px 0;max-width:760px}
.pxj.pxj dt,.pxj.pxj dd{float:none;width:auto;display:block}
.pxj.pxj .pxj-head{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:center;margin-bottom:8px}
.pxj-name{font-size:16px;font-weight:600;overflow-wrap:anywhere}
.pxj-muted{color:var(--jp-ui-font-color2,inherit)}
.pxj-badge{border-radius:9px;padding:1px 9px;font-size:12px;font-weight:600;white-space:nowrap;
color:#fff}
.pxj.pxj .pxj-rows{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 16px}
.pxj.pxj .pxj-rows dt{font-weight:400;color:var(--jp-ui-font-color2,inherit);margin:0}
.pxj.pxj .pxj-rows dd{overflow-wrap:anywhere}
.pxj.pxj .pxj-part{margin-top:10px}
.pxj.pxj code,.pxj.pxj pre{font-family:var(--jp-code-font-family,ui-monospace,monospace);
font-size:12px;color:inherit;background:rgba(128,128,128,.14);border-radius:3px}
.pxj.pxj code{padding:1px 5px;overflow-wrap:anywhere}
.pxj.pxj pre{padding:8px 10px;margin:4px 0 0;overflow-x:auto;line-height:1.4}
.pxj.pxj pre code{background:none;padding:0;white-space:pre;overflow-wrap:normal}
.pxj.pxj .pxj-lines li{list-style:none;margin:3px 0}
.pxj.pxj .pxj-steps li{list-style:none;display:grid;
grid-template-columns:1.2em 6.5em minmax(0,1fr) max-content;gap:8px;padding:2px 0}
.pxj.pxj .pxj-steps li>span{overflow-wrap:anywhere}
.pxj.pxj li.pxj-now{font-weight:600}
.pxj.pxj .pxj-note{border-left:3px solid #d55e00;padding:2px 10px;margin:4px 0 8px}
.pxj-scroll{overflow-x:auto}
.pxj.pxj table{border-collapse:collapse;margin:4px 0;font-size:13px;table-layout:auto}
.pxj.pxj th,.pxj.pxj td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;
white-space:nowrap;border:0;border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.35))}
.pxj.pxj th{font-weight:600}
.pxj.pxj tbody tr,.pxj.pxj tbody tr:nth-child(n){background:none}
.pxj.pxj .pxj-number{text-align:right;font-variant-numeric:tabular-nums}
.pxj.pxj td.pxj-wide{white-space:normal;min-width:12em;overflow-wrap:anywhere}
.pxj.pxj figcaption{margin-top:4px;overflow-wrap:anywhere}
.pxj-grid{display:grid;gap:12px 10px;
grid-template-columns:repeat(auto-fill,minmax(min(100%,260px),1fr));
align-items:start;max-width:1100px}
.pxj-grid.pxj-small{grid-template-columns:repeat(auto-fill,minmax(150px,1fr))}
.pxj.pxj .pxj-tiles{display:flex;flex-wrap:wrap;gap:6px 28px;margin:6px 0 8px}
.pxj.pxj .pxj-tiles dt{font-weight:400;color:var(--jp-ui-font-color2,inherit);margin:0}
.pxj.pxj .pxj-tiles dd{font-size:18px;font-weight:600}
[data-jp-theme-light="false"] .pxj .pxj-chart,.vscode-dark .pxj .pxj-chart{
filter:invert(1) hue-rotate(180deg)}
"""
STYLE = f"<style>{_CSS.strip()}</style>"


def escape(text: object) -> str:
    """Text that is safe within HTML and in a quoted attribute, in visible signs."""
    return html.escape(printable(text), quote=True)


def block(*parts: str, label: str) -> str:
    """A whole output: the style, then HTML parts under one labelled group."""
    body = "\n".join(part for part in parts if part)
    return f'{STYLE}\n<div class="pxj" role="group" aria-label="{escape(label)}">\n{body}\n</div>'


def badge(state: ServingState) -> str:
    """A state in a word on its colour."""
    red, green, blue = BADGES[_TONES[state]]
    # Inline, so that it keeps its ground where a page strips style elements.
    return (
        f'<span class="pxj-badge" style="background-color:rgb({red},{green},{blue});color:#fff">'
        f"{escape(state.value)}</span>"
    )


def rows(pairs: Iterable[tuple[str, str]]) -> str:
    """Names with their values, which are HTML already."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in pairs)
    return f'<dl class="pxj-rows">{items}</dl>'


def tiles(pairs: Iterable[tuple[str, str]]) -> str:
    """The few numbers that matter, side by side; names and values are plain text."""
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs
    )
    return f'<dl class="pxj-tiles">{items}</dl>'


def picture(encoded: bytes, *, kind: str, alt: str, width: int, css: str = "") -> str:
    """An image within the page itself.

    Args:
        encoded: the image file's bytes.
        kind: `jpeg` or `png`.
        alt: what the picture shows, in words.
        width: at which it is shown where the page is wide enough, CSS pixels.
        css: class of the image.
    """
    data = base64.b64encode(encoded).decode("ascii")
    named = f' class="{css}"' if css else ""
    return f'<img{named} src="data:image/{kind};base64,{data}" width="{width}" alt="{escape(alt)}">'


def linked(address: str, *, alt: str, width: int) -> str:
    """An image that stays where it is: nothing of it is in the page.

    Args:
        address: where the page finds it.
        alt: what the picture shows, in words.
        width: at which it is shown where the page is wide enough, CSS pixels.
    """
    return f'<img src="{escape(address)}" width="{width}" alt="{escape(alt)}">'


def lines(codes: Iterable[str]) -> str:
    """Commands one could type, one below the other."""
    items = "".join(f"<li><code>{escape(code)}</code></li>" for code in codes)
    return f'<ul class="pxj-lines">{items}</ul>'


def listing(code: str) -> str:
    """A piece of code over several lines."""
    text = "\n".join(escape(line) for line in code.splitlines())
    return f"<pre><code>{text}</code></pre>"
