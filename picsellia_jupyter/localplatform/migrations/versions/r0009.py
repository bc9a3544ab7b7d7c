"""Predictions that serving kernels gave and could not give."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('answer_counter',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('counter', sa.String(), nullable=False),
    sa.Column('answered', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('failed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reported_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('deployment_id', 'counter')
    )
    op.create_table('answer_rollup',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('width_s', sa.Integer(), nullable=False),
    sa.Column('start_s', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('answered', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('failed', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('deployment_id', 'width_s', 'start_s')
    )
