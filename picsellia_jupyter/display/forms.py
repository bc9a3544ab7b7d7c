"""The parts of a form that are only read: hints, errors, the checklist, the line; all HTML."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.domain.checklist import Item, Mark

# Variables of JupyterLab and VS Code first, as in `style`; what stands after them is for others.
_CSS = """
.pxj-form{--pxj-line:var(--jp-border-color1,rgba(128,128,128,.5));
--pxj-accent:var(--jp-brand-color1,#1976d2);--pxj-soft:var(--jp-ui-font-color2,inherit);
--pxj-label:104px;max-width:720px;overflow:visible;padding:2px 2px 6px;box-sizing:border-box;
font-family:var(--jp-ui-font-family,system-ui,sans-serif);
color:var(--jp-ui-font-color1,var(--vscode-foreground,inherit))}
.pxj-form.pxj-inline{border:1px solid var(--pxj-line);border-radius:6px;padding:14px 18px 12px}
.pxj-form .widget-box,.pxj-form .jupyter-widgets{overflow:visible}
.pxj-form .widget-inline-hbox>.widget-label{width:var(--pxj-label);min-width:var(--pxj-label);
text-align:left;font-weight:600;font-size:13px;color:inherit}
.pxj-form .widget-inline-hbox{width:auto}
.pxj-form .widget-html{height:auto;margin:0;width:auto}
.pxj-form .widget-html-content{line-height:1.45;font-size:13px;min-width:0;width:100%}
.pxj-form .pxj-row{margin:0 0 8px}
.pxj-form .pxj-under{margin:0 2px 0 calc(var(--pxj-label) + 10px)}
.pxj-form .pxj-hint{color:var(--pxj-soft);font-size:12px;line-height:1.45;margin:0}
.pxj-form .pxj-problem{border-left:3px solid var(--jp-error-color1,#d32f2f);padding:1px 8px;
margin:3px 0 0;font-size:12px;overflow-wrap:anywhere}
.pxj-form .pxj-problem b{font-weight:600}
.pxj-form .pxj-strategy{display:flex;width:auto;height:auto;margin:2px 2px 4px;align-items:stretch}
.pxj-form .pxj-strategy>.widget-label{width:var(--pxj-label);min-width:var(--pxj-label);
text-align:left;font-weight:600;font-size:13px;padding-top:7px;margin-right:8px;height:auto;color:inherit}
.pxj-form .pxj-strategy .widget-radio-box{display:grid;flex:1;gap:10px;margin:0!important;
grid-template-columns:repeat(auto-fit,minmax(210px,1fr));width:auto;height:auto;max-height:none}
.pxj-form .pxj-strategy .widget-radio-box label{display:block;position:relative;height:auto;
width:auto;margin:0;padding:8px 34px 9px 12px;border:1px solid var(--pxj-line);border-radius:6px;
white-space:pre-line;line-height:1.5;font-size:12px;color:var(--pxj-soft);cursor:pointer;
overflow:visible;text-align:left}
.pxj-form .pxj-strategy .widget-radio-box label::first-line{font-size:13px;font-weight:600;
color:var(--jp-ui-font-color1,inherit)}
.pxj-form .pxj-strategy .widget-radio-box label:hover{border-color:var(--pxj-accent)}
.pxj-form .pxj-strategy .widget-radio-box label:has(input:checked){border-color:var(--pxj-accent);
box-shadow:inset 0 0 0 1px var(--pxj-accent)}
.pxj-form .pxj-strategy .widget-radio-box label:has(input:focus-visible){
outline:2px solid var(--pxj-accent);outline-offset:2px}
.pxj-form .pxj-strategy .widget-radio-box input{position:absolute;right:10px;top:10px;margin:0;
accent-color:var(--pxj-accent);outline:none}
.pxj-form .pxj-strategy .widget-radio-box label:has(input:disabled){opacity:.6;cursor:default}
.pxj-form .pxj-threshold .widget-readout{min-width:44px;text-align:right}
.pxj-form .pxj-places{flex-flow:row wrap;row-gap:4px}
.pxj-form .pxj-places>.widget-dropdown{min-width:0;max-width:calc(100% - 4px)}
.pxj-form .pxj-places>.widget-dropdown:first-child{flex:3 1 330px}
.pxj-form .pxj-places>.widget-dropdown:last-child{flex:2 1 220px}
.pxj-form .pxj-places select{min-width:0}
.pxj-form .pxj-places>.widget-dropdown:last-child>.widget-label{width:auto;min-width:0;
margin:0 8px 0 12px}
@media(max-width:640px){.pxj-form .pxj-places>.widget-dropdown:last-child>.widget-label{
width:var(--pxj-label);min-width:var(--pxj-label);margin:0 8px 0 0}}
.pxj-form .pxj-checks{list-style:none;padding:8px 12px;border-radius:6px;
margin:8px 2px 4px;
background:rgba(128,128,128,.1);display:grid;gap:3px 18px;
grid-template-columns:repeat(auto-fit,minmax(230px,1fr))}
.pxj-form .pxj-checks li{display:grid;grid-template-columns:1.2em max-content minmax(0,1fr);
gap:0 8px;font-size:12px;line-height:1.5;margin:0}
.pxj-form .pxj-checks li>*{overflow-wrap:anywhere}
.pxj-form .pxj-checks .pxj-remedy{grid-column:2/-1}
.pxj-form .pxj-soft{color:var(--pxj-soft)}
.pxj-form .pxj-line{display:flex;gap:8px;align-items:flex-start;margin:4px 2px}
.pxj-form .pxj-line code{flex:1;font-family:var(--jp-code-font-family,ui-monospace,monospace);
font-size:12px;line-height:1.5;padding:5px 9px;border-radius:3px;user-select:all;
background:var(--jp-cell-editor-background,rgba(128,128,128,.14));
color:var(--jp-content-font-color1,inherit);overflow-wrap:anywhere;
border:1px solid var(--jp-border-color2,rgba(128,128,128,.35))}
.pxj-form .pxj-foot{justify-content:flex-end;gap:8px;margin-top:8px;padding:4px;align-items:center}
.pxj-form .pxj-foot .widget-button{width:auto;margin:0}
.pxj-form .pxj-foot .widget-html{flex:1}
.pxj-form .pxj-line span{white-space:nowrap}
.pxj-form .pxj-heading{display:none;font-size:15px;font-weight:600;margin:0 2px 8px}
.pxj-form.pxj-inline .pxj-heading{display:block}
.pxj-form .pxj-card{border:0;padding:2px;margin:0}
[data-jp-theme-light="false"] .pxj-form .widget-dropdown>select{
background-image:url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='19'\
 height='12' viewBox='0 0 19 12'%3E%3Cpath d='M4 4l5.5 5L15 4' fill='none' stroke='%23bdbdbd'\
 stroke-width='1.6'/%3E%3C/svg%3E")}
"""
STYLE = f"<style>{_CSS.strip()}</style>"

_SIGNS = {Mark.GOOD: "✓", Mark.WARNING: "!", Mark.WRONG: "✗", Mark.WAITING: "…"}
_SPOKEN = {
    Mark.GOOD: "passed",
    Mark.WARNING: "warning",
    Mark.WRONG: "failed",
    Mark.WAITING: "not known yet",
}
# Selects the line before it copies: that works where a page has no clipboard of its own, and
# shows what was copied.
_COPY = (
    "const c=this.previousElementSibling,r=document.createRange();r.selectNodeContents(c);"
    "const s=getSelection();s.removeAllRanges();s.addRange(r);"
    "this.textContent=document.execCommand('copy')?'Copied':'Selected'"
)


def hint(text: str) -> str:
    """A sentence below a field."""
    return f'<p class="pxj-hint">{style.escape(text)}</p>' if text else ""


def status(text: str) -> str:
    """A sentence that is read out when it changes."""
    return f'<p class="pxj-hint" role="status">{style.escape(text)}</p>'


def problem(fact: str, remedy: str = "") -> str:
    """What is wrong with a field, and what to do about it."""
    return (
        f'<p class="pxj-problem" role="alert"><b>{style.escape(fact)}</b> '
        f"{style.escape(remedy)}</p>"
    )


def log(lines: Sequence[str]) -> str:
    """The last lines of a log, folded away."""
    if not lines:
        return ""
    return (
        f"<details><summary>Last lines of its log</summary>{style.listing(chr(10).join(lines))}"
        "</details>"
    )


def checklist(items: Sequence[Item]) -> str:
    """The checklist, a line each."""
    lines = "".join(map(_check, items))
    return f'<ul class="pxj-checks" aria-label="Checklist">{lines}</ul>' if items else ""


def _check(item: Item) -> str:
    remedy = f'<span class="pxj-remedy">{style.escape(item.remedy)}</span>' if item.remedy else ""
    return (
        f'<li><span role="img" aria-label="{_SPOKEN[item.mark]}">{_SIGNS[item.mark]}</span>'
        f'<span>{style.escape(item.name)}</span><span class="pxj-soft">'
        f"{style.escape(item.found)}</span>{remedy}</li>"
    )


def heading(title: str) -> str:
    """What a form under a cell is called."""
    return f'<p class="pxj-heading" role="heading" aria-level="3">{style.escape(title)}</p>'


def line(code: str) -> str:
    """A magic that can be copied; it breaks between its options alone."""
    first, *options = code.split(" --")
    words = [first, *(f"--{option}" for option in options)]
    kept = " ".join(f"<span>{style.escape(word)}</span>" for word in words)
    return (
        f'<div class="pxj-line"><code>{kept}</code>'
        f'<button type="button" class="jp-mod-styled pxj-copy" onclick="{style.escape(_COPY)}">'
        "Copy</button></div>"
    )


def unopened(title: str, magic: str) -> str:
    """What stands in a cell whose form is shown elsewhere, or was closed."""
    return style.block(
        f'<div class="pxj-card"><p class="pxj-head"><strong>{style.escape(title)}</strong></p>'
        f"<p>The form was opened in a dialog. Run this cell to open it again, or type it as a "
        f"line:</p>{style.lines([magic])}</div>",
        label=title,
    )


def unopened_text(title: str, magic: str) -> str:
    """The same for terminals."""
    return f"{title}: the form was opened in a dialog. Run this cell again, or type: {magic}"


def given_up(title: str, magic: str) -> str:
    """What stands in a cell whose form was closed without deploying."""
    return style.block(
        f'<div class="pxj-card"><p class="pxj-head"><strong>{style.escape(title)}</strong></p>'
        "<p>Nothing was deployed. Run this cell to open the form again, or deploy what was "
        f"chosen with:</p>{style.lines([magic])}</div>",
        label=title,
    )


def given_up_text(title: str, magic: str) -> str:
    """The same for terminals."""
    return f"{title}: nothing was deployed. Run this cell again, or type: {magic}"
