import { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { deployPlugin } from './deploy';

/** Everything this extension adds, one small plugin a feature; each can be disabled by its id. */
const plugins: JupyterFrontEndPlugin<void>[] = [deployPlugin];

export default plugins;
