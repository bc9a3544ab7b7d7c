"""Predictions added up by minute, hour and day; those of before are added up from now on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('pending_rollup',
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('prediction_id', sa.String(length=36), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_table('rollup',
    sa.Column('deployment_id', sa.String(), nullable=False),
    sa.Column('is_shadow', sa.Boolean(), nullable=False),
    sa.Column('width_s', sa.Integer(), nullable=False),
    sa.Column('start_s', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('model_version_id', sa.String(length=36), nullable=False),
    sa.Column('predictions', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('shapes', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('latency_us', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('first_at', sa.Double(), nullable=False),
    sa.Column('last_at', sa.Double(), nullable=False),
    sa.Column('tally', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('deployment_id', 'is_shadow', 'width_s', 'start_s', 'model_version_id')
    )
    # In the order of time, so that few rollups change at once while they are added up.
    op.execute(
        "INSERT INTO pending_rollup (number, prediction_id) "
        "SELECT row_number() OVER (ORDER BY deployment_id, at), id FROM prediction"
    )
