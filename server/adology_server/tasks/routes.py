"""The routes about tasks that there are; those that make some are in `orders`."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath

from adology_server import parts
from adology_server.access import Access, allow
from adology_server.files import SignedUrls, key_of
from adology_server.lists import list_page
from adology_server.paging import DEFAULT, After, Limit, Page
from adology_server.parts import Incoming
from adology_server.problems import Refusal, not_found
from adology_server.tasks.files import folder
from adology_server.tasks.model import WITH_FILES, Task, TaskFile
from adology_server.tenancy import convert

SELECT: Final = """
select id, kind, brand, user_id, progress, error, created_at, started_at, ended_at, deadline, expires_at,
    case when expires_at <= now() then 'expired' else state end as status,
    case when expires_at <= now() then null else result end as result
from tasks"""


@get("/v1/tasks/{task_id:uuid}/file", opt=allow(Access.VIEWER), operation_id="getTaskFile")
async def get_task_file(request: Incoming, task_id: FromPath[UUID]) -> TaskFile:
    """A signed address of the file that an export or a bulk search made.

    409 until it is done, 410 once it is not kept any more.
    """
    task = await _load(request, task_id)
    if task.status == "expired":
        raise Refusal("gone", "The file is not kept any more: ask for it again.")
    if task.kind not in WITH_FILES or task.status != "completed":
        detail = (
            f"The {task.kind} is {task.status}: only a completed task of kind {' or '.join(WITH_FILES)} has a file."
        )
        raise Refusal("conflict", detail)
    urls: SignedUrls = request.app.state.urls
    made = task.result.get("object") if isinstance(task.result, dict) else None
    key = key_of(made) if isinstance(made, str) else ""
    # Whoever reported the end: only a file of this very task is signed.
    if not key.startswith(folder(request.user.org, task_id)):
        raise Refusal("gone", f"The {task.kind} has no file: ask for it again.")
    name = f"{'search' if task.kind == 'search' else 'ads'}-{task_id}.{key.rpartition('.')[2]}"
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


async def _load(request: Incoming, task_id: UUID) -> Task:
    found = await parts.tenants(request).one(request.user.org, Task, f"{SELECT} where id = %s", [task_id])
    if found is None:
        raise not_found("task", task_id)
    return found


ROUTES = (list_tasks, get_task, get_task_file, cancel_task)
