"""A deployment's circle as one picture: a ring of parts, a column where it is narrow.

Every word is text of an ordered list; the arrows between are drawn, and hidden from screen
readers. Nothing moves and nothing is asked: it is the same in a saved notebook.
"""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.domain.pipelines import Part

_CSS = """
.pxj-circle{container-type:inline-size;max-width:1040px}
.pxj.pxj .pxj-circle ol{list-style:none;display:grid;gap:26px;margin:10px 0 4px;
 grid-template-columns:minmax(0,1fr)}
.pxj.pxj .pxj-circle li{list-style:none;position:relative;margin:0;padding:9px 12px 10px;
 border:1px solid var(--jp-border-color1,rgba(128,128,128,.5));border-radius:6px;
 border-top:3px solid var(--pxj-tone);display:flex;flex-direction:column;gap:4px;min-width:0}
.pxj-circle .pxj-top{display:flex;flex-wrap:wrap;gap:3px 8px;align-items:center;
 justify-content:space-between}
.pxj-circle .pxj-title{font-weight:600}
.pxj-circle .pxj-figure{font-size:17px;font-weight:600;overflow-wrap:anywhere;line-height:1.25}
.pxj-circle .pxj-told{color:var(--jp-ui-font-color2,inherit);font-size:12px;flex:1;
 overflow-wrap:anywhere}
.pxj.pxj .pxj-circle code{font-size:12px;align-self:start}
.pxj-circle svg{position:absolute;width:20px;height:20px;overflow:visible;fill:none;
 stroke:var(--jp-ui-font-color2,currentColor);stroke-width:2;stroke-linecap:round;
 stroke-linejoin:round;left:calc(50% - 10px);bottom:-24px}
.pxj-circle .pxj-right,.pxj-circle .pxj-left,.pxj-circle .pxj-back{display:none}
.pxj-circle li:last-child .pxj-down{display:none}
.pxj-circle .pxj-again{text-align:center;color:var(--jp-ui-font-color2,inherit);font-size:12px}
@container (min-width:480px) and (max-width:719px){
 .pxj.pxj .pxj-circle ol{gap:22px}
 .pxj.pxj .pxj-circle li{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr);
  gap:2px 16px;padding:7px 12px}
 .pxj-circle .pxj-top{grid-area:1/1}
 .pxj-circle .pxj-figure{grid-area:2/1}
 .pxj-circle .pxj-told{grid-area:1/2}
 .pxj.pxj .pxj-circle code{grid-area:2/2;justify-self:start}
 .pxj-circle svg{width:16px;height:16px;left:calc(50% - 8px);bottom:-20px}
}
@container (min-width:720px){
 .pxj.pxj .pxj-circle ol{grid-template-columns:repeat(4,minmax(0,1fr));gap:30px 30px}
 .pxj.pxj .pxj-circle li:nth-child(1){grid-area:1/1/3/2;justify-content:center}
 .pxj-circle li:nth-child(1) .pxj-told{flex:0 0 auto}
 .pxj-circle li:nth-child(2){grid-area:1/2}
 .pxj-circle li:nth-child(3){grid-area:1/3}
 .pxj-circle li:nth-child(4){grid-area:1/4}
 .pxj-circle li:nth-child(5){grid-area:2/4}
 .pxj-circle li:nth-child(6){grid-area:2/3}
 .pxj-circle li:nth-child(7){grid-area:2/2}
 .pxj-circle .pxj-down{display:none}
 .pxj-circle li:nth-child(4) .pxj-down{display:block;bottom:-27px}
 .pxj-circle .pxj-right,.pxj-circle .pxj-left{top:calc(50% - 10px);bottom:auto;left:auto}
 .pxj-circle li:nth-child(-n+3) .pxj-right{display:block;right:-27px}
 .pxj-circle li:nth-child(1) .pxj-right{top:calc(25% - 10px)}
 .pxj-circle li:nth-child(n+5) .pxj-left{display:block;left:-27px}
 .pxj-circle .pxj-again{display:none}
}
@container (min-width:720px) and (max-width:859px){
 .pxj.pxj .pxj-circle ol{gap:28px 26px}
 .pxj.pxj .pxj-circle li{padding:8px 9px}
 .pxj-circle li:nth-child(-n+3) .pxj-right{right:-24px}
 .pxj-circle li:nth-child(n+5) .pxj-left{left:-24px}
}
"""
_STYLE = f"<style>{_CSS.strip()}</style>"
_ARROWS = {
    "down": "M10 1v16M4 12l6 6 6-6",
    "right": "M1 10h16M12 4l6 6-6 6",
    "left": "M19 10H3M8 4l-6 6 6 6",
}
_TONES = {
    "good": "#1a7436",
    "busy": "#0962cc",
    "warn": "#b87a00",
    "bad": "#be2424",
    "off": "#8a9099",
}


def pipeline_html(deployment: str, parts: Sequence[Part]) -> str:
    """The circle of a deployment.

    Args:
        deployment: its name.
        parts: in the order in which they lead to one another; the last leads to the first.
    """
    items = "".join(map(_item, parts))
    head = (
        f'<div class="pxj-head"><span class="pxj-name">{style.escape(deployment)}</span>'
        '<span class="pxj-muted">from predictions to the next champion</span></div>'
    )
    again = '<p class="pxj-again">The champion makes the next predictions.</p>'
    body = f'{head}<div class="pxj-circle"><ol role="list">{items}</ol>{again}</div>'
    return _STYLE + style.block(body, label=f"Pipeline of {deployment}")


def _item(part: Part) -> str:
    arrows = "".join(
        f'<svg class="pxj-{way}" viewBox="0 0 20 20" aria-hidden="true"><path d="{path}"/></svg>'
        for way, path in _ARROWS.items()
    )
    return (
        f'<li style="--pxj-tone:{_TONES[part.tone]}">'
        f'<div class="pxj-top"><span class="pxj-title">{style.escape(part.title)}</span>'
        f"{style.flag(part.tone, part.state)}</div>"
        f'<div class="pxj-figure">{style.escape(part.figure)}</div>'
        f'<div class="pxj-told">{style.escape(part.note)}</div>'
        f"<code>{style.escape(part.line)}</code>{arrows}</li>"
    )
