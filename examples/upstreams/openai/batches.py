"""Files and batches: a file of requests is answered at half price, later, in no promised order.

Faults strike a batch when it is created and show when it ends: ``batch_fails`` (`detail`: the code),
``batch_expires`` and ``batch_stops`` (somebody cancels it; `detail`: how many requests were answered
by then), ``batch_errors`` (every third request is answered with status `detail`), ``batch_lines``
(of the output, one line is missing, one is doubled, one is garbage, one is about nothing).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from upstreams.faults import Fault
from upstreams.openai import errors
from upstreams.openai.errors import Refusal

Answer = Callable[[str, dict[str, Any]], dict[str, Any]]
"""What a path answers to a body; raises Refusal."""

ENDPOINTS = frozenset({"/v1/responses", "/v1/embeddings", "/v1/moderations"})
FAULTS = frozenset({"batch_fails", "batch_expires", "batch_stops", "batch_errors", "batch_lines"})
MOST_REQUESTS = 50_000
MOST_INPUTS = 50_000
MOST_BYTES = 200 * 1024**2
MOST_METADATA = 16
DAY_S = 86_400
AT_WORK = frozenset({"validating", "in_progress", "finalizing"})


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
        self._faults: dict[str, Fault] = {}

    def __len__(self) -> int:
        """How many batches were made."""
        return len(self._batches)

    @property
    def files(self) -> int:
        """How many files there are."""
        return len(self._files)

    def clear(self) -> None:
        """Forget all."""
        self._files.clear()
        self._batches.clear()
        self._looks.clear()
        self._faults.clear()

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

    def delete_file(self, name: str) -> dict[str, Any]:
        """Forget a file."""
        self.get_file(name)
        del self._files[name]
        return {"id": name, "object": "file", "deleted": True}

    def create(self, body: dict[str, Any], now: float, fault: Fault | None = None) -> dict[str, Any]:
        """A new batch."""
        if body.get("endpoint") not in ENDPOINTS:
            raise errors.invalid(f"Invalid value: '{body.get('endpoint')}'.", param="endpoint", code="invalid_value")
        if body.get("completion_window") != "24h":
            raise errors.invalid("Invalid 'completion_window'.", param="completion_window", code="invalid_value")
        _check_metadata(body.get("metadata"))
        if self.get_file(body.get("input_file_id") or "")[0].purpose != "batch":
            raise errors.invalid("The file must have purpose 'batch'.", param="input_file_id", code="invalid_value")
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
        if fault is not None:
            self._faults[name] = fault
        return self._batches[name]

    def page(self, after: str | None, limit: int) -> dict[str, Any]:
        """Some of the batches, newest first; looking at a list is no look."""
        names = list(self._batches)[::-1]
        if after is not None:
            self._get(after)
            names = names[names.index(after) + 1 :]
        data = [self._batches[name] for name in names[:limit]]
        return {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(names) > limit,
        }

    def look(self, name: str, answer: Answer, now: float) -> dict[str, Any]:
        """The batch's state; its work is done at one of the looks."""
        batch = self._get(name)
        if batch["status"] == "cancelling":
            self._work(batch, answer, now, "cancelled", self._answered(name, 0))
        elif batch["status"] in AT_WORK:
            looks = self._looks[name] = self._looks.get(name, 0) + 1
            fault = self._faults.get(name)
            if self._refuse(batch, fault, now):
                return batch
            batch["status"] = "finalizing" if 2 <= looks == self._polls - 1 else "in_progress"
            if now > batch["expires_at"]:
                self._work(batch, answer, now, "expired", self._answered(name, 0))
            elif looks >= self._polls:
                state = {"batch_expires": "expired", "batch_stops": "cancelled"}.get(fault.kind if fault else "")
                self._work(batch, answer, now, state or "completed", self._answered(name, None) if state else None)
        return batch

    def cancel(self, name: str, now: float) -> dict[str, Any]:
        """Stop a batch that is not done; what was answered by the next look stays."""
        batch = self._get(name)
        if batch["status"] in AT_WORK:
            batch["status"], batch["cancelling_at"] = "cancelling", int(now)
        return batch

    def _answered(self, name: str, usual: int | None) -> int | None:
        fault = self._faults.get(name)
        return int(fault.detail) if fault is not None and fault.detail.isdigit() else usual

    def _get(self, name: str) -> dict[str, Any]:
        if name not in self._batches:
            raise Refusal(404, f"No batch found with id '{name}'.", param="id")
        return self._batches[name]

    def _refuse(self, batch: dict[str, Any], fault: Fault | None, now: float) -> bool:
        """Fail a batch whose file is not right, or that is to fail."""
        problems = _problems(self._files[batch["input_file_id"]][1], batch["endpoint"])
        if fault is not None and fault.kind == "batch_fails":
            problems.append(
                _problem(fault.detail or "token_limit_exceeded", None, "Enqueued token limit reached.", None)
            )
        if problems:
            batch["status"], batch["failed_at"] = "failed", int(now)
            batch["errors"] = {"object": "list", "data": problems}
        return bool(problems)

    def _work(self, batch: dict[str, Any], answer: Answer, now: float, state: str, most: int | None) -> None:
        """Answer `most` of the requests, and end in that state."""
        fault = self._faults.get(batch["id"])
        lines = self._files[batch["input_file_id"]][1].splitlines()
        good: list[bytes] = []
        bad: list[bytes] = []
        for number, line in enumerate(lines):
            asked = msgspec.json.decode(line)
            if most is not None and number >= most:
                bad.append(msgspec.json.encode(_not_run(asked["custom_id"], f"batch_{state}")))
                continue
            if fault is not None and fault.kind == "batch_errors" and number % 3 == 0:
                status, body = int(fault.detail or 500), errors.server_error(int(fault.detail or 500)).body
            else:
                status, body = _answer(answer, asked)
            row = msgspec.json.encode(_row(asked["custom_id"], status, body))
            (good if status == 200 else bad).append(row)
        batch["request_counts"] = {"total": len(lines), "completed": len(good), "failed": len(bad)}
        if fault is not None and fault.kind == "batch_lines" and good:
            stray = msgspec.json.encode(_row("nobody-asked-for-this", 200, {"object": "list", "data": []}))
            good = [*good[1:], *good[1:2], b'{"custom_id": "cut off', stray]
        for rows, field in ((good, "output"), (bad, "error")):
            if rows:
                # Sorted by their own hash: nobody may count on the order.
                data = b"\n".join(sorted(rows, key=lambda row: hashlib.sha256(row).digest())) + b"\n"
                made = self.add_file(f"{batch['id']}_{field}.jsonl", "batch_output", data, now)
                batch[f"{field}_file_id"] = made.id
        batch["status"], batch[f"{state}_at"] = state, int(now)


def _check_metadata(given: Any) -> None:
    if given is None:
        return
    if not isinstance(given, dict) or len(given) > MOST_METADATA:
        raise errors.invalid("Invalid 'metadata': at most 16 pairs.", param="metadata")
    if any(not isinstance(v, str) or len(k) > 64 or len(v) > 512 for k, v in given.items()):
        raise errors.invalid("Invalid 'metadata': keys of 64, texts of 512 characters.", param="metadata")


def _answer(answer: Answer, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    try:
        return 200, answer(asked["url"], asked["body"])
    except Refusal as refusal:
        return refusal.status, refusal.body


def _row(custom_id: str, status: int, body: dict[str, Any]) -> dict[str, Any]:
    name = hashlib.sha256(custom_id.encode()).hexdigest()[:24]
    response = {"status_code": status, "request_id": f"req_{name}", "body": body}
    return {"id": f"batch_req_{name}", "custom_id": custom_id, "response": response, "error": None}


def _not_run(custom_id: str, code: str) -> dict[str, Any]:
    name = hashlib.sha256(custom_id.encode()).hexdigest()[:24]
    text = "This request could not be executed before the completion window expired."
    problem = {"code": code, "message": text if code == "batch_expired" else "This request was cancelled."}
    return {"id": f"batch_req_{name}", "custom_id": custom_id, "response": None, "error": problem}


def _problems(data: bytes, endpoint: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    lines = data.splitlines()
    if len(data) > MOST_BYTES:
        return [_problem("file_too_large", None, "The batch input file is larger than 200 MB.", None)]
    if not lines:
        return [_problem("empty_file", 0, "The input file is empty.", None)]
    if len(lines) > MOST_REQUESTS:
        return [_problem("too_many_tasks", 0, f"The batch input file has more than {MOST_REQUESTS} lines.", None)]
    seen: set[str] = set()
    models: set[str] = set()
    inputs = 0
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
        body = asked.get("body") or {}
        models.add(str(body.get("model")))
        inputs += len(body["input"]) if isinstance(body.get("input"), list) else 1
        if len(models) > 1:
            return [*found, _problem("mismatched_model", number, "All requests must be for one model.", "body.model")]
    if endpoint == "/v1/embeddings" and inputs > MOST_INPUTS:
        found.append(_problem("too_many_inputs", None, f"More than {MOST_INPUTS} embedding inputs.", None))
    return found


def _problem(code: str, line: int | None, message: str, param: str | None) -> dict[str, Any]:
    return {"code": code, "line": line, "message": message, "param": param}
