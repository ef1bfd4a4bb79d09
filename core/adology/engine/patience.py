"""A message that nobody can handle goes to the dead-letter queue with its reason, not without."""

from __future__ import annotations

from adology.errors import AdologyError, LeaseLostError, Retry, code_of, describe
from adology.log import logger
from adology.queues.consumer import Handler
from adology.queues.messages import UndecodableError
from adology.queues.verdict import Dead, Delivery, Verdict


def with_patience(handler: Handler, patience: int) -> Handler:
    """`handler`, whose faults count as final from the receive after the `patience`-th.

    Without it SQS itself would move the message some receives later, and nobody would learn why.
    What asks for another try, or says that a store is away, is left to the consumer.
    """

    async def handle(delivery: Delivery) -> Verdict:
        try:
            return await handler(delivery)
        except (Retry, LeaseLostError, UndecodableError):
            raise
        except Exception as error:
            if delivery.receives <= patience:
                raise
            logger.opt(exception=not isinstance(error, AdologyError)).error("message given up")
            return Dead(reason=f"after {delivery.receives} tries: {describe(error)}", code=code_of(error))

    return handle
