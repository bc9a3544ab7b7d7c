import { LabIcon } from '@jupyterlab/ui-components';

import dashboardSvg from '../style/icons/dashboard.svg';
import deploySvg from '../style/icons/deploy.svg';
import logSvg from '../style/icons/log.svg';
import picselliaSvg from '../style/icons/picsellia.svg';

/** Corners of a bounding box around an arrow that points up. */
export const deployIcon = new LabIcon({ name: 'picsellia-jupyter:deploy', svgstr: deploySvg });

/** Corners of a bounding box around what was found: the sidebar. */
export const picselliaIcon = new LabIcon({
  name: 'picsellia-jupyter:picsellia',
  svgstr: picselliaSvg
});

/** Bars of a chart. */
export const dashboardIcon = new LabIcon({
  name: 'picsellia-jupyter:dashboard',
  svgstr: dashboardSvg
});

/** Lines of text. */
export const logIcon = new LabIcon({ name: 'picsellia-jupyter:log', svgstr: logSvg });
