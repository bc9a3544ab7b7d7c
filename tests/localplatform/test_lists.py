import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.filters import Condition, parse
from picsellia_jupyter.localplatform.tables.datalakes import Data


@pytest.fixture
def lake(world):
    """A datalake with 2500 rows, a hundred of every second."""
    made = world.user.get(f"/api/organization/{world.organization}/datalake").json()["id"]
    with world.platform.store.writing() as session:
        session.add_all(
            Data(
                datalake_id=made, object_name=f"data/{n:032x}", filename=f"{n:04}.png",
                type="IMAGE", content_type="image/png", width=n + 1, height=1,
                created_at=1000.0 + n // 100,
            )
            for n in range(2500)
        )  # fmt: skip
    return f"/api/datalake/{made}/datas"


def test_cursors_lead_through_a_whole_list_without_gaps_or_repeats(world, lake):
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        asked = {"limit": 1000, "cursor": cursor} if cursor else {"limit": 1000}
        page = world.user.get(lake, params=asked).json()
        seen += [item["filename"] for item in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert pages == 3
    assert len(set(seen)) == len(seen) == 2500
    assert seen[0][:2] == "24"


def test_pages_by_offset_honour_a_limit_of_a_thousand_and_count_the_whole_list(world, lake):
    pages = [
        world.user.get(lake, params={"limit": 1000, "offset": at, "order_by": "filename"}).json()
        for at in (0, 1000, 2000)
    ]
    assert [len(page["items"]) for page in pages] == [1000, 1000, 500]
    assert {page["count"] for page in pages} == {2500}
    names = [item["filename"] for page in pages for item in page["items"]]
    assert names == sorted(names)


def test_fields_can_order_downwards_and_unknown_ones_are_refused(world, lake):
    page = world.user.get(lake, params={"limit": 1, "order_by": "-width"}).json()
    assert page["items"][0]["meta"]["width"] == 2500
    assert world.user.get(lake, params={"order_by": "colour"}).status_code == 400
    assert world.user.get(lake, params={"cursor": "?"}).status_code == 400
    assert world.user.get(lake, params={"limit": 0}).status_code == 422


def test_queries_narrow_a_list(world, lake):
    def found(query):
        page = world.user.get(lake, params={"q": query, "limit": 1000}).json()
        return sorted(item["filename"] for item in page["items"])

    assert found('filename = "0007.png"') == ["0007.png"]
    assert found("width >= 2499") == ["2498.png", "2499.png"]
    assert found("width > 5 and filename in ('0001.png', '0009.png')") == ["0009.png"]
    assert found('tags.name in ("night")') == []


def test_a_query_is_read_into_conditions():
    assert parse('tags.name in ("a b", \'c"d\') and width != 3') == [
        Condition("tags.name", "in", ["a b", 'c"d']),
        Condition("width", "!=", [3.0]),
    ]
    assert parse("  ") == []


@pytest.mark.parametrize(
    "query",
    ["x", "x =", "= 1", "x = y", 'x in "a"', 'x in ("a"', "x = 1 and", "x = 1 or y = 2", "x = 1 1"],
)
def test_a_query_that_cannot_be_read_is_refused_and_quoted(query):
    with pytest.raises(InvalidInputError, match="cannot be read"):
        parse(query)
