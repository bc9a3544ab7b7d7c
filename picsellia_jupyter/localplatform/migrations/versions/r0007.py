"""Training runs, and what sets them off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('training_run',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('episode', sa.String(), nullable=False),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('said', sa.String(), nullable=False),
    sa.Column('settings', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('base_version_id', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('runner', sa.String(), nullable=False),
    sa.Column('beat_at', sa.Double(), nullable=True),
    sa.Column('started_at', sa.Double(), nullable=True),
    sa.Column('ended_at', sa.Double(), nullable=True),
    sa.Column('progress', sa.Double(), nullable=False),
    sa.Column('step', sa.String(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('is_cancelled', sa.Boolean(), nullable=False),
    sa.Column('experiment_id', sa.String(length=36), nullable=True),
    sa.Column('version_id', sa.String(length=36), nullable=True),
    sa.Column('held_out', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['experiment_id'], ['experiment.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['version_id'], ['model_version.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('deployment_id', 'episode')
    )
    with op.batch_alter_table('training_run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_training_run_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_training_run_state', ['state'], unique=False)
    op.create_table('training_trigger',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('alert_id', sa.String(length=36), nullable=True),
    sa.Column('every_s', sa.Double(), nullable=True),
    sa.Column('cooldown_s', sa.Double(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('training_trigger', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_training_trigger_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_training_trigger_deployment_id'), ['deployment_id'], unique=False)
    with op.batch_alter_table('pipeline', schema=None) as batch_op:
        batch_op.add_column(sa.Column('submitted_reviews', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('trained_reviews', sa.Integer(), server_default='0', nullable=False))
