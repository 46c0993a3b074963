"""Rows of a JSON API come page by page, whole or not at all, and no secret gets out."""

from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from threading import Event
from typing import Any

import pandas as pd
import pytest

from api_server import Answer, Api, Request, api_server
from seedbed.config.schema import ColumnLists, Dataset, Source, Table
from seedbed.data import http_session, json_api
from seedbed.data.freshness import find_moves, find_unknown, source_state
from seedbed.data.sources import read_source
from seedbed.errors import UserError

ROWS = [{"a": row, "b": {"c": f"x{row}"}} for row in range(7)]
FRAME = pd.json_normalize(ROWS)
SECRET = "Bearer a-token-of-tests"  # pragma: allowlist secret
DATASET = Dataset(name="d", tables=[Table(name="rows")])


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing, in a repository of its own."""
    monkeypatch.setattr(http_session, "BACKOFF", 0.0)
    monkeypatch.setattr(http_session, "WAITS", (0.0, 0.0))
    monkeypatch.setenv("API_TOKEN", SECRET)
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def api() -> Iterator[Api]:
    with api_server() as api:
        yield api


@pytest.fixture
def other() -> Iterator[Api]:
    with api_server() as api:
        yield api


def source_at(address: str, **options: Any) -> Source:
    return Source(kind="api", path=f"{address}/rows", options=options)


def read(api: Api, dataset: Dataset = DATASET, **options: Any) -> pd.DataFrame:
    return read_source(source_at(api.address, **options), dataset, dataset.base, {})


def error_of(api: Api, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(api, **options)
    assert SECRET.split()[1] not in str(caught.value)
    return str(caught.value)


def by_cursor(request: Request) -> Answer:
    start = int(request.query.get("after", 0))
    following = str(start + 3) if start + 3 < len(ROWS) else None
    return Answer({"data": {"items": ROWS[start : start + 3]}, "meta": {"next": following}})


def by_number(request: Request) -> Answer:
    start = (int(request.query["page"]) - 1) * 3
    return Answer({"data": {"items": ROWS[start : start + 3]}})


def by_offset(request: Request) -> Answer:
    start, size = int(request.query["offset"]), min(2, int(request.query["limit"]))
    return Answer({"data": {"items": ROWS[start : start + size]}})


def by_header(request: Request) -> Answer:
    start = int(request.query.get("from", 0))
    link = {"Link": f'</rows?from={start + 3}>; rel="next", </rows>; rel="first"'}
    return Answer(
        {"data": {"items": ROWS[start : start + 3]}}, headers=link if start + 3 < len(ROWS) else {}
    )


def by_address(request: Request) -> Answer:
    start = int(request.query.get("from", 0))
    following = f"?from={start + 3}" if start + 3 < len(ROWS) else None
    return Answer({"data": {"items": ROWS[start : start + 3]}, "next": following})


PAGES = [
    (by_cursor, {"by": "cursor", "parameter": "after", "next": "meta.next"}, 3),
    (by_number, {"by": "number", "parameter": "page"}, 4),
    (by_offset, {"by": "offset", "size": 3}, 5),  # the server gives less than it is asked for
    (by_header, {"by": "link"}, 3),
    (by_address, {"by": "link", "next": "next"}, 3),
    (lambda _: Answer({"data": {"items": ROWS}}), None, 1),
]


@pytest.mark.parametrize(("answer", "pages", "number"), PAGES)
@pytest.mark.parametrize("batch", [2, 7, 100])
def test_all_rows_come_in_their_order(
    api: Api, answer: Any, pages: Any, number: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_api, "BATCH", batch)
    api.answer = answer
    pd.testing.assert_frame_equal(read(api, records="data.items", pages=pages), FRAME)
    assert len(api.requests) == number


def test_batches_hold_so_many_rows_and_only_columns_that_are_needed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_api, "BATCH", 3)
    api.answer = by_number
    source = source_at(api.address, records="data.items", pages=PAGES[1][1])
    found = json_api.read_api(source, DATASET, "rows", {}, lambda names: names[:1])
    assert [list(frame.a) for frame in found] == [[0, 1, 2], [3, 4, 5], [6]]


def test_parameters_and_headers_are_sent(api: Api) -> None:
    api.answer = by_number
    options = {
        "records": "data.items",
        "parameters": {"since": "2024-01-01", "all": True, "none": None, "kind": ["a", "b c"]},
        "headers": {"Authorization": "API_TOKEN", "X-Key": "API_TOKEN"},
        "pages": PAGES[1][1],
    }
    read(api, **options)
    for request in api.requests:
        own = {name: values for name, values in request.all.items() if name != "page"}
        assert own == {"since": ["2024-01-01"], "all": ["true"], "kind": ["a", "b c"]}
        assert request.headers["authorization"] == request.headers["x-key"] == SECRET
        assert request.headers["accept"] == "application/json"


def test_each_of_several_tables_is_at_its_name_or_its_endpoint(api: Api) -> None:
    tables = [Table(name="one"), Table(name="two", options={"endpoint": "v2/twos"})]
    dataset = Dataset(name="d", tables=tables)
    api.answer = lambda request: Answer([{"path": request.path}])
    found = [
        read_source(source_at(api.address), dataset, name, {})["path"][0] for name in ("one", "two")
    ]
    assert found == ["/rows/one", "/rows/v2/twos"]


def test_a_record_at_the_end_stays_a_row_where_nothing_of_it_is_known(api: Api) -> None:
    api.give(Answer([{"a": 1, "b": 2}, {"a": None, "b": 3}]))
    found = read_source(source_at(api.address), DATASET, "rows", {}, lambda _: ["a"])
    assert found["a"].isna().tolist() == [False, True]


@pytest.mark.parametrize("batch", [1, 100])
def test_a_field_that_some_records_lack_is_missing_there(
    api: Api, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_api, "BATCH", batch)
    big = 2**60 + 1
    pages = [[{"a": 1, "t": True}], [{"a": 2, "n": big}], [{"n": big + 1, "l": [1]}], []]
    api.give(*map(Answer, pages))
    found = read(api, pages=PAGES[1][1])
    assert list(found) == ["a", "t", "n", "l"]
    assert found["n"].tolist()[1:] == [big, big + 1] and found["n"].isna()[0]
    assert found["a"].tolist()[:2] == [1, 2] and found["t"].tolist()[0] is True
    assert found["l"].tolist()[2] == "[1]"


@pytest.mark.parametrize(
    "failures",
    [
        [Answer(status=500)] * 4,
        [Answer(status=429, headers={"Retry-After": "0"})] * 4,
        [Answer(status=503, headers={"Retry-After": formatdate(0)})],
        [Answer(ROWS, sent=9)] * 2,
        [Answer(status=502), Answer(ROWS, sent=40), Answer(status=503)],
    ],
    ids=["500", "429", "a date that has gone by", "half of a page", "all of it"],
)
@pytest.mark.parametrize("pages", [None, {"by": "link"}])
def test_what_passes_is_waited_for_and_no_part_is_taken(
    api: Api, failures: list[Answer], pages: Any
) -> None:
    api.give(*failures, Answer(ROWS))
    pd.testing.assert_frame_equal(read(api, pages=pages), FRAME)
    assert len(api.requests) == len(failures) + 1


def test_a_wait_that_the_server_asks_for_is_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    api.give(Answer(status=429, headers={"Retry-After": "7"}), Answer(ROWS))
    read(api)
    assert 7 in waits
    api.give(Answer(status=429, headers={"Retry-After": "3600"}))
    api.requests.clear()
    assert "Retry-After: 3600). Run it again then." in error_of(api)
    assert len(api.requests) == 1


LINK = {"by": "link"}
NEXT = {"by": "cursor", "parameter": "after", "next": "next"}
COUNTED = {"by": "number", "parameter": "page"}


@pytest.mark.parametrize(
    ("answer", "options", "words"),
    [
        (Answer(status=401), {}, "the server refuses (401 Unauthorized). Name an environment"),
        (Answer(status=403), {"headers": {"X-Key": "API_TOKEN"}}, "(403 Forbidden). Check the value of $API_TOKEN"),
        (Answer(status=404), {}, "/rows: there is nothing at this address (404 Not Found). Correct source.path"),
        (Answer(status=500), {}, "the server reports 500 Internal Server Error, 5 times. Run it again later"),
        (Answer(status=429), {}, "the server reports 429 Too Many Requests, 5 times"),
        (Answer(status=304), {}, "the server answers 304 Not Modified"),
        (Answer(f"no {SECRET}", 400), {"headers": {"X-Key": "API_TOKEN"}}, 'the server answers 400 Bad Request: "no ***'),
        (Answer(status=302, headers={"Location": "/rows"}), {}, "redirects more than 10 times, in a circle"),
        (Answer(status=302, headers={"Location": f"ftp://me:{SECRET}@x.org/rows"}), {}, "No connection adapters were found for 'ftp://...'"),
        (Answer(ROWS, sent=9), {}, "the answer broke off 3 times (Connection broken: IncompleteRead(9 bytes read"),
        (Answer(b"<html>Sign in</html>"), {}, "the answer is no JSON; it begins with '<html>Sign in</html>'"),
        (Answer(b""), {}, "the answer is no JSON; it begins with ''"),
        (Answer(SECRET.encode()), {"headers": {"X-Key": "API_TOKEN"}}, "it begins with '***'"),
        (Answer(b'[{"a": "\xff"}]'), {}, "the answer is no JSON"),
        (Answer(b"[" * 100_000), {}, "the answer is no JSON"),
        (Answer({"data": [], "meta": 1}), {"records": "items"}, "source.options.records is 'items', and there is no 'items'; there are data, meta"),
        (Answer({"data": 5}), {"records": "data"}, "a list of records is expected at data, and there is 5"),
        (Answer({"data": ROWS}), {}, "a list of records is expected, and there is {"),
        (Answer([{"a": 1}, 5]), {"pages": LINK}, "page 1, record 2: 5 is no object with names and values"),
        (Answer([]), {}, "rows: the table has no rows"),
        (Answer(ROWS), {"pages": COUNTED}, "page 2: it is the same as the page before. Check the names of the parameters"),
        (Answer({"r": ROWS, "next": "b"}), {"pages": NEXT, "records": "r"}, "page 2: its next page (next: 'b') was read before"),
        (Answer({"r": ROWS, "next": ["b"]}), {"pages": NEXT, "records": "r"}, "source.options.pages.next is 'next', and there is no text or number there"),
        (Answer(ROWS, headers={"Link": '<?x=1>; rel="next"'}), {"pages": LINK}, "page 2: its next page (header Link: ) was read"),
        (Answer(ROWS, headers={"Link": '<//example.org/rows>; rel="next"'}), {"pages": LINK}, "page 1: its next page is at http://example.org/rows, which is another host"),
        (Answer({"r": ROWS, "n": 8}), {"records": "r", "count": "n"}, "it is the last one, and 7 records came of 8 (n). Run it again"),
        (Answer({"r": ROWS, "n": "x"}), {"records": "r", "count": "n"}, "source.options.count is 'n', and there is no number of records there, but 'x'"),
        (Answer(ROWS), {"headers": {"X-Key": "NOT_SET"}}, "source.options.headers.X-Key: the environment variable NOT_SET is not set. Set it"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_a_paragraph(
    api: Api, answer: Answer, options: dict[str, Any], words: str
) -> None:
    api.give(answer)
    found = error_of(api, **options)
    assert words in found and "\n" not in found and SECRET not in found


def test_a_page_that_never_ends_is_told(api: Api) -> None:
    api.answer = lambda request: Answer([{"a": request.query["page"]}])
    words = "/rows: there are more than 5 pages. If that is right, raise source.options.most_pages"
    assert words in error_of(api, pages=COUNTED, most_pages=5)
    assert len(api.requests) == 5


@pytest.mark.parametrize("value", ["x ", "a\nb", "é", ""])
def test_a_value_that_no_header_can_have_is_not_shown(
    api: Api, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", f"{SECRET}{value}" if value.strip() else value)
    assert "the environment variable API_TOKEN" in error_of(api, headers={"X-Key": "API_TOKEN"})


def test_a_server_that_is_not_there_is_told() -> None:
    words = "http://127.0.0.1:1/rows: the server cannot be reached (.*refused.*). Check source.path"
    with pytest.raises(UserError, match=words):
        read(Api("http://127.0.0.1:1"))


def test_a_server_that_never_answers_is_told(api: Api) -> None:
    is_over = Event()

    def wait(_: Request) -> Answer:
        is_over.wait(60)
        return Answer([])

    api.answer = wait
    assert "the server cannot be reached (Read timed out." in error_of(api, timeout=0.05)
    is_over.set()
    assert len(api.requests) == http_session.TRIES


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_headers_are_not_sent_on_to_another_host(api: Api, other: Api, status: int) -> None:
    Path(".netrc").write_text("machine 127.0.0.1 login me password it\n")
    headers = {"Authorization": "API_TOKEN", "X-Key": "API_TOKEN"}
    api.give(Answer(status=status, headers={"Location": f"{other.address}/else"}))
    other.give(Answer(ROWS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETRC", str(Path(".netrc").absolute()))
        read(api, headers=headers)
    assert api.requests[0].headers["authorization"] == SECRET
    assert not {"authorization", "x-key"} & other.requests[0].headers.keys()
    api.give(Answer(status=status, headers={"Location": "/else"}), Answer(ROWS))
    read(api, headers=headers)
    assert api.requests[-1].headers["x-key"] == api.requests[-1].headers["authorization"] == SECRET


def validated(request: Request) -> Answer:
    """Answer that nothing has changed where the tag of the rows is known."""
    if request.headers.get("if-none-match") == 'W/"1"':
        return Answer(status=304, headers={"ETag": 'W/"1"'})
    return Answer(ROWS, headers={"ETag": 'W/"1"'})


def test_an_unchanged_answer_is_not_fetched_again(api: Api) -> None:
    api.answer = validated
    sent = [read(api, headers={"X-Key": "API_TOKEN"}) for _ in range(3)]
    for found in sent:
        pd.testing.assert_frame_equal(found, FRAME)
    conditions = [request.headers.get("if-none-match") for request in api.requests]
    assert conditions == [None, 'W/"1"', 'W/"1"']
    kept = [path for path in Path(".dvc/tmp/http").rglob("*") if path.is_file()]
    assert len(kept) == 2 and not any(SECRET.encode() in path.read_bytes() for path in kept)
    api.give(Answer(ROWS[:2], headers={"ETag": '"2"'}))
    assert len(read(api)) == 2


@pytest.mark.parametrize("damage", [b"", b"[{}]", None])
def test_what_is_kept_and_damaged_is_fetched_anew(api: Api, damage: bytes | None) -> None:
    api.answer = validated
    read(api)
    for path in Path(".dvc/tmp/http").rglob("*"):
        if path.name == "rows" and damage is not None:
            path.write_bytes(damage)
        elif path.suffix == ".json" and damage is None:
            path.write_text("{")
    pd.testing.assert_frame_equal(read(api), FRAME)
    assert "if-none-match" not in api.requests[-1].headers


@pytest.mark.parametrize(
    ("headers", "options", "kept"),
    [
        ({"Last-Modified": formatdate(0)}, {}, True),
        ({"Last-Modified": formatdate(0)}, {"headers": {"X-Key": "API_TOKEN"}}, False),
        ({"ETag": '"1"', "Cache-Control": "private, no-store"}, {}, False),
        ({"ETag": '"1"'}, {"parameters": {"x": 1}}, True),
        ({"ETag": '"1"'}, {"pages": LINK}, False),
        ({}, {}, False),
    ],
)
def test_what_may_be_kept(
    api: Api, headers: dict[str, str], options: dict[str, Any], kept: bool
) -> None:
    api.give(Answer(ROWS, headers=headers))
    read(api, **options)
    assert any(path.is_file() for path in Path(".dvc/tmp").rglob("*")) is kept


def state(api: Api, **options: Any) -> dict[str, Any]:
    return source_state(source_at(api.address, **options), DATASET, ColumnLists(target="a"))


@pytest.mark.parametrize(
    ("one", "two", "options", "moves"),
    [
        (Answer(ROWS, headers={"ETag": "1"}), Answer([], headers={"ETag": "2"}), {}, ["rows: changed: {}/rows"]),
        (Answer(ROWS, headers={"Last-Modified": "1"}), Answer(ROWS, headers={"Last-Modified": "1"}), {}, []),
        (Answer({"n": 5, "r": []}), Answer({"n": 6, "r": []}), {"count": "n", "records": "r"}, ["rows: 5 rows then, 6 now"]),
        (Answer({"n": "5", "r": []}), Answer({"n": 5, "r": []}), {"count": "n", "records": "r"}, []),
    ],
)  # fmt: skip
def test_a_move_is_seen_without_reading_all(
    api: Api, one: Answer, two: Answer, options: dict[str, Any], moves: list[str]
) -> None:
    api.give(one)
    before = state(api, **options)
    api.give(two)
    now = state(api, **options)
    assert find_moves(before, now) == [words.format(api.address) for words in moves]
    assert find_unknown(now) == []
    assert len(api.requests) <= 2


def test_that_nothing_tells_of_a_move_is_said(api: Api) -> None:
    api.answer = lambda request: Answer(ROWS, 405 if request.method == "HEAD" else 200)
    assert [request.split(",")[0] for request in find_unknown(state(api))] == [
        f"rows: {api.address}/rows sends neither ETag nor Last-Modified"
    ]
