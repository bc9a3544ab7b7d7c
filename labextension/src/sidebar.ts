import {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Clipboard, ICommandPalette, ISessionContextDialogs } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';
import { copyIcon, fileIcon, refreshIcon, SidePanel } from '@jupyterlab/ui-components';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Message } from '@lumino/messaging';
import { IDisposable } from '@lumino/disposable';

import { CommandIDs } from './commandids';
import { addDeploymentCommands } from './deploymentcommands';
import { DeploymentsPanel } from './deploymentspanel';
import { deployIcon, picselliaIcon } from './icons';
import { Notebooks } from './notebooks';
import { RegistryPanel } from './registrypanel';
import { IPlatform } from './tokens';

const ID = 'picsellia-sidebar';

/** The registry above, the deployments below; asks the platform while it is in sight. */
class Sidebar extends SidePanel {
  constructor(
    private readonly _platform: IPlatform,
    trans: TranslationBundle
  ) {
    super();
    this.id = ID;
    this.addClass('jp-PicselliaSidebar');
    this.title.icon = picselliaIcon;
    this.title.caption = trans.__('Picsellia');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Picsellia'));
    this.registry = new RegistryPanel(_platform, trans);
    this.deployments = new DeploymentsPanel(_platform, trans);
    this.addWidget(this.registry);
    this.addWidget(this.deployments);
  }

  readonly registry: RegistryPanel;
  readonly deployments: DeploymentsPanel;

  /** Ask for everything anew. */
  async refresh(): Promise<void> {
    await Promise.all([this._platform.wake(), this.registry.load()]);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._watching ??= this._platform.watch();
    void this.refresh();
  }

  protected override onBeforeHide(message: Message): void {
    this._watching?.dispose();
    this._watching = null;
    super.onBeforeHide(message);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.registry.activate();
  }

  private _watching: IDisposable | null = null;
}

/** The sidebar "Picsellia", which works with no notebook open, and the commands on what it lists. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'picsellia-jupyter:sidebar',
  description: 'Adds the registry and the deployments to the left sidebar.',
  autoStart: true,
  requires: [IPlatform],
  optional: [
    INotebookTracker,
    ICommandPalette,
    ITranslator,
    ISessionContextDialogs,
    ILabShell,
    ILayoutRestorer
  ],
  activate: (
    app: JupyterFrontEnd,
    platform: IPlatform,
    tracker: INotebookTracker | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    sessionDialogs: ISessionContextDialogs | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('picsellia_jupyter');
    const notebooks = new Notebooks(app, tracker, sessionDialogs, labShell !== null);
    const sidebar = new Sidebar(platform, trans);
    app.shell.add(sidebar, 'left', { rank: 450, type: 'Picsellia' });
    restorer?.add(sidebar, ID);

    addSidebarCommands(app, sidebar, trans);
    addDeploymentCommands({
      app,
      platform,
      notebooks,
      trans,
      selected: () => sidebar.deployments.selected
    });
    addMenu(app);
    for (const command of [
      CommandIDs.show,
      CommandIDs.refresh,
      CommandIDs.deploySelected,
      CommandIDs.files,
      CommandIDs.copyReference,
      CommandIDs.dashboard,
      CommandIDs.log,
      CommandIDs.training,
      CommandIDs.stop
    ]) {
      palette?.addItem({ command, category: trans.__('Picsellia'), args: { isPalette: true } });
    }

    const { commands } = app;
    sidebar.registry.deployAsked.connect((_, version) => {
      void commands.execute(CommandIDs.deploy, { model: version.title });
    });
    sidebar.deployments.asked.connect((_, { deployment, action }) => {
      void commands.execute(`picsellia:${action}`, { id: deployment.id });
    });
  }
};

function addSidebarCommands(
  app: JupyterFrontEnd,
  sidebar: Sidebar,
  trans: TranslationBundle
): void {
  const { commands, shell } = app;
  commands.addCommand(CommandIDs.show, {
    label: trans.__('Show registry and deployments'),
    icon: picselliaIcon,
    execute: () => shell.activateById(ID)
  });
  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh registry and deployments'),
    icon: refreshIcon,
    execute: () => sidebar.refresh()
  });
  // In the palette a command says what it is of.
  const named =
    (short: string, long: string) =>
    (args: ReadonlyPartialJSONObject): string =>
      args['isPalette'] ? long : short;
  commands.addCommand(CommandIDs.files, {
    label: named(
      trans.__('Show or hide files'),
      trans.__('Show or hide the files of the selected version')
    ),
    icon: fileIcon,
    isVisible: () => sidebar.registry.selectedVersion !== null,
    execute: async () => {
      const version = sidebar.registry.selectedVersion;
      if (version) {
        await sidebar.registry.toggleFiles(version);
      }
    }
  });
  commands.addCommand(CommandIDs.deploySelected, {
    label: named(trans.__('Deploy…'), trans.__('Deploy the selected version…')),
    icon: deployIcon,
    isVisible: () => sidebar.registry.selectedReference !== null,
    execute: () =>
      commands.execute(CommandIDs.deploy, { model: sidebar.registry.selectedReference })
  });
  commands.addCommand(CommandIDs.copyReference, {
    label: named(
      trans.__('Copy reference'),
      trans.__('Copy the reference of the selected version')
    ),
    caption: trans.__('As one would type it: MODEL:VERSION'),
    icon: copyIcon,
    isVisible: () => sidebar.registry.selectedReference !== null,
    execute: () => Clipboard.copyToSystem(sidebar.registry.selectedReference ?? '')
  });
}

/** The context menus of the rows; JupyterLab opens them by mouse and by key. */
function addMenu(app: JupyterFrontEnd): void {
  const { contextMenu } = app;
  const registry = '.jp-PicselliaRegistry .jp-PicselliaRows';
  [CommandIDs.deploySelected, CommandIDs.files, CommandIDs.copyReference].forEach((command, rank) =>
    contextMenu.addItem({ command, selector: registry, rank })
  );
  const deployments = '.jp-PicselliaDeployments .jp-PicselliaRows';
  [CommandIDs.dashboard, CommandIDs.log, CommandIDs.training, CommandIDs.stop].forEach(
    (command, rank) =>
      contextMenu.addItem({ command, args: { selected: true }, selector: deployments, rank })
  );
}
