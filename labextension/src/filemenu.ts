import { ILabShell, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, ISessionContextDialogs } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from './commandids';
import { choose } from './deploymentcommands';
import { picselliaIcon } from './icons';
import { Notebooks, quoted } from './notebooks';
import { IPlatform } from './tokens';

/** What `%predict` reads. */
const IMAGES = ['.jpg', '.jpeg', '.png', '.webp', '.bmp', '.gif', '.tif', '.tiff'];

/** "Predict with…" in the context menu of images, and in the palette. */
export const fileMenuPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:files',
  description: 'Adds "Predict with…" to the context menu of images in the file browser.',
  autoStart: true,
  requires: [IPlatform],
  optional: [
    IFileBrowserFactory,
    INotebookTracker,
    ICommandPalette,
    ITranslator,
    ISessionContextDialogs,
    ILabShell
  ],
  activate: (
    app: JupyterFrontEnd,
    platform: IPlatform,
    browsers: IFileBrowserFactory | null,
    tracker: INotebookTracker | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    sessionDialogs: ISessionContextDialogs | null,
    labShell: ILabShell | null
  ): void => {
    if (!browsers) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('picsellia_jupyter');
    const notebooks = new Notebooks(app, tracker, sessionDialogs, labShell !== null);
    const title = trans.__('Predict with…');
    app.commands.addCommand(CommandIDs.predict, {
      label: title,
      caption: trans.__('Predict on the selected images with a deployment'),
      icon: picselliaIcon,
      isEnabled: () => notebooks.available && selectedImages(browsers).length > 0,
      isVisible: () => selectedImages(browsers).length > 0,
      execute: async () => {
        const paths = selectedImages(browsers);
        await platform.wake();
        const ready = platform.overview?.deployments.filter(one => one.running) ?? [];
        const deployment = await choose(ready, title, trans);
        const folder = PathExt.dirname(paths[0] ?? '');
        const panel = deployment && paths[0] ? await notebooks.currentOrNew(folder) : null;
        if (panel && deployment) {
          const images = paths.map(path => quoted(notebooks.fromNotebook(path))).join(' ');
          const line = `%predict ${images} --on ${quoted(deployment.name)}`;
          await notebooks.run(panel, line, platform.preferences.platform);
        }
      }
    });
    app.contextMenu.addItem({
      command: CommandIDs.predict,
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 3
    });
    palette?.addItem({ command: CommandIDs.predict, category: trans.__('Picsellia') });
  }
};

/** The selected files, if all are images. */
function selectedImages(browsers: IFileBrowserFactory): string[] {
  const selected = Array.from(browsers.tracker.currentWidget?.selectedItems() ?? []);
  const paths = selected.map(item => item.path);
  return paths.every(path => IMAGES.includes(PathExt.extname(path).toLowerCase())) ? paths : [];
}
