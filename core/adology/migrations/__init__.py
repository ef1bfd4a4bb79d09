"""Database migrations, run by Alembic: ``adology migrate`` or `migrate()`."""

from adology.migrations.run import current_revision, migrate

__all__ = ["current_revision", "migrate"]
