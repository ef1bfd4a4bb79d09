"""Boards and the ads on them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import psycopg
from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.boards.ads import check_seen
from adology_server.boards.model import Board, BoardChange, NewBoard, Pinned
from adology_server.lists import list_page
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.problems import Refusal, not_found
from adology_server.room import BOARDS, check_room
from adology_server.tenancy import Connection
from adology_server.versions import check_match, with_tag

MOST_ADS = 5000
_BOARD: Final = (
    "select b.id, b.name, b.about, b.version, b.created_by, b.created_at, b.updated_at,"
    # Through the ads: one that is gone, or of which we own no copy any more, does not count.
    " (select count(*) from board_ads p join ads a on a.id = p.ad_id where p.board_id = b.id) as ads from boards b"
)
_TOUCH = "update boards set version = version + 1, updated_at = now() where id = %s"


@post("/v1/boards", opt=allow(Access.MEMBER), operation_id="makeBoard")
async def make_board(request: Incoming, data: JSONBody[NewBoard]) -> Response[Board]:
    """A new, empty board; all of the organisation see it."""
    caller = request.user
    try:
        async with parts.tenants(request).transaction(caller.org) as connection:
            await check_room(
                connection,
                BOARDS,
                "select count(*) as n from boards",
                None,
                parts.settings(request).boards_per_organisation,
                "An organisation has {most} boards at most: delete one first.",
            )
            made = await connection.execute(
                "insert into boards (org_id, name, about, created_by) values (%s, %s, %s, %s) returning id",
                [caller.org, data.name, data.about, caller.user_id],
            )
            row = await made.fetchone()
    except psycopg.errors.UniqueViolation:
        raise _taken(data.name) from None
    assert row is not None  # noqa: S101 - an insert returns its row
    board = await _load(request, row["id"])
    answer = with_tag(request, board, board.version, status_code=201)
    answer.headers["location"] = f"/v1/boards/{board.id}"
    return answer


@get("/v1/boards", opt=allow(Access.VIEWER), operation_id="listBoards")
async def list_boards(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[Board]:
    """The organisation's boards, by name."""
    statement = f"{_BOARD} where lower(b.name) > lower(%(name)s) order by lower(b.name) limit %(limit)s"
    return await list_page(request, Board, ["boards"], statement, {"name": ""}, limit=limit, after=after)


@get("/v1/boards/{board_id:uuid}", opt=allow(Access.VIEWER), operation_id="getBoard")
async def get_board(request: Incoming, board_id: FromPath[UUID]) -> Response[Board]:
    """One board."""
    board = await _load(request, board_id)
    return with_tag(request, board, board.version)


@patch("/v1/boards/{board_id:uuid}", opt=allow(Access.MEMBER, versioned=True), operation_id="changeBoard")
async def change_board(request: Incoming, board_id: FromPath[UUID], data: JSONBody[BoardChange]) -> Response[Board]:
    """Another name or description."""
    try:
        async with parts.tenants(request).transaction(request.user.org) as connection:
            await _lock(request, connection, board_id)
            await connection.execute(
                "update boards set name = coalesce(%s, name), about = coalesce(%s, about) where id = %s",
                [data.name, data.about, board_id],
            )
            await connection.execute(_TOUCH, [board_id])
    except psycopg.errors.UniqueViolation:
        raise _taken(data.name or "") from None
    board = await _load(request, board_id)
    return with_tag(request, board, board.version)


@delete("/v1/boards/{board_id:uuid}", opt=allow(Access.MEMBER, versioned=True), operation_id="dropBoard")
async def drop_board(request: Incoming, board_id: FromPath[UUID]) -> None:
    """Delete a board; the ads stay."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        await _lock(request, connection, board_id)
        await connection.execute("delete from boards where id = %s", [board_id])


@get("/v1/boards/{board_id:uuid}/ads", opt=allow(Access.VIEWER), operation_id="listBoardAds")
async def list_board_ads(
    request: Incoming, board_id: FromPath[UUID], limit: Limit = DEFAULT, after: After = None
) -> Page[Pinned]:
    """The ads on a board, in the order in which they came."""
    await _load(request, board_id)
    statement = (
        "select p.ad_id, a.source, a.source_ad_id, a.advertiser, coalesce(a.titles[1], a.bodies[1], '') as title,"
        " p.added_by, p.added_at, p.number from board_ads p join ads a on a.id = p.ad_id"
        " where p.board_id = %(board)s and p.number > %(number)s order by p.number limit %(limit)s"
    )
    what, begin = ["board", board_id], {"number": 0}
    return await list_page(request, Pinned, what, statement, begin, limit=limit, after=after, board=board_id)


@put(
    "/v1/boards/{board_id:uuid}/ads/{ad_id:int}",
    opt=allow(Access.MEMBER, versioned=True),
    status_code=204,
    operation_id="pinAd",
)
async def pin_ad(request: Incoming, board_id: FromPath[UUID], ad_id: FromPath[int]) -> None:
    """Put an ad on a board; one that is there stays where it is."""
    caller = request.user
    async with parts.tenants(request).transaction(caller.org) as connection:
        await _lock(request, connection, board_id)
        await check_seen(connection, ad_id)
        counted = await connection.execute("select count(*) as n from board_ads where board_id = %s", [board_id])
        row = await counted.fetchone()
        if row is not None and row["n"] >= MOST_ADS:
            raise Refusal("conflict", f"A board holds {MOST_ADS} ads at most: take one off first.")
        made = await connection.execute(
            "insert into board_ads (board_id, org_id, ad_id, added_by) values (%s, %s, %s, %s) on conflict do nothing",
            [board_id, caller.org, ad_id, caller.user_id],
        )
        if made.rowcount:
            await connection.execute(_TOUCH, [board_id])


@delete("/v1/boards/{board_id:uuid}/ads/{ad_id:int}", opt=allow(Access.MEMBER, versioned=True), operation_id="unpinAd")
async def unpin_ad(request: Incoming, board_id: FromPath[UUID], ad_id: FromPath[int]) -> None:
    """Take an ad off a board."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        await _lock(request, connection, board_id)
        await check_seen(connection, ad_id)
        gone = await connection.execute("delete from board_ads where board_id = %s and ad_id = %s", [board_id, ad_id])
        if not gone.rowcount:
            raise not_found("ad on this board", ad_id)
        await connection.execute(_TOUCH, [board_id])


async def _load(request: Incoming, board_id: UUID) -> Board:
    found = await parts.tenants(request).one(request.user.org, Board, f"{_BOARD} where b.id = %s", [board_id])
    if found is None:
        raise not_found("board", board_id)
    return found


async def _lock(request: Incoming, connection: Connection, board_id: UUID) -> None:
    """Keep others from changing it, and check that it is as the request takes it to be."""
    found = await connection.execute("select version from boards where id = %s for update", [board_id])
    row = await found.fetchone()
    if row is None:
        raise not_found("board", board_id)
    check_match(request, row["version"])


def _taken(name: str) -> Refusal:
    return Refusal("taken", f"There is a board named {name!r} already.", field="name")


ROUTES = (
    make_board,
    list_boards,
    get_board,
    change_board,
    drop_board,
    list_board_ads,
    pin_ad,
    unpin_ad,
)
