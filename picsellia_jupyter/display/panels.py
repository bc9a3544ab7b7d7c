"""The parts of a deployment's panel that are only read; all HTML."""

from __future__ import annotations

from picsellia_jupyter.display import style
from picsellia_jupyter.display.units import count
from picsellia_jupyter.domain.alerts import Alert
from picsellia_jupyter.domain.deployments import DeploymentRecord

_CSS = """
.pxj-form.pxj-panel{max-width:1100px;--pxj-label:120px}
.pxj-panel .pxj-head{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:center;margin:0 0 6px}
.pxj-panel .pxj-title{font-size:16px;font-weight:600;overflow-wrap:anywhere}
.pxj-panel .pxj-soft{color:var(--pxj-soft)}
.pxj-panel .pxj-bar{flex-flow:row wrap;gap:4px 14px;align-items:center;margin:4px 0 8px;
overflow:visible}
.pxj-panel .pxj-bar>.widget-inline-hbox{flex:0 1 auto;max-width:100%}
.pxj-panel .pxj-bar .widget-inline-hbox>.widget-label{width:auto;min-width:0;font-weight:400}
.pxj-panel .widget-tab-contents{padding:12px 14px;min-height:120px}
.pxj-panel .widget-tab,.pxj-panel .widget-tab>.widget-tab-contents{overflow:visible}
.pxj-panel .pxj-settings{max-width:680px}
.pxj-panel .pxj-settings .widget-html:not(.pxj-under){margin:0 2px}
.pxj-panel .pxj-bar>.widget-html{align-self:center}
.pxj-panel .lm-TabBar-content{flex-wrap:wrap}
.pxj-panel.pxj-panel.pxj-panel .lm-TabBar .lm-TabBar-tab{flex:0 1 auto;
min-width:max-content;max-width:none}
.pxj-panel.pxj-panel.pxj-panel .lm-TabBar .lm-TabBar-tabLabel{overflow:visible}
.pxj-panel .pxj-danger .pxj-hint{margin-top:4px}
.pxj-panel .pxj-settings .pxj-line{margin:2px 0 0}
.pxj-panel .pxj-settings h4,.pxj-panel h4.pxj-section{font-size:13px;font-weight:600;
margin:14px 0 6px;padding:0 0 3px;border-bottom:1px solid var(--pxj-line)}
.pxj-panel .pxj-danger h4{color:var(--jp-error-color1,#c62828);border-color:currentColor}
.pxj-panel .pxj-alert{align-items:center;gap:8px;flex-flow:row wrap}
.pxj-panel .pxj-alert .widget-html{flex:1 1 240px}
.pxj-panel .widget-button{width:auto;max-width:100%}
.pxj-panel .pxj-saved{color:var(--pxj-soft);font-size:12px}
.pxj-panel .jp-OutputArea-child{margin:0}
.pxj-panel .jp-OutputArea-output{padding:0;overflow-x:auto}
.pxj-panel .jp-OutputPrompt{display:none}
"""
STYLE = f"<style>{_CSS.strip()}</style>"


def head(record: DeploymentRecord, fired: int | None, trouble: str = "") -> str:
    """What the deployment is and how it is now.

    Args:
        record: what the platform says of it.
        fired: how often its alerts have fired; None where nobody tells.
        trouble: why it is not known how it is now.
    """
    facts = [record.type.title, record.model_title]
    if record.shadow_title:
        facts.append(f"shadow {record.shadow_title}")
    if record.inferences is not None:
        facts.append(count(record.inferences, "inference"))
    if fired:
        facts.append(f"alerts fired {count(fired, 'time')}")
    said = style.escape(" · ".join(fact for fact in facts if fact))
    why = trouble or record.reason
    note = f'<p class="pxj-hint" role="status">{style.escape(why)}</p>' if why else ""
    return (
        f'<div class="pxj-head"><span class="pxj-title" role="heading" aria-level="3">'
        f"{style.escape(record.name)}</span>{style.badge(record.state)}"
        f'<span class="pxj-soft">{said}</span></div>{note}'
    )


def section(title: str) -> str:
    """The heading of a group of settings."""
    return f'<h4 class="pxj-section">{style.escape(title)}</h4>'


def folded(title: str, html: str) -> str:
    """A block that opens when its title is clicked."""
    return f"<details><summary>{style.escape(title)}</summary>{html}</details>"


def link(sentence: str, address: str | None) -> str:
    """What cannot be done here, and where it can."""
    if not address or not address.startswith(("http://", "https://")):
        return f'<p class="pxj-hint">{style.escape(sentence)}</p>'
    url = style.escape(address)
    return (
        f'<p class="pxj-hint">{style.escape(sentence)} '
        f'<a href="{url}" target="_blank" rel="noreferrer">{url}</a></p>'
    )


def alert(one: Alert) -> str:
    """An alert in a line."""
    state = one.state if one.active else "off"
    measured = "" if one.value is None else f", last {one.value:.3g}"
    named = "" if one.name == one.condition else f"{one.name}: "
    return (
        f'<span class="pxj-one">{style.escape(named)}<code>{style.escape(one.condition)}</code> '
        f'<span class="pxj-soft">{style.escape(state + measured)}</span></span>'
    )


def deleted(name: str) -> str:
    """What stays of the panel of a deployment that was deleted."""
    return style.block(
        f'<div class="pxj-card"><p>{style.escape(deleted_text(name))}</p></div>', label=name
    )


def deleted_text(name: str) -> str:
    """The same for terminals."""
    return f"{name} was deleted with its predictions. Its images stay in their datalake."
