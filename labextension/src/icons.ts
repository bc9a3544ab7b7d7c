import { LabIcon } from '@jupyterlab/ui-components';

import deploySvg from '../style/icons/deploy.svg';

/** Corners of a bounding box around an arrow that points up. */
export const deployIcon = new LabIcon({ name: 'picsellia-jupyter:deploy', svgstr: deploySvg });
