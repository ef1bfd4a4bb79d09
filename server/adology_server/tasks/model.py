"""What requests, answers and messages about tasks look like."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from adology.types import Struct
from adology_server.people.model import Answer, Body
from adology_server.tasks.formats import Format

Kind = Literal["refresh", "export", "search", "reanalyze"]
WITH_FILES: Final = ("export", "search")
Status = Literal["queued", "processing", "completed", "failed", "cancelled", "expired"]
LONGEST_S = 7 * 86400.0
"""Of deadlines that requests give."""


class Queued(Answer, frozen=True, kw_only=True):
    """The request was taken; `/v1/tasks/{request_id}` says how it stands."""

    request_id: UUID
    status: Literal["processing"] = "processing"
    message: Literal["Your task has been queued."] = "Your task has been queued."


class NewExport(Body, frozen=True, kw_only=True):
    """The ads of a brandspace as a file: JSON lines, CSV for spreadsheets, or Parquet with types."""

    brandspace_id: UUID
    format: Format = "jsonl"


class TaskFile(Answer, frozen=True, kw_only=True):
    """Where the file of a finished export or bulk search can be read by GET, for `expires_in` seconds at least."""

    url: str
    expires_in: int


class Task(Answer, frozen=True, kw_only=True):
    """A task. `progress` depends on the kind; `result` is there from completion until `expires_at`."""

    id: UUID
    kind: Kind
    brand: str | None
    status: Status
    progress: dict[str, Any]
    result: Any
    error: str | None
    user_id: UUID | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    deadline: datetime
    expires_at: datetime | None


class TaskMessage(Struct, frozen=True, kw_only=True):
    """``{"task":"…"}`` on the task queue: only says where to look, the row says what is to be done."""

    task: UUID


class Work(Struct, frozen=True, kw_only=True):
    """A task that a runner has taken up. `epoch` is its fencing token."""

    id: UUID
    org_id: str
    kind: Kind
    brand: str | None
    request: dict[str, Any]
    epoch: int
    attempts: int
    deadline: datetime
