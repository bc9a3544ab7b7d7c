"""The SHA-256 of every blob that comes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('blob_sum',
    sa.Column('connector_id', sa.String(length=36), nullable=False),
    sa.Column('object_name', sa.String(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['connector_id'], ['connector.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('connector_id', 'object_name')
    )
