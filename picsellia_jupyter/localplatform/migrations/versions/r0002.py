"""Everything else the SDK can ask of a deployment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    op.create_table('dataset',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    with op.batch_alter_table('dataset', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dataset_created_at'), ['created_at'], unique=False)
    op.create_table('job',
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('report', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('logging_object_name', sa.String(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_job_created_at'), ['created_at'], unique=False)
    op.create_table('logging_line',
    sa.Column('owner_id', sa.String(), nullable=False),
    sa.Column('line_nb', sa.Integer(), nullable=False),
    sa.Column('part', sa.String(), nullable=False),
    sa.Column('log', sa.JSON(), nullable=False),
    sa.Column('final', sa.Boolean(), nullable=False),
    sa.Column('special', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('logging_line', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_logging_line_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_logging_line_order', ['owner_id', 'line_nb'], unique=False)
    op.create_table('project',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    with op.batch_alter_table('project', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_project_created_at'), ['created_at'], unique=False)
    op.create_table('dataset_version',
    sa.Column('dataset_id', sa.String(length=36), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('type', sa.String(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('is_locked', sa.Boolean(), nullable=False),
    sa.Column('attributes', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('dataset_id', 'version')
    )
    with op.batch_alter_table('dataset_version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dataset_version_created_at'), ['created_at'], unique=False)
    op.create_table('experiment',
    sa.Column('project_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('job_status', sa.String(), nullable=True),
    sa.Column('base_experiment_id', sa.String(length=36), nullable=True),
    sa.Column('base_model_version_id', sa.String(length=36), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['base_experiment_id'], ['experiment.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['base_model_version_id'], ['model_version.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('project_id', 'name')
    )
    with op.batch_alter_table('experiment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_experiment_created_at'), ['created_at'], unique=False)
    op.create_table('label_group',
    sa.Column('dataset_version_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('parent_id', sa.String(length=36), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['dataset_version_id'], ['dataset_version.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['parent_id'], ['label_group.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('dataset_version_id', 'name')
    )
    with op.batch_alter_table('label_group', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_label_group_created_at'), ['created_at'], unique=False)
    op.create_table('metadata_schema',
    sa.Column('datalake_id', sa.String(length=36), nullable=False),
    sa.Column('keys', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('allow_extra', sa.Boolean(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['datalake_id'], ['datalake.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('datalake_id')
    )
    with op.batch_alter_table('metadata_schema', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_metadata_schema_created_at'), ['created_at'], unique=False)
    op.create_table('project_dataset',
    sa.Column('project_id', sa.String(length=36), nullable=False),
    sa.Column('dataset_version_id', sa.String(length=36), nullable=False),
    sa.ForeignKeyConstraint(['dataset_version_id'], ['dataset_version.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('project_id', 'dataset_version_id')
    )
    op.create_table('alert',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('operator', sa.String(), nullable=False),
    sa.Column('limit', sa.Double(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_alert_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_alert_deployment_id'), ['deployment_id'], unique=False)
    op.create_table('artifact',
    sa.Column('experiment_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('filename', sa.String(), nullable=False),
    sa.Column('object_name', sa.String(), nullable=False),
    sa.Column('connector_id', sa.String(length=36), nullable=False),
    sa.Column('large', sa.Boolean(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['connector_id'], ['connector.id'], ),
    sa.ForeignKeyConstraint(['experiment_id'], ['experiment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('experiment_id', 'name')
    )
    with op.batch_alter_table('artifact', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_artifact_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_artifact_object_name'), ['object_name'], unique=False)
    op.create_table('asset',
    sa.Column('dataset_version_id', sa.String(length=36), nullable=False),
    sa.Column('data_id', sa.String(length=36), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['data_id'], ['data.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['dataset_version_id'], ['dataset_version.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('dataset_version_id', 'data_id')
    )
    with op.batch_alter_table('asset', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_asset_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_asset_data_id'), ['data_id'], unique=False)
        batch_op.create_index('ix_asset_page', ['dataset_version_id', 'created_at', 'id'], unique=False)
    op.create_table('dataset_label',
    sa.Column('dataset_version_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.String(length=36), nullable=True),
    sa.Column('attributes', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('skeleton', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['dataset_version_id'], ['dataset_version.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['group_id'], ['label_group.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('dataset_version_id', 'name')
    )
    with op.batch_alter_table('dataset_label', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dataset_label_created_at'), ['created_at'], unique=False)
    op.create_table('experiment_dataset',
    sa.Column('experiment_id', sa.String(length=36), nullable=False),
    sa.Column('dataset_version_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['dataset_version_id'], ['dataset_version.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['experiment_id'], ['experiment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('experiment_id', 'dataset_version_id'),
    sa.UniqueConstraint('experiment_id', 'name')
    )
    with op.batch_alter_table('experiment_dataset', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_experiment_dataset_created_at'), ['created_at'], unique=False)
    op.create_table('experiment_log',
    sa.Column('experiment_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('type', sa.String(), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['experiment_id'], ['experiment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('experiment_id', 'name')
    )
    with op.batch_alter_table('experiment_log', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_experiment_log_created_at'), ['created_at'], unique=False)
    op.create_table('logging_file',
    sa.Column('experiment_id', sa.String(length=36), nullable=False),
    sa.Column('object_name', sa.String(), nullable=False),
    sa.Column('connector_id', sa.String(length=36), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['connector_id'], ['connector.id'], ),
    sa.ForeignKeyConstraint(['experiment_id'], ['experiment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('experiment_id')
    )
    with op.batch_alter_table('logging_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_logging_file_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_logging_file_object_name'), ['object_name'], unique=False)
    op.create_table('pipeline',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('feedback_set_up', sa.Boolean(), nullable=False),
    sa.Column('feedback_active', sa.Boolean(), nullable=False),
    sa.Column('training_data_id', sa.String(length=36), nullable=True),
    sa.Column('training_settings', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('training_active', sa.Boolean(), nullable=False),
    sa.Column('deployment_policy', sa.String(), nullable=True),
    sa.Column('deployment_active', sa.Boolean(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['training_data_id'], ['dataset_version.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('deployment_id')
    )
    with op.batch_alter_table('pipeline', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pipeline_created_at'), ['created_at'], unique=False)
    op.create_table('pipeline_dataset',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('dataset_version_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['dataset_version_id'], ['dataset_version.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('deployment_id', 'role', 'dataset_version_id')
    )
    with op.batch_alter_table('pipeline_dataset', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pipeline_dataset_created_at'), ['created_at'], unique=False)
    op.create_table('projection',
    sa.Column('data_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('filename', sa.String(), nullable=False),
    sa.Column('object_name', sa.String(), nullable=False),
    sa.Column('content_type', sa.String(), nullable=False),
    sa.Column('file_size', sa.Integer(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=True),
    sa.Column('height', sa.Integer(), nullable=True),
    sa.Column('infos', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['data_id'], ['data.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('data_id', 'name')
    )
    with op.batch_alter_table('projection', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_projection_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_projection_object_name'), ['object_name'], unique=False)
    op.create_table('review_campaign',
    sa.Column('deployment_id', sa.String(length=36), nullable=False),
    sa.Column('description', sa.String(), nullable=True),
    sa.Column('instructions_text', sa.String(), nullable=True),
    sa.Column('instructions_object_name', sa.String(), nullable=True),
    sa.Column('end_date', sa.String(), nullable=True),
    sa.Column('auto_add_new_assets', sa.Boolean(), nullable=False),
    sa.Column('auto_close_on_completion', sa.Boolean(), nullable=False),
    sa.Column('default_entry_step_id', sa.String(), nullable=True),
    sa.Column('closed_at', sa.Double(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['deployment_id'], ['deployment.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('deployment_id')
    )
    with op.batch_alter_table('review_campaign', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_campaign_created_at'), ['created_at'], unique=False)
    op.create_table('annotation',
    sa.Column('asset_id', sa.String(length=36), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('duration', sa.Double(), nullable=False),
    sa.Column('attributes', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('asset_id')
    )
    with op.batch_alter_table('annotation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_annotation_created_at'), ['created_at'], unique=False)
    op.create_table('campaign_step',
    sa.Column('campaign_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('type', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('description', sa.String(), nullable=True),
    sa.Column('sample_rate', sa.Double(), nullable=True),
    sa.Column('assignees', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['review_campaign.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('campaign_step', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_campaign_step_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_campaign_step_order', ['campaign_id', 'position'], unique=False)
    op.create_table('fired_alert',
    sa.Column('alert_id', sa.String(length=36), nullable=False),
    sa.Column('oracle_prediction_id', sa.String(), nullable=False),
    sa.Column('value', sa.Double(), nullable=False),
    sa.Column('at', sa.Double(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('fired_alert', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_fired_alert_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_fired_alert_page', ['alert_id', 'created_at', 'id'], unique=False)
    op.create_table('assignment',
    sa.Column('campaign_id', sa.String(length=36), nullable=False),
    sa.Column('step_id', sa.String(length=36), nullable=False),
    sa.Column('predicted_asset_id', sa.String(length=36), nullable=False),
    sa.Column('assigned_user_id', sa.String(length=36), nullable=True),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['assigned_user_id'], ['user.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['campaign_id'], ['review_campaign.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['predicted_asset_id'], ['predicted_asset.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['step_id'], ['campaign_step.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('campaign_id', 'predicted_asset_id')
    )
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_assignment_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_assignment_page', ['campaign_id', 'created_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_assignment_predicted_asset_id'), ['predicted_asset_id'], unique=False)
    op.create_table('shape',
    sa.Column('annotation_id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('label_id', sa.String(length=36), nullable=False),
    sa.Column('geometry', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('text', sa.String(), nullable=True),
    sa.Column('attributes', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['annotation_id'], ['annotation.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['label_id'], ['dataset_label.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('shape', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_shape_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_shape_label_id'), ['label_id'], unique=False)
        batch_op.create_index('ix_shape_order', ['annotation_id', 'kind', 'position'], unique=False)
    with op.batch_alter_table('predicted_asset', schema=None) as batch_op:
        batch_op.add_column(sa.Column('review_state', sa.String(), server_default='TO_REVIEW', nullable=False))
    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.add_column(sa.Column('author_id', sa.String(length=36), nullable=True))
        batch_op.create_foreign_key('fk_review_author_id', 'user', ['author_id'], ['id'], ondelete='SET NULL')
