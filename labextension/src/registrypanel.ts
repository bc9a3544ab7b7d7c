import { TranslationBundle } from '@jupyterlab/translation';
import { Message as LuminoMessage } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { Panel, Widget } from '@lumino/widgets';

import { Message } from './message';
import { Registry } from './registry';
import { RegistryItem, RegistryRows } from './registryrows';
import { AnswerError } from './request';
import { IAsked, RowList } from './rowlist';
import { IPlatform } from './tokens';
import { IModelVersion } from './values';

/** The Private Model Registry: a search, and the tree of models, versions and files. */
export class RegistryPanel extends Panel {
  constructor(
    private readonly _platform: IPlatform,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-PicselliaRegistry');
    this.title.label = _trans.__('Registry');
    this._count = new Widget({ node: document.createElement('span') });
    this._count.addClass('jp-Picsellia-found');
    this._count.node.setAttribute('role', 'status');
    this._list = new RowList(new RegistryRows(_trans), _trans.__('Models and their versions'));
    this._list.id = 'picsellia-registry';
    this._message = new Message({ label: _trans.__('Try again'), run: () => void this.load() });
    [this._searchBox(), this._count, this._message, this._list].forEach(one => this.addWidget(one));
    this._list.asked.connect(this._onAsked, this);
  }

  /** Emitted when a version is to be deployed. */
  get deployAsked(): ISignal<this, IModelVersion> {
    return this._deployAsked;
  }

  /** The version that is selected, itself or by one of its files. */
  get selectedVersion(): IModelVersion | null {
    const item = this._list.selected;
    return item && item.kind !== 'model' ? item.version : null;
  }

  /** What one would type for what is selected. */
  get selectedReference(): string | null {
    const item = this._list.selected;
    return item?.kind === 'model' ? item.model.name : (this.selectedVersion?.title ?? null);
  }

  /** Ask for the models anew. */
  async load(): Promise<void> {
    if (!this._loaded) {
      this._message.say(this._trans.__('Loading the registry…'));
    }
    try {
      this._registry.models = await this._platform.registry();
      this._loaded = true;
      this._message.say('');
    } catch (error) {
      this._fail(error);
      return;
    }
    this._show();
    if (this._registry.isEmpty) {
      const remedy = this._trans.__('Run `picsellia-jupyter demo seed` for some to try.');
      this._message.say(this._trans.__('There are no models yet.'), remedy);
    }
  }

  /** Show or hide the files of a version. */
  async toggleFiles(version: IModelVersion): Promise<void> {
    this._registry.toggle(version.id);
    this._show();
    if (this._registry.knowsFiles(version.id)) {
      return;
    }
    try {
      const files = await this._platform.files(version.id);
      this._registry.tellFiles(version.id, files.length ? files : this._trans.__('No files'));
    } catch (error) {
      const text = error instanceof AnswerError ? error.fact : String(error);
      this._registry.tellFiles(version.id, text);
    }
    this._show();
  }

  protected override onActivateRequest(message: LuminoMessage): void {
    super.onActivateRequest(message);
    this._input.focus();
  }

  private _searchBox(): Widget {
    const box = new Widget();
    box.addClass('jp-PicselliaSearch');
    this._input.type = 'search';
    this._input.className = 'jp-mod-styled';
    this._input.placeholder = this._trans.__('Search models and versions');
    this._input.setAttribute('aria-label', this._input.placeholder);
    this._input.spellcheck = false;
    this._input.oninput = () => {
      this._registry.search = this._input.value;
      this._list.node.scrollTop = 0;
      this._show();
    };
    this._input.onkeydown = event => {
      if (event.key === 'ArrowDown') {
        event.preventDefault();
        this._list.node.focus();
        this._list.select(0);
      }
    };
    box.node.appendChild(this._input);
    return box;
  }

  private _show(): void {
    const { rows, found } = this._registry.rows(this._trans.__('Loading…'));
    this._list.items = rows;
    const all = this._registry.size;
    this._count.node.textContent = this._registry.search
      ? this._trans.__('%1 of %2 versions', found.toLocaleString(), all.toLocaleString())
      : this._trans._n('%1 version', '%1 versions', all);
    this._count.setHidden(all === 0);
  }

  private _onAsked(_: unknown, { item, action }: IAsked<RegistryItem>): void {
    if (item.kind === 'model') {
      this._turn(item, action);
    } else if (action === 'deploy' || action === 'dblclick' || action === 'Enter') {
      this._deployAsked.emit(item.version);
    } else if (item.kind === 'version' && opens(action, item.open)) {
      void this.toggleFiles(item.version);
    }
  }

  private _turn(item: RegistryItem & { kind: 'model' }, action: string): void {
    if (action === 'click' || action === 'Enter' || opens(action, item.open)) {
      this._registry.toggle(item.model.id);
      this._show();
    }
  }

  private _fail(error: unknown): void {
    if (!(error instanceof AnswerError)) {
      throw error;
    }
    this._message.complain(error);
  }

  private _loaded = false;
  private readonly _registry = new Registry();
  private readonly _input = document.createElement('input');
  private readonly _count: Widget;
  private readonly _message: Message;
  private readonly _list: RowList<RegistryItem>;
  private readonly _deployAsked = new Signal<this, IModelVersion>(this);
}

/** Whether an action turns what is open, or closed. */
function opens(action: string, open: boolean): boolean {
  return ['files', ' ', open ? 'ArrowLeft' : 'ArrowRight'].includes(action);
}
