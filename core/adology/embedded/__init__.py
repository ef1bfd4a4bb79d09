"""The embedded stack: PostgreSQL, a MongoDB-wire server and an AWS emulator from wheels.

`start_stack` runs them and our own services under a supervisor, `stop_stack` ends them,
`read_state` says how they are.
"""

from adology.embedded.control import read_state, start_stack, stop_stack
from adology.embedded.home import Home
from adology.embedded.model import SERVERS, Options, Program, ServiceState, StackState

__all__ = [
    "SERVERS",
    "Home",
    "Options",
    "Program",
    "ServiceState",
    "StackState",
    "read_state",
    "start_stack",
    "stop_stack",
]
