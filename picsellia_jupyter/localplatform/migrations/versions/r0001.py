"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('connector',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('root', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    with op.batch_alter_table('connector', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_connector_created_at'), ['created_at'], unique=False)

    op.create_table('data_source',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    with op.batch_alter_table('data_source', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_data_source_created_at'), ['created_at'], unique=False)

    op.create_table('model',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    with op.batch_alter_table('model', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_model_created_at'), ['created_at'], unique=False)

    op.create_table('tag',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('target_type', sa.String(), nullable=False),
    sa.Column('scope_id', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('scope_id', 'target_type', 'name')
    )
    with op.batch_alter_table('tag', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tag_created_at'), ['created_at'], unique=False)

    op.create_table('user',
    sa.Column('username', sa.String(), nullable=False),
    sa.Column('token_hash', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('username')
    )
    with op.batch_alter_table('user', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_user_created_at'), ['created_at'], unique=False)

    op.create_table('datalake',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('connector_id', sa.String(length=36), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['connector_id'], ['connector.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    with op.batch_alter_table('datalake', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_datalake_created_at'), ['created_at'], unique=False)

    op.create_table('model_version',
    sa.Column('model_id', sa.String(length=36), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('type', sa.String(), nullable=False),
    sa.Column('framework', sa.String(), nullable=False),
    sa.Column('labels', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('settings', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['model_id'], ['model.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('model_id', 'name'),
    sa.UniqueConstraint('model_id', 'version')
    )
    with op.batch_alter_table('model_version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_model_version_created_at'), ['created_at'], unique=False)

    op.create_table('organization',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('default_connector_id', sa.String(length=36), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['default_connector_id'], ['connector.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_organization_created_at'), ['created_at'], unique=False)

    op.create_table('tag_link',
    sa.Column('tag_id', sa.String(length=36), nullable=False),
    sa.Column('target_id', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['tag_id'], ['tag.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tag_id', 'target_id')
    )
    with op.batch_alter_table('tag_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tag_link_target_id'), ['target_id'], unique=False)

    op.create_table('data',
    sa.Column('datalake_id', sa.String(length=36), nullable=False),
    sa.Column('object_name', sa.String(), nullable=False),
    sa.Column('filename', sa.String(), nullable=False),
    sa.Column('type', sa.String(), nullable=False),
    sa.Column('content_type', sa.String(), nullable=False),
    sa.Column('upload_status', sa.String(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=True),
    sa.Column('height', sa.Integer(), nullable=True),
    sa.Column('metadata', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('custom_metadata', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('data_source_id', sa.String(length=36), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['data_source_id'], ['data_source.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['datalake_id'], ['datalake.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('datalake_id', 'object_name')
    )
    with op.batch_alter_table('data', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_data_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_data_filename', ['datalake_id', 'filename'], unique=False)
        batch_op.create_index('ix_data_object_name', ['object_name'], unique=False)
        batch_op.create_index('ix_data_page', ['datalake_id', 'created_at', 'id'], unique=False)

    op.create_table('deployment',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('type', sa.String(), nullable=False),
    sa.Column('model_version_id', sa.String(length=36), nullable=False),
    sa.Column('shadow_model_version_id', sa.String(length=36), nullable=True),
    sa.Column('min_threshold', sa.Double(), nullable=True),
    sa.Column('sample_rate', sa.Double(), nullable=False),
    sa.Column('target_datalake_id', sa.String(length=36), nullable=False),
    sa.Column('disable_serving', sa.Boolean(), nullable=False),
    sa.Column('inferences', sa.Integer(), nullable=False),
    sa.Column('serving_state', sa.String(), nullable=True),
    sa.Column('serving_reason', sa.String(), nullable=False),
    sa.Column('serving_reported_at', sa.Double(), nullable=True),
    sa.Column('serving_kernel', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], ),
    sa.ForeignKeyConstraint(['shadow_model_version_id'], ['model_version.id'], ),
    sa.ForeignKeyConstraint(['target_datalake_id'], ['datalake.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    with op.batch_alter_table('deployment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_deployment_created_at'), ['created_at'], unique=False)

    op.create_table('model_context',
    sa.Column('version_id', sa.String(length=36), nullable=False),
    sa.Column('datas', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('parameters', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('experiment_id', sa.String(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['version_id'], ['model_version.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('version_id')
    )
    with op.batch_alter_table('model_context', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_model_context_created_at'), ['created_at'], unique=False)

    op.create_table('model_file',
    sa.Column('version_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('filename', sa.String(), nullable=False),
    sa.Column('object_name', sa.String(), nullable=False),
    sa.Column('connector_id', sa.String(length=36), nullable=False),
    sa.Column('large', sa.Boolean(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['connector_id'], ['connector.id'], ),
    sa.ForeignKeyConstraint(['version_id'], ['model_version.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('version_id', 'name')
    )
    with op.batch_alter_table('model_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_model_file_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_model_file_object_name'), ['object_name'], unique=False)

    op.create_table('deployment_label',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('deployment_id', 'name')
    )
    op.create_table('predicted_asset',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('oracle_prediction_id', sa.String(), nullable=False),
    sa.Column('data_id', sa.String(length=36), nullable=False),
    sa.Column('custom_metrics', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['data_id'], ['data.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('deployment_id', 'oracle_prediction_id')
    )
    with op.batch_alter_table('predicted_asset', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_predicted_asset_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_predicted_asset_data_id'), ['data_id'], unique=False)
        batch_op.create_index('ix_predicted_asset_page', ['deployment_id', 'created_at', 'id'], unique=False)

    op.create_table('prediction',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('oracle_prediction_id', sa.String(), nullable=False),
    sa.Column('is_shadow', sa.Boolean(), nullable=False),
    sa.Column('model_version_id', sa.String(length=36), nullable=False),
    sa.Column('predicted_asset_id', sa.String(length=36), nullable=True),
    sa.Column('at', sa.Double(), nullable=False),
    sa.Column('latency', sa.Double(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('source', sa.String(), nullable=True),
    sa.Column('tags', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('classes', sa.LargeBinary(), nullable=False),
    sa.Column('scores', sa.LargeBinary(), nullable=False),
    sa.Column('raw', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], ),
    sa.ForeignKeyConstraint(['predicted_asset_id'], ['predicted_asset.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('deployment_id', 'oracle_prediction_id', 'is_shadow')
    )
    with op.batch_alter_table('prediction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_prediction_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_prediction_predicted_asset_id'), ['predicted_asset_id'], unique=False)
        batch_op.create_index('ix_prediction_time', ['deployment_id', 'is_shadow', 'at'], unique=False)

    op.create_table('review',
    sa.Column('predicted_asset_id', sa.String(length=36), nullable=False),
    sa.Column('shapes', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['predicted_asset_id'], ['predicted_asset.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_review_predicted_asset_id'), ['predicted_asset_id'], unique=False)
