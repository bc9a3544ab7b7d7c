import { RegistryItem } from './registryrows';
import { IModel, IModelFile, IModelVersion } from './values';

/** The models that were told, which of them are open, and what is searched for. */
export class Registry {
  /** Take what the platform tells; what is open stays so. */
  set models(models: readonly IModel[]) {
    this._models = models;
    this._texts = models.map(model => model.versions.map(version => searched(model, version)));
    if (models.length === 1 && models[0]) {
      this._open.add(models[0].id);
    }
  }

  /** Words that a version's model, name, number, type and framework must all hold. */
  search = '';

  get isEmpty(): boolean {
    return this._models.length === 0;
  }

  /** How many versions there are. */
  get size(): number {
    return this._models.reduce((sum, model) => sum + model.versions.length, 0);
  }

  /** Open or close a model or a version. */
  toggle(id: string, open = !this._open.has(id)): void {
    if (open) {
      this._open.add(id);
    } else {
      this._open.delete(id);
    }
  }

  /** Note the files of a version, or why they cannot be told. */
  tellFiles(versionId: string, files: readonly IModelFile[] | string): void {
    this._files.set(versionId, files);
  }

  /** Whether the files of a version were told. */
  knowsFiles(versionId: string): boolean {
    return typeof this._files.get(versionId) === 'object';
  }

  /** The rows to be seen, and of how many versions; a search opens every model. */
  rows(loading: string): { rows: RegistryItem[]; found: number } {
    const words = this.search.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this._models
      .map((model, index) => ({ model, versions: this._found(model, index, words) }))
      .filter(({ versions }) => words.length === 0 || versions.length > 0);
    const rows: RegistryItem[] = [];
    shown.forEach(({ model, versions }, index) => {
      const open = words.length > 0 || this._open.has(model.id);
      const placed = { at: index + 1, of: shown.length };
      rows.push({ kind: 'model', model, open, found: versions.length, ...placed });
      for (const [at, version] of open ? versions.entries() : []) {
        this._push(rows, version, { at: at + 1, of: versions.length }, loading);
      }
    });
    return { rows, found: shown.reduce((sum, { versions }) => sum + versions.length, 0) };
  }

  private _found(model: IModel, index: number, words: readonly string[]): readonly IModelVersion[] {
    const texts = this._texts[index] ?? [];
    return words.length
      ? model.versions.filter((_, at) => words.every(word => texts[at]?.includes(word)))
      : model.versions;
  }

  private _push(
    rows: RegistryItem[],
    version: IModelVersion,
    placed: { at: number; of: number },
    loading: string
  ): void {
    const open = this._open.has(version.id);
    rows.push({ kind: 'version', version, open, ...placed });
    const files = open ? (this._files.get(version.id) ?? loading) : [];
    const told = typeof files === 'string' ? [{ name: files, filename: '' }] : files;
    told.forEach((file, at) => {
      rows.push({ kind: 'file', version, ...file, at: at + 1, of: told.length });
    });
  }

  private _models: readonly IModel[] = [];
  /** What is searched, by model and version, made once. */
  private _texts: readonly (readonly string[])[] = [];
  private readonly _open = new Set<string>();
  private readonly _files = new Map<string, readonly IModelFile[] | string>();
}

function searched(model: IModel, version: IModelVersion): string {
  const { title, name, type, framework } = version;
  return `${model.name} ${title} ${name} ${type} ${framework}`.toLowerCase();
}
