import { caretDownIcon, caretRightIcon, fileIcon } from '@jupyterlab/ui-components';
import { TranslationBundle } from '@jupyterlab/translation';

import { append, appendAction, appendIcon } from './drawing';
import { deployIcon } from './icons';
import { IRows } from './rowlist';
import { IModel, IModelVersion } from './values';

/** Which one a row is among its siblings, and how many these are. */
interface IPlaced {
  readonly at: number;
  readonly of: number;
}

export interface IModelItem extends IPlaced {
  readonly kind: 'model';
  readonly model: IModel;
  readonly open: boolean;
  /** How many of its versions are found. */
  readonly found: number;
}

export interface IVersionItem extends IPlaced {
  readonly kind: 'version';
  readonly version: IModelVersion;
  readonly open: boolean;
}

export interface IFileItem extends IPlaced {
  readonly kind: 'file';
  readonly version: IModelVersion;
  /** What is asked for it, or what there is to say instead. */
  readonly name: string;
  readonly filename: string;
}

/** One row of the registry. */
export type RegistryItem = IModelItem | IVersionItem | IFileItem;

/** Draws models, their versions and the files of these as a tree. */
export class RegistryRows implements IRows<RegistryItem> {
  constructor(private readonly _trans: TranslationBundle) {}

  readonly role = 'tree';
  readonly rowHeight = 26;

  key(item: RegistryItem): string {
    switch (item.kind) {
      case 'model':
        return item.model.id;
      case 'version':
        return item.version.id;
      case 'file':
        return `${item.version.id} ${item.name}`;
    }
  }

  draw(item: RegistryItem, row: HTMLElement): void {
    row.dataset['kind'] = item.kind;
    row.setAttribute('aria-posinset', String(item.at));
    row.setAttribute('aria-setsize', String(item.of));
    if (item.kind === 'model') {
      this._drawModel(row, item);
    } else if (item.kind === 'version') {
      this._drawVersion(row, item);
    } else {
      row.setAttribute('aria-level', '3');
      appendIcon(row, fileIcon);
      append(row, 'name', item.name);
      append(row, 'detail', item.filename).title = item.filename;
    }
  }

  private _drawModel(row: HTMLElement, { model, open, found }: IModelItem): void {
    row.setAttribute('aria-level', '1');
    row.setAttribute('aria-expanded', String(open));
    appendIcon(row, open ? caretDownIcon : caretRightIcon, 'caret');
    append(row, 'name', model.name).title = model.name;
    const count = append(row, 'count', found.toLocaleString());
    count.title = this._trans._n('%1 version', '%1 versions', found);
  }

  private _drawVersion(row: HTMLElement, { version, open }: IVersionItem): void {
    row.setAttribute('aria-level', '2');
    row.setAttribute('aria-expanded', String(open));
    const caret = appendIcon(row, open ? caretDownIcon : caretRightIcon, 'caret');
    caret.dataset['action'] = 'files';
    append(row, 'version', String(version.version));
    if (version.name !== `v${version.version}`) {
      append(row, 'name', version.name).title = `${version.title} · ${version.name}`;
    }
    const detail = `${version.type} · ${version.framework}`;
    append(row, 'detail', detail).title = detail;
    const actions = append(row, 'actions');
    appendAction(actions, 'deploy', this._trans.__('Deploy %1…', version.title), deployIcon);
  }
}
