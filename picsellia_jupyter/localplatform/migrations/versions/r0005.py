"""Alerts as episodes, messages to webhooks, outlier scores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('outlier_fit',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('training_data_id', sa.String(), nullable=False),
    sa.Column('contamination', sa.Double(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('images', sa.Integer(), nullable=False),
    sa.Column('threshold', sa.Double(), nullable=True),
    sa.Column('weights', sa.LargeBinary(), nullable=True),
    sa.Column('scored_until', sa.Double(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('deployment_id')
    )
    with op.batch_alter_table('outlier_fit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outlier_fit_created_at'), ['created_at'], unique=False)
    op.create_table('delivery',
    sa.Column('fired_alert_id', sa.String(length=36), nullable=False),
    sa.Column('event', sa.String(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.Double(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['fired_alert_id'], ['fired_alert.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_delivery_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_delivery_due', ['state', 'due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_delivery_fired_alert_id'), ['fired_alert_id'], unique=False)
    op.create_table('outlier_score',
    sa.Column('prediction_id', sa.String(length=36), nullable=False),
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('at', sa.Double(), nullable=False),
    sa.Column('score', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['prediction_id'], ['prediction.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('prediction_id')
    )
    with op.batch_alter_table('outlier_score', schema=None) as batch_op:
        batch_op.create_index('ix_outlier_score_time', ['deployment_id', 'at'], unique=False)
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.add_column(sa.Column('window_s', sa.Double(), server_default='3600.0', nullable=False))
        batch_op.add_column(sa.Column('clear_limit', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('cooldown_s', sa.Double(), server_default='600.0', nullable=False))
        batch_op.add_column(sa.Column('webhook_url', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('webhook_private', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('value', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('reason', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('checked_at', sa.Double(), nullable=True))
    with op.batch_alter_table('fired_alert', schema=None) as batch_op:
        batch_op.add_column(sa.Column('count', sa.Integer(), server_default='1', nullable=False))
        batch_op.add_column(sa.Column('worst', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('last_at', sa.Double(), nullable=True))
        batch_op.add_column(sa.Column('ended_at', sa.Double(), nullable=True))
        batch_op.alter_column('oracle_prediction_id',
               existing_type=sa.VARCHAR(),
               nullable=True)
    # What fired before is an episode of one prediction each, and over.
    op.execute("UPDATE fired_alert SET ended_at = created_at")
