"""The meters of training runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('mpu_training',
    sa.Column('run_id', sa.String(), nullable=False),
    sa.Column('runner', sa.String(), nullable=False),
    sa.Column('tick', sa.Integer(), nullable=False),
    sa.Column('run', sa.String(), nullable=False),
    sa.Column('read_ns', sa.BigInteger(), nullable=False),
    sa.Column('is_running', sa.Boolean(), nullable=False),
    sa.Column('reserved_nano', sa.BigInteger(), nullable=False),
    sa.Column('carry', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('run_id')
    )
