"""A ledger of MPU: accounts, meters and charges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('mpu_charge',
    sa.Column('deployment_id', sa.String(), nullable=False),
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('amount_nano', sa.BigInteger(), nullable=False),
    sa.Column('served_ns', sa.BigInteger(), nullable=False),
    sa.Column('ticks', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('deployment_id', 'day')
    )
    op.create_table('mpu_account',
    sa.Column('organization_id', sa.String(length=36), nullable=False),
    sa.Column('quota_nano', sa.BigInteger(), nullable=True),
    sa.Column('rate_nano', sa.BigInteger(), nullable=False),
    sa.Column('used_nano', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], ),
    sa.PrimaryKeyConstraint('organization_id')
    )
    op.create_table('mpu_meter',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('kernel_id', sa.String(), nullable=False),
    sa.Column('run', sa.String(), nullable=False),
    sa.Column('read_ns', sa.BigInteger(), nullable=False),
    sa.Column('is_running', sa.Boolean(), nullable=False),
    sa.Column('reserved_nano', sa.BigInteger(), nullable=False),
    sa.Column('carry', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('deployment_id')
    )
