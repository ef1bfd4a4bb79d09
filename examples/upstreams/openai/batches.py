"""Files and batches: a file of requests is answered at half price, later, in no promised order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from upstreams.openai import errors
from upstreams.openai.errors import Refusal

Answer = Callable[[str, dict[str, Any]], dict[str, Any]]
"""What a path answers to a body; raises Refusal."""

ENDPOINTS = frozenset({"/v1/responses", "/v1/embeddings", "/v1/moderations"})
MOST_REQUESTS = 50_000
DAY_S = 86_400


class StoredFile(msgspec.Struct, kw_only=True):
    """One file of an account."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    object: str = "file"
    status: str = "processed"


class Batches:
    """The files and batches of a stand-in."""

    def __init__(self, polls: int) -> None:
        self._polls = polls
        self._files: dict[str, tuple[StoredFile, bytes]] = {}
        self._batches: dict[str, dict[str, Any]] = {}
        self._looks: dict[str, int] = {}

    def clear(self) -> None:
        """Forget all."""
        self._files.clear()
        self._batches.clear()
        self._looks.clear()

    def add_file(self, name: str, purpose: str, data: bytes, now: float) -> StoredFile:
        """Keep a file."""
        made = StoredFile(
            id=f"file-{hashlib.sha256(f'{len(self._files)}'.encode() + data).hexdigest()[:22]}",
            bytes=len(data),
            created_at=int(now),
            filename=name,
            purpose=purpose,
        )
        self._files[made.id] = made, data
        return made

    def get_file(self, name: str) -> tuple[StoredFile, bytes]:
        """A file and its bytes."""
        if name not in self._files:
            raise Refusal(404, f"No such File object: {name}", param="id")
        return self._files[name]

    def create(self, body: dict[str, Any], now: float) -> dict[str, Any]:
        """A new batch."""
        if body.get("endpoint") not in ENDPOINTS:
            raise errors.invalid(f"Invalid value: '{body.get('endpoint')}'.", param="endpoint", code="invalid_value")
        if body.get("completion_window") != "24h":
            raise errors.invalid("Invalid 'completion_window'.", param="completion_window", code="invalid_value")
        self.get_file(body.get("input_file_id") or "")
        name = f"batch_{hashlib.sha256(f'{len(self._batches)}'.encode()).hexdigest()[:24]}"
        self._batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "errors": None,
            "input_file_id": body["input_file_id"],
            "completion_window": "24h",
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": int(now),
            "expires_at": int(now) + DAY_S,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": body.get("metadata"),
        }
        return self._batches[name]

    def look(self, name: str, answer: Answer, now: float) -> dict[str, Any]:
        """The batch's state; its work is done at one of the looks."""
        batch = self._get(name)
        if batch["status"] in {"validating", "in_progress"}:
            looks = self._looks[name] = self._looks.get(name, 0) + 1
            batch["status"] = "in_progress"
            if looks >= self._polls:
                self._work(batch, answer, now)
        return batch

    def cancel(self, name: str, now: float) -> dict[str, Any]:
        """Stop a batch that is not done."""
        batch = self._get(name)
        if batch["status"] in {"validating", "in_progress"}:
            batch["status"], batch["cancelled_at"] = "cancelled", int(now)
        return batch

    def _get(self, name: str) -> dict[str, Any]:
        if name not in self._batches:
            raise Refusal(404, f"No batch found with id '{name}'.", param="id")
        return self._batches[name]

    def _work(self, batch: dict[str, Any], answer: Answer, now: float) -> None:
        lines = self._files[batch["input_file_id"]][1].splitlines()
        problems = _problems(lines, batch["endpoint"])
        if problems:
            batch["status"], batch["failed_at"] = "failed", int(now)
            batch["errors"] = {"object": "list", "data": problems}
            return
        good: list[bytes] = []
        bad: list[bytes] = []
        for line in lines:
            asked = msgspec.json.decode(line)
            status, body = _answer(answer, asked)
            row = msgspec.json.encode(_row(asked["custom_id"], status, body))
            (good if status == 200 else bad).append(row)
        for rows, field in ((good, "output"), (bad, "error")):
            if rows:
                # Sorted by their own hash: nobody may count on the order.
                data = b"\n".join(sorted(rows, key=lambda row: hashlib.sha256(row).digest())) + b"\n"
                made = self.add_file(f"{batch['id']}_{field}.jsonl", "batch_output", data, now)
                batch[f"{field}_file_id"] = made.id
        batch["status"], batch["completed_at"] = "completed", int(now)
        batch["request_counts"] = {"total": len(lines), "completed": len(good), "failed": len(bad)}


def _answer(answer: Answer, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    try:
        return 200, answer(asked["url"], asked["body"])
    except Refusal as refusal:
        return refusal.status, refusal.body


def _row(custom_id: str, status: int, body: dict[str, Any]) -> dict[str, Any]:
    name = hashlib.sha256(custom_id.encode()).hexdigest()[:24]
    response = {"status_code": status, "request_id": f"req_{name}", "body": body}
    return {"id": f"batch_req_{name}", "custom_id": custom_id, "response": response, "error": None}


def _problems(lines: list[bytes], endpoint: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if not lines:
        return [_problem("empty_file", 0, "The input file is empty.", None)]
    if len(lines) > MOST_REQUESTS:
        return [_problem("too_many_tasks", 0, f"The batch input file has more than {MOST_REQUESTS} lines.", None)]
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        try:
            asked = msgspec.json.decode(line)
        except msgspec.DecodeError:
            found.append(_problem("invalid_json_line", number, "This line is not parseable as valid JSON.", None))
            continue
        if asked.get("url") != endpoint:
            found.append(_problem("invalid_url", number, "The URL does not match the batch's endpoint.", "url"))
        if asked.get("custom_id") in seen:
            found.append(_problem("duplicate_custom_id", number, "This custom_id was used before.", "custom_id"))
        seen.add(asked.get("custom_id"))
    return found


def _problem(code: str, line: int, message: str, param: str | None) -> dict[str, Any]:
    return {"code": code, "line": line, "message": message, "param": param}
