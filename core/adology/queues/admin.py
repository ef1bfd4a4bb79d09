"""Creates the queues and the bucket where nobody else does: on one machine, and in tests."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from adology.aws import open_client
from adology.queues.sqs import dead_letter_name
from adology.settings.model import QUEUE_ROLES, AdologySettings, QueueSettings

DEAD_LETTER_RETENTION_S = 14 * 24 * 3600


def queue_names(settings: QueueSettings) -> dict[str, str]:
    """Role → full queue name: those of workers, and `task`, which the server's runner consumes."""
    return {role: settings.prefix + getattr(settings, role) for role in (*QUEUE_ROLES, "task")}


async def ensure_queues(settings: AdologySettings) -> None:
    """Create the queues with their dead-letter queues; existing ones are left alone."""
    async with open_client(settings.aws, "sqs") as client:
        for name in queue_names(settings.queues).values():
            dead = await client.create_queue(
                QueueName=dead_letter_name(name), Attributes={"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_S)}
            )
            found = await client.get_queue_attributes(QueueUrl=dead["QueueUrl"], AttributeNames=["QueueArn"])
            redrive = {
                "deadLetterTargetArn": found["Attributes"]["QueueArn"],
                "maxReceiveCount": str(settings.queues.max_receives),
            }
            created = await client.create_queue(QueueName=name)
            await client.set_queue_attributes(
                QueueUrl=created["QueueUrl"],
                Attributes={
                    "RedrivePolicy": json.dumps(redrive),
                    "VisibilityTimeout": str(settings.queues.visibility_s),
                },
            )


async def ensure_bucket(settings: AdologySettings) -> None:
    """Create the bucket; an existing one of ours is left alone."""
    options: dict[str, Any] = {}
    if settings.aws.region != "us-east-1":
        options["CreateBucketConfiguration"] = {"LocationConstraint": settings.aws.region}
    async with open_client(settings.aws, "s3") as client:
        try:
            await client.create_bucket(Bucket=settings.s3.bucket, **options)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "BucketAlreadyOwnedByYou":
                raise
