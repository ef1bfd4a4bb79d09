"""The servers that the supervisor can run, each knowing how to prepare, start and probe itself."""

from adology.embedded.servers.aws import AwsServer
from adology.embedded.servers.base import Server
from adology.embedded.servers.mongo import MongoServer
from adology.embedded.servers.postgres import PostgresServer
from adology.embedded.servers.program import ProgramServer

__all__ = ["AwsServer", "MongoServer", "PostgresServer", "ProgramServer", "Server"]
