"""What a browser would make of our HTML."""

from html.parser import HTMLParser

OUR_TAGS = frozenset(
    [
        "a",
        "br",
        "button",
        "code",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "img",
        "li",
        "ol",
        "p",
        "polyline",
        "pre",
        "span",
        "strong",
        "style",
        "summary",
        "svg",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
PAYLOAD = "<script>alert('x')</script><img src=x onerror=\"steal()\"> & \"quotes\" 'too'"


class Reading(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self._open = [], [], [], []
        self.feed(page)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]
        if tag not in ("img", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if not (self._open and self._open[-1] in ("style", "script")):
            self.text.append(data)

    def values(self, attribute):
        return [value for _, name, value in self.attributes if name == attribute]


def assert_only_ours(page: str, *, scripts: bool = False) -> Reading:
    """Nothing but our own tags, no scripts but the viewer's, nothing fetched from elsewhere."""
    reading = Reading(page)
    assert set(reading.tags) <= (OUR_TAGS | {"script"} if scripts else OUR_TAGS)
    assert not [name for _, name, _ in reading.attributes if name.startswith("on")]
    assert all(source.startswith("data:image/") for source in reading.values("src"))
    assert "url(" not in page
    assert "@import" not in page
    return reading
