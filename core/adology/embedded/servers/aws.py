"""The AWS emulator: S3, SQS, SNS, CloudWatch and Lambda behind one loopback address."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

from adology.embedded.home import Home
from adology.embedded.logs import read_tail
from adology.embedded.ports import HOST
from adology.embedded.servers.base import Server, check_installed
from adology.embedded.servers.tcp import fetch_status, wait_listening
from adology.embedded.spawn import run_once, server_environment
from adology.errors import StackError

_SERVICES = "s3,sqs,sns,cloudwatch,logs,lambda,iam,sts,kms,secretsmanager,events,scheduler"
_REGION = "us-east-1"
_KEY_ID = "embedded-key-id"
_SECRET = "embedded-secret-key"  # noqa: S105 - the emulator takes any
_PROVISION_S = 60.0


class AwsServer(Server):
    """Objects survive a kill; queues do not, so they are made again whenever the server starts."""

    package = "ministack"
    distribution = "ministack"
    # It writes its queues and topics to disk on an orderly stop only.
    grace_s = 20.0

    def __init__(self, name: str, home: Home, port: int | None, *, provision: bool = True) -> None:
        super().__init__(name, home, port)
        self.folder = home.root / "aws"
        self._provision = provision

    async def prepare(self) -> None:
        """Make the folders for state and objects."""
        check_installed(type(self), "aws")
        for part in ("state", "s3"):
            (self.folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """All of its configuration is in the environment."""
        return [sys.executable, "-P", "-m", "ministack"]

    def environment(self) -> Mapping[str, str]:
        """Loopback only, persistent, without the extra listeners that it opens by default."""
        return server_environment(
            self.home.root,
            {
                "GATEWAY_PORT": str(self.port),
                "BIND_HOST": HOST,
                "MINISTACK_HOST": HOST,
                "MINISTACK_REGION": _REGION,
                "SFTP_ENABLED": "0",
                "IOT_MTLS_ENABLED": "0",
                "PERSIST_STATE": "1",
                "STATE_DIR": str(self.folder / "state"),
                "S3_PERSIST": "1",
                "S3_DATA_DIR": str(self.folder / "s3"),
                "SERVICES": _SERVICES,
                "AWS_ACCESS_KEY_ID": _KEY_ID,
                "AWS_SECRET_ACCESS_KEY": _SECRET,
                "AWS_DEFAULT_REGION": _REGION,
                "LOG_LEVEL": "INFO",
            },
        )

    async def probe(self) -> None:
        """A list of queues and a list of buckets."""
        port = self.port or 0
        await wait_listening(port)
        form = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": _scope("sqs")}
        queues = await fetch_status(port, "/", method="POST", body="Action=ListQueues&Version=2012-11-05", headers=form)
        buckets = await fetch_status(port, "/", headers={"Authorization": _scope("s3")})
        if (queues, buckets) != (200, 200):
            raise ConnectionError(f"ListQueues answered {queues}, ListBuckets {buckets}")

    async def provision(self) -> None:
        """Bucket and queues, by a short-lived process: the AWS client would double our memory."""
        if not self._provision:
            return
        log = self.home.log("provision")
        command = [sys.executable, "-m", "adology.embedded.provision", "--home", str(self.home.root)]
        code = await asyncio.wait_for(
            run_once(
                command, log=log, cwd=self.home.working_folder, env=self.home.program_environment(), identity="same"
            ),
            _PROVISION_S,
        )
        if code != 0:
            raise StackError(
                f"the bucket and the queues could not be made (exit code {code}):\n{read_tail(log)}",
                hint=f"The whole log is {log}.",
                code="ADO-5507",
            )

    def settings(self) -> dict[str, str]:
        """The emulator's address with credentials that mean nothing elsewhere."""
        return {
            "aws.endpoint_url": f"http://{HOST}:{self.port}",
            "aws.region": _REGION,
            "aws.access_key_id": _KEY_ID,
            "aws.secret_access_key": _SECRET,
        }


def _scope(service: str) -> str:
    """Enough of a signature for the emulator to know which service is meant."""
    credential = f"Credential={_KEY_ID}/20260101/{_REGION}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"
