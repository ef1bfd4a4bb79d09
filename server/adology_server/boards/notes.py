"""Notes and tags on ads."""

from __future__ import annotations

import re
from typing import Annotated, Final
from uuid import UUID

from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody, PathParameter

from adology_server import parts
from adology_server.access import RANKS, Access, allow
from adology_server.boards.ads import check_seen
from adology_server.boards.model import NewNote, Note, Tag
from adology_server.lists import list_page
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.problems import Refusal, not_found
from adology_server.room import NOTES, TAGS, check_room
from adology_server.tenancy import Connection, convert
from adology_server.versions import check_match, with_tag

MOST_TAGS = 50
"""Of one ad."""
LONGEST_TAG = 60
_NOTE: Final = "id, ad_id, text, version, created_by, created_at, updated_at"
_TAG = re.compile(r"[^\x00-\x1f\x7f/]{1,60}")
TagName = Annotated[str, PathParameter(description="1 to 60 characters, without slashes; upper case is lowered.")]


@post("/v1/ads/{ad_id:int}/notes", opt=allow(Access.MEMBER), operation_id="makeNote")
async def make_note(request: Incoming, ad_id: FromPath[int], data: JSONBody[NewNote]) -> Response[Note]:
    """Say something about an ad; all of the organisation see it."""
    caller = request.user
    async with parts.tenants(request).transaction(caller.org) as connection:
        await check_seen(connection, ad_id)
        await check_room(
            connection,
            NOTES,
            "select count(*) as n from notes where ad_id = %s",
            [ad_id],
            parts.settings(request).notes_per_ad,
            "An ad has {most} notes at most: delete one first.",
        )
        made = await connection.execute(
            f"insert into notes (org_id, ad_id, text, created_by) values (%s, %s, %s, %s) returning {_NOTE}",
            [caller.org, ad_id, data.text, caller.user_id],
        )
        row = await made.fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    note = convert(row, Note)
    return with_tag(request, note, note.version, status_code=201)


@get("/v1/ads/{ad_id:int}/notes", opt=allow(Access.VIEWER), operation_id="listNotes")
async def list_notes(
    request: Incoming, ad_id: FromPath[int], limit: Limit = DEFAULT, after: After = None
) -> Page[Note]:
    """What was said about an ad, the oldest first."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        await check_seen(connection, ad_id)
    statement = (
        f"select {_NOTE} from notes where ad_id = %(ad)s and"
        " (%(created_at)s::timestamptz is null or (created_at, id) > (%(created_at)s, %(id)s::uuid))"
        " order by created_at, id limit %(limit)s"
    )
    what, begin = ["notes", ad_id], {"created_at": None, "id": None}
    return await list_page(request, Note, what, statement, begin, limit=limit, after=after, ad=ad_id)


@patch("/v1/notes/{note_id:uuid}", opt=allow(Access.MEMBER, versioned=True), operation_id="changeNote")
async def change_note(request: Incoming, note_id: FromPath[UUID], data: JSONBody[NewNote]) -> Response[Note]:
    """Say it otherwise; its author alone can."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        note = await _lock(request, connection, note_id)
        if note.created_by != request.user.user_id:
            raise Refusal("not-allowed", "A note is changed by its author alone.")
        changed = await connection.execute(
            f"update notes set text = %s, version = version + 1, updated_at = now() where id = %s returning {_NOTE}",
            [data.text, note_id],
        )
        row = await changed.fetchone()
    assert row is not None  # noqa: S101 - the row is locked
    return with_tag(request, convert(row, Note), row["version"])


@delete("/v1/notes/{note_id:uuid}", opt=allow(Access.MEMBER, versioned=True), operation_id="dropNote")
async def drop_note(request: Incoming, note_id: FromPath[UUID]) -> None:
    """Delete a note; its author can, and admins."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        note = await _lock(request, connection, note_id)
        if note.created_by != request.user.user_id and RANKS[request.user.role] < RANKS["admin"]:
            raise Refusal("not-allowed", "A note is deleted by its author or an admin.")
        await connection.execute("delete from notes where id = %s", [note_id])


@put("/v1/ads/{ad_id:int}/tags/{tag:str}", opt=allow(Access.MEMBER), status_code=204, operation_id="tagAd")
async def tag_ad(request: Incoming, ad_id: FromPath[int], tag: TagName) -> None:
    """Give an ad a tag of the organisation."""
    caller, name = request.user, _name(tag)
    async with parts.tenants(request).transaction(caller.org) as connection:
        await check_seen(connection, ad_id)
        await check_room(
            connection,
            TAGS,
            "select count(*) as n from ad_tags where ad_id = %s and tag <> lower(%s)",
            [ad_id, name],
            MOST_TAGS,
            "An ad has {most} tags at most: take one away first.",
        )
        known = await connection.execute("select tag from ad_tags where tag = lower(%s) limit 1", [name])
        if await known.fetchone() is None:
            await check_room(
                connection,
                TAGS,
                "select count(distinct tag) as n from ad_tags",
                None,
                parts.settings(request).tags_per_organisation,
                "An organisation has {most} different tags at most: take one from all its ads first.",
            )
        await connection.execute(
            "insert into ad_tags (org_id, ad_id, tag, created_by) values (%s, %s, lower(%s), %s)"
            " on conflict do nothing",
            [caller.org, ad_id, name, caller.user_id],
        )


@delete("/v1/ads/{ad_id:int}/tags/{tag:str}", opt=allow(Access.MEMBER), operation_id="untagAd")
async def untag_ad(request: Incoming, ad_id: FromPath[int], tag: TagName) -> None:
    """Take a tag from an ad."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        await check_seen(connection, ad_id)
        gone = await connection.execute("delete from ad_tags where ad_id = %s and tag = lower(%s)", [ad_id, _name(tag)])
        if not gone.rowcount:
            raise not_found("tag of this ad", tag)


@get("/v1/ads/{ad_id:int}/tags", opt=allow(Access.VIEWER), operation_id="listAdTags")
async def list_ad_tags(request: Incoming, ad_id: FromPath[int]) -> list[str]:
    """The tags that the organisation gave an ad, in order; at most 50."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        await check_seen(connection, ad_id)
        found = await connection.execute("select tag from ad_tags where ad_id = %s order by tag", [ad_id])
        return [row["tag"] for row in await found.fetchall()]


@get("/v1/tags", opt=allow(Access.VIEWER), operation_id="listTags")
async def list_tags(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[Tag]:
    """The organisation's tags with the number of ads that have them, by name."""
    statement = (
        "select t.tag, count(*) as ads from ad_tags t join ads a on a.id = t.ad_id where t.tag > %(tag)s"
        " group by t.tag order by t.tag limit %(limit)s"
    )
    return await list_page(request, Tag, ["tags"], statement, {"tag": ""}, limit=limit, after=after)


async def _lock(request: Incoming, connection: Connection, note_id: UUID) -> Note:
    found = await connection.execute(f"select {_NOTE} from notes where id = %s for update", [note_id])
    row = await found.fetchone()
    if row is None:
        raise not_found("note", note_id)
    note = convert(row, Note)
    check_match(request, note.version)
    return note


def _name(tag: str) -> str:
    plain = " ".join(tag.split())
    if not _TAG.fullmatch(plain) or len(plain.lower()) > LONGEST_TAG:
        detail = f"A tag has 1 to {LONGEST_TAG} characters, no slash and no control characters."
        raise Refusal("invalid", detail, field="tag")
    return plain


ROUTES = (make_note, list_notes, change_note, drop_note, tag_ad, untag_ad, list_ad_tags, list_tags)
