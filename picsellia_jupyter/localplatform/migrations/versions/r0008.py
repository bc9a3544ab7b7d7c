"""Rollouts, and the gate before a promotion."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('rollout',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('previous_version_id', sa.String(), nullable=False),
    sa.Column('previous_title', sa.String(), nullable=False),
    sa.Column('previous_shadow_id', sa.String(), nullable=False),
    sa.Column('forced', sa.Boolean(), nullable=False),
    sa.Column('said', sa.String(), nullable=False),
    sa.Column('run_id', sa.String(), nullable=True),
    sa.Column('evidence', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('deployment_id', 'number'),
    sa.UniqueConstraint('deployment_id', 'run_id')
    )
    with op.batch_alter_table('rollout', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rollout_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_rollout_state', ['deployment_id', 'state'], unique=False)
    with op.batch_alter_table('pipeline', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('promotion_gate', sa.JSON(none_as_null=True), nullable=True)
        )
