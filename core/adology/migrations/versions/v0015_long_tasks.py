"""Bulk searches and re-analyses as tasks; files of tasks that are to be removed.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

from adology.migrations.policies import secure

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TASKS = """
alter table tasks drop constraint tasks_kind_check,
    add constraint tasks_kind_check check (kind in ('refresh', 'export', 'search', 'reanalyze')),
    add column files boolean not null default false;
comment on column tasks.files is 'there may be files of it in S3; they go when it has ended, of completed ones in time';
comment on column tasks.batch_key is 'handed on: the task ends with what was asked for under this key';
update tasks set files = true where kind = 'export';
create index tasks_with_files on tasks (ended_at) where files;
"""

ANALYSES = """
create table task_analyses (
    task uuid not null references tasks (id) on delete cascade,
    org_id text not null references organisations (id),
    key text not null,
    analyzer text not null,
    subject_kind text not null check (subject_kind in ('asset', 'ad')),
    subject text not null,
    brand text not null,
    sent_at timestamptz,
    outcome text check (outcome in ('done', 'failed')),
    primary key (task, key)
);
comment on table task_analyses is 'what a re-analysis is to bring up to date: written once, then asked for bit by bit';
comment on column task_analyses.key is 'of the analysis that is wanted';
comment on column task_analyses.brand is 'who pays';
create index task_analyses_unsent on task_analyses (task, key) where sent_at is null;
create index task_analyses_open on task_analyses (task, key) where sent_at is not null and outcome is null;
"""


def upgrade() -> None:
    op.execute(TASKS)
    op.execute(ANALYSES)
    op.execute(secure("task_analyses"))


def downgrade() -> None:
    op.execute("drop table task_analyses")
    op.execute("delete from tasks where kind in ('search', 'reanalyze')")
    op.execute(
        "alter table tasks drop column files, drop constraint tasks_kind_check,"
        " add constraint tasks_kind_check check (kind in ('refresh', 'export'))"
    )
