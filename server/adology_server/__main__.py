"""``python -m adology_server``: the service with the settings of file and environment."""

from __future__ import annotations

import sys

import uvloop

from adology.errors import AdologyError
from adology.log import logger, setup_logging
from adology.settings import load_settings
from adology_server.service import serve


def main() -> int:
    """Serve until told to stop. Exit status 0 after an orderly end, 1 when it cannot serve."""
    try:
        settings = load_settings()
        setup_logging(level=settings.log.level, style=settings.log.format, service="server")
        uvloop.run(serve(settings))
    except AdologyError as error:
        logger.bind(code=error.code).critical(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
