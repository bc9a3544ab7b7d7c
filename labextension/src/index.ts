import { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { deployPlugin } from './deploy';
import { dialogPlugin } from './dialog';
import { fileMenuPlugin } from './filemenu';
import { noticesPlugin } from './notices';
import { panelsPlugin } from './panels';
import { platformPlugin } from './platform';
import { sidebarPlugin } from './sidebar';
import { statusPlugin } from './statusitem';
import { IPlatform } from './tokens';

/** Everything this extension adds, one small plugin a feature; each can be disabled by its id. */
const plugins: (JupyterFrontEndPlugin<void> | JupyterFrontEndPlugin<IPlatform>)[] = [
  platformPlugin,
  deployPlugin,
  dialogPlugin,
  sidebarPlugin,
  statusPlugin,
  fileMenuPlugin,
  noticesPlugin,
  panelsPlugin
];

export default plugins;
