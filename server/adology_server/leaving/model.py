"""What is told about an organisation that leaves."""

from __future__ import annotations

from datetime import datetime

from adology_server.people.model import Answer


class Ended(Answer, frozen=True, kw_only=True):
    """An organisation has ended: nobody gets in any more, and tasks are removing what it has.

    `records` and `head` are the number and the hash of the last record of its audit log, which is kept:
    noted elsewhere, they show later that the log is as it was.
    """

    organisation: str
    deleted_at: datetime
    records: int
    head: str
