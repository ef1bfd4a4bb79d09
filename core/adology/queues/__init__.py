"""Queues: message bodies, SQS in batches, the consumer loop, verdicts."""

from adology.queues.consumer import Consumer
from adology.queues.messages import AcquireMessage, GatherMessage, InsightMessage, UndecodableError, decode, encode
from adology.queues.sqs import Sqs
from adology.queues.verdict import Dead, Defer, Delivery, Done, Hide, Verdict

__all__ = [
    "AcquireMessage",
    "Consumer",
    "Dead",
    "Defer",
    "Delivery",
    "Done",
    "GatherMessage",
    "Hide",
    "InsightMessage",
    "Sqs",
    "UndecodableError",
    "Verdict",
    "decode",
    "encode",
]
