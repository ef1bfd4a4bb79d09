"""The routes about tasks."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from psycopg.types.json import Jsonb

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.files import SignedUrls, key_of
from adology_server.lists import list_page
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.problems import Refusal, not_found
from adology_server.room import TASKS, check_room
from adology_server.tasks.export import folder
from adology_server.tasks.model import LONGEST_S, NewExport, Queued, Task, TaskFile
from adology_server.tenancy import Connection, convert

SELECT: Final = """
select id, kind, brand, user_id, progress, error, created_at, started_at, ended_at, deadline, expires_at,
    case when expires_at <= now() then 'expired' else state end as status,
    case when expires_at <= now() then null else result end as result
from tasks"""

Deadline = Annotated[
    float | None,
    QueryParameter(ge=1, le=LONGEST_S, description="Seconds until it fails if it is not done; the server's default."),
]


@post("/v1/brands/{brand:str}/refresh", opt=allow(Access.MEMBER), status_code=202, operation_id="refreshBrand")
async def refresh_brand(request: Incoming, brand: FromPath[str], deadline_s: Deadline = None) -> Response[Queued]:
    """Gather the brand's ads now. While a refresh of the brand is under way, that one answers.

    The brand is one of a brandspace of the organisation.
    """
    caller = request.user
    async with parts.tenants(request).transaction(caller.org) as connection:
        await _check_held(connection, brand)
        task_id = await _find_refresh(connection, brand)
        if task_id is None:
            await _check_room(request, connection)
            made = await connection.execute(
                "insert into tasks (org_id, user_id, kind, brand, deadline)"
                " values (%s, %s, 'refresh', %s, now() + make_interval(secs => %s))"
                " on conflict (org_id, brand) where kind = 'refresh' and state in ('queued', 'processing')"
                " do nothing returning id",
                [caller.org, caller.user_id, brand, deadline_s or parts.settings(request).task_deadline_s],
            )
            row = await made.fetchone()
            # Somebody else's request of the same moment is visible by now.
            task_id = row["id"] if row else await _find_refresh(connection, brand)
    if task_id is None:
        raise Refusal("in-progress", "A refresh of this brand ended at this moment: ask again.")
    return accepted(task_id)


@post("/v1/exports", opt=allow(Access.MEMBER), status_code=202, operation_id="exportAds")
async def export_ads(request: Incoming, data: JSONBody[NewExport], deadline_s: Deadline = None) -> Response[Queued]:
    """Write the ads of a brandspace to a file, which `/v1/tasks/{task_id}/file` leads to when it is done."""
    caller = request.user
    async with parts.tenants(request).transaction(caller.org) as connection:
        found = await connection.execute("select id from brandspaces where id = %s", [data.brandspace_id])
        if await found.fetchone() is None:
            raise not_found("brandspace", data.brandspace_id)
        await _check_room(request, connection)
        made = await connection.execute(
            "insert into tasks (org_id, user_id, kind, request, deadline)"
            " values (%s, %s, 'export', %s, now() + make_interval(secs => %s)) returning id",
            [
                caller.org,
                caller.user_id,
                Jsonb({"brandspace_id": str(data.brandspace_id), "format": data.format}),
                deadline_s or parts.settings(request).task_deadline_s,
            ],
        )
        row = await made.fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return accepted(row["id"])


@get("/v1/tasks/{task_id:uuid}/file", opt=allow(Access.VIEWER), operation_id="getTaskFile")
async def get_task_file(request: Incoming, task_id: FromPath[UUID]) -> TaskFile:
    """A signed address of the file that an export made; 409 until it is done, 410 once it is not kept any more."""
    task = await _load(request, task_id)
    if task.status == "expired":
        raise Refusal("gone", "The file is not kept any more: export again.")
    if task.kind != "export" or task.status != "completed":
        raise Refusal("conflict", f"The {task.kind} is {task.status}: only an export that is completed has a file.")
    urls: SignedUrls = request.app.state.urls
    made = task.result.get("object") if isinstance(task.result, dict) else None
    key = key_of(made) if isinstance(made, str) else ""
    # Whoever reported the end: only a file of this very task is signed.
    if not key.startswith(folder(request.user.org, task_id)):
        raise Refusal("gone", "The export has no file: export again.")
    name = f"ads-{task_id}.{key.rpartition('.')[2]}"
    url = urls.url(key, content_type="application/octet-stream", name=name)
    # An address is given again for a third of its life.
    return TaskFile(url=url, expires_in=parts.settings(request).signed_url_s * 2 // 3)


@get("/v1/tasks", opt=allow(Access.VIEWER), operation_id="listTasks")
async def list_tasks(request: Incoming, limit: Limit = DEFAULT, after: After = None) -> Page[Task]:
    """The organisation's tasks, the newest first."""
    statement = (
        f"{SELECT} where %(created_at)s::timestamptz is null or (created_at, id) < (%(created_at)s, %(id)s::uuid)"
        " order by created_at desc, id desc limit %(limit)s"
    )
    begin = {"created_at": None, "id": None}
    return await list_page(request, Task, ["tasks"], statement, begin, limit=limit, after=after)


@get("/v1/tasks/{task_id:uuid}", opt=allow(Access.VIEWER), operation_id="getTask")
async def get_task(request: Incoming, task_id: FromPath[UUID]) -> Task:
    """How a task stands, and its result. A result that is not kept any more has the status `expired`."""
    return await _load(request, task_id)


@post("/v1/tasks/{task_id:uuid}/cancel", opt=allow(Access.MEMBER), status_code=200, operation_id="cancelTask")
async def cancel_task(request: Incoming, task_id: FromPath[UUID]) -> Task:
    """End a task without a result. What it had asked of workers that others share goes on."""
    async with parts.tenants(request).transaction(request.user.org) as connection:
        await connection.execute(
            "update tasks set state = 'cancelled', ended_at = now()"
            " where id = %s and state in ('queued', 'processing')",
            [task_id],
        )
        found = await (await connection.execute(f"{SELECT} where id = %s", [task_id])).fetchone()
    if found is None:
        raise not_found("task", task_id)
    task = convert(found, Task)
    if task.status != "cancelled":
        raise Refusal("conflict", f"The task has ended: it is {task.status}.")
    return task


def accepted(task_id: UUID) -> Response[Queued]:
    """The answer to a request that became a task."""
    return Response(Queued(request_id=task_id), status_code=202, headers={"location": f"/v1/tasks/{task_id}"})


async def _load(request: Incoming, task_id: UUID) -> Task:
    found = await parts.tenants(request).one(request.user.org, Task, f"{SELECT} where id = %s", [task_id])
    if found is None:
        raise not_found("task", task_id)
    return found


async def _check_held(connection: Connection, brand: str) -> None:
    known = await connection.execute("select id from brands where id = %s", [brand])
    if await known.fetchone() is None:
        raise not_found("brand", brand)
    held = await connection.execute("select brand from brandspace_brands where brand = %s limit 1", [brand])
    if await held.fetchone() is None:
        raise Refusal("conflict", f"{brand!r} is in none of your brandspaces: put it into one first.")


async def _find_refresh(connection: Connection, brand: str) -> UUID | None:
    found = await connection.execute(
        "select id from tasks where kind = 'refresh' and brand = %s and state in ('queued', 'processing')", [brand]
    )
    row = await found.fetchone()
    return row["id"] if row else None


async def _check_room(request: Incoming, connection: Connection) -> None:
    await check_room(
        connection,
        TASKS,
        "select count(*) as n from tasks where state in ('queued', 'processing')",
        None,
        parts.settings(request).tasks_per_organisation,
        "{most} tasks of your organisation are under way, which is the most: wait until one has ended.",
        problem="too-many",
        retry_after_s=60,
    )


ROUTES = (refresh_brand, export_ads, list_tasks, get_task, get_task_file, cancel_task)
