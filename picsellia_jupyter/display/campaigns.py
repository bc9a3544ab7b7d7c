"""How far a review campaign is, as a card."""

from __future__ import annotations

from picsellia_jupyter.display import style
from picsellia_jupyter.domain.campaigns import Progress


def campaign_card(progress: Progress) -> str:
    """A campaign with what each person has of it."""
    tone, state = ("off", "closed") if progress.is_closed else ("good", "open")
    rows = "".join(
        f"<tr><th scope='row'>{style.escape(name or 'nobody')}</th>"
        f"<td class='pxj-number'>{one.done:,}</td><td class='pxj-number'>{one.open:,}</td></tr>"
        for name, one in progress.people.items()
    )
    table = (
        "<div class='pxj-scroll'><table><thead><tr><th scope='col'>Who</th>"
        "<th scope='col' class='pxj-number'>Reviewed</th>"
        "<th scope='col' class='pxj-number'>To do</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )
    title = progress.description or f"Review campaign of {progress.deployment}"
    parts = [
        f'<div class="pxj-head"><span class="pxj-name">{style.escape(title)}</span>'
        f"{style.flag(tone, state)}</div>",
        f"<p>{style.escape(progress.in_words())}</p>",
        table if rows else "",
    ]
    return style.block(f'<div class="pxj-card">{"".join(parts)}</div>', label=title)
