"""Reads and writes of one embedded stack, through the clients that the product uses."""

from __future__ import annotations

import io
import itertools
import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pymongo
from botocore.config import Config

from adology.settings import AdologySettings, load_settings

LAMBDA = "def handle(event, context):\n    return {'twice': event['n'] * 2}\n"


def read_settings(home: Path) -> AdologySettings:
    return load_settings(overrides={"home": str(home)}, env={}, cwd=home)


class Clients:
    """Blocking clients of a stack's servers."""

    def __init__(self, home: Path) -> None:
        self.settings = read_settings(home)

    def aws(self, service: str) -> Any:
        aws = self.settings.aws
        return boto3.client(
            service,
            endpoint_url=aws.endpoint_url,
            region_name=aws.region,
            aws_access_key_id=aws.access_key_id,
            aws_secret_access_key=aws.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=10),
        )

    def postgres(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.settings.postgres.url, autocommit=True, connect_timeout=3)

    def mongo(self) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient(self.settings.mongo.url, serverSelectionTimeoutMS=3000, socketTimeoutMS=5000)

    def queue_url(self) -> str:
        return str(self.aws("sqs").get_queue_url(QueueName=self.settings.queues.gather)["QueueUrl"])


def write_samples(clients: Clients) -> None:
    """A row with a vector, a document, an object, a message, a topic."""
    with clients.postgres() as link:
        link.execute("create table ads (id int primary key, look vector(3))")
        link.execute("insert into ads values (1, '[1,0,0]'), (2, '[0,1,0]'), (3, '[0.9,0.1,0]')")
    with clients.mongo() as mongo:
        mongo["adology"]["analyses"].insert_one({"_id": "a1", "label": "shoe"})
    clients.aws("s3").put_object(
        Bucket=clients.settings.s3.bucket, Key="assets/a b/ü.png", Body=b"\x89PNG", Metadata={"brand": "nike"}
    )
    clients.aws("sqs").send_message(QueueUrl=clients.queue_url(), MessageBody='{"brand":"nike"}')
    clients.aws("sns").create_topic(Name="alarms")


def read_samples(clients: Clients) -> dict[str, Any]:
    """What `write_samples` wrote, as found now; the message is given back at once."""
    with clients.postgres() as link:
        near = link.execute("select id from ads order by look <=> '[1,0,0]' limit 2").fetchall()
    with clients.mongo() as mongo:
        document = mongo["adology"]["analyses"].find_one({"_id": "a1"})
    stored = clients.aws("s3").get_object(Bucket=clients.settings.s3.bucket, Key="assets/a b/ü.png")
    sqs, url = clients.aws("sqs"), clients.queue_url()
    received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=3).get("Messages", [])
    for message in received:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return {
        "rows": [row[0] for row in near],
        "document": document,
        "object": (stored["Body"].read(), stored["Metadata"]),
        "messages": [message["Body"] for message in received],
        "topics": sorted(t["TopicArn"].rpartition(":")[2] for t in clients.aws("sns").list_topics()["Topics"]),
    }


SAMPLES = {
    "rows": [1, 3],
    "document": {"_id": "a1", "label": "shoe"},
    "object": (b"\x89PNG", {"brand": "nike"}),
    "messages": ['{"brand":"nike"}'],
    "topics": ["alarms", "notices"],
}


def send_through_topic(clients: Clients) -> str:
    """A text that went from a topic to a queue."""
    sns, sqs = clients.aws("sns"), clients.aws("sqs")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    url = sqs.create_queue(QueueName="notices")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=found["Attributes"]["QueueArn"])
    sns.publish(TopicArn=topic, Message="committed")
    message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=3)["Messages"][0]
    return str(json.loads(message["Body"])["Message"])


def measure(clients: Clients) -> list[float]:
    """A metric's sum, read back."""
    from datetime import UTC, datetime, timedelta

    cloudwatch = clients.aws("cloudwatch")
    cloudwatch.put_metric_data(Namespace="Adology", MetricData=[{"MetricName": "commits", "Value": 3.0}])
    now = datetime.now(UTC)
    found = cloudwatch.get_metric_statistics(
        Namespace="Adology",
        MetricName="commits",
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=600,
        Statistics=["Sum"],
    )
    return [point["Sum"] for point in found["Datapoints"]]


def invoke_lambda(clients: Clients, runtime: str) -> Any:
    """The answer of a function made for the occasion."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("code.py", LAMBDA)
    client = clients.aws("lambda")
    client.create_function(
        FunctionName="twice",
        Runtime=runtime,
        Role="arn:aws:iam::000000000000:role/any",
        Handler="code.handle",
        Code={"ZipFile": archive.getvalue()},
    )
    return json.loads(client.invoke(FunctionName="twice", Payload=b'{"n": 21}')["Payload"].read())


class Writer:
    """Writes numbers one after the other until a write fails, and remembers those acknowledged.

    A client that tries again by itself may get over the kill; `join` ends its writing.
    """

    def __init__(self, write: Callable[[int], Any]) -> None:
        self.acknowledged: list[int] = []
        self._write = write
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for number in itertools.count():
            if self._enough.is_set():
                return
            try:
                self._write(number)
            except Exception:  # noqa: BLE001 - the server was killed, which ends the writing
                return
            self.acknowledged.append(number)

    def join(self) -> set[int]:
        self._enough.set()
        self._thread.join(15)
        assert not self._thread.is_alive()
        return set(self.acknowledged)
