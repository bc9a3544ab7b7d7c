import { ArrayExt } from '@lumino/algorithm';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

/** Rows beyond those in sight that are drawn too. */
const MARGIN = 6;

/** How a list draws its items. */
export interface IRows<T> {
  /** What assistive tools are told that the list is. */
  readonly role: 'tree' | 'listbox';
  readonly rowHeight: number;
  /** Tells items apart, and what they are when they are told anew. */
  key(item: T): string;
  draw(item: T, row: HTMLElement): void;
}

/** What was asked of an item: `Enter`, `ArrowRight`, …, or the `data-action` of what was clicked. */
export interface IAsked<T> {
  readonly item: T;
  readonly action: string;
}

/**
 * A list of rows of one height, of which only those in sight exist: ten thousand cost as much as
 * ten. One item is selected; the list itself has the focus.
 */
export class RowList<T> extends Widget {
  constructor(
    private readonly _rows: IRows<T>,
    label: string
  ) {
    super();
    this.addClass('jp-PicselliaRows');
    this.node.tabIndex = 0;
    this.node.setAttribute('role', _rows.role);
    this.node.setAttribute('aria-label', label);
    this._sheet = this.node.appendChild(document.createElement('div'));
    this._sheet.className = 'jp-PicselliaRows-sheet';
    this._sheet.setAttribute('role', 'presentation');
  }

  /** Emitted when something is asked of an item. */
  get asked(): ISignal<this, IAsked<T>> {
    return this._asked;
  }

  get items(): readonly T[] {
    return this._items;
  }

  /** Show other items; what was selected stays so where it is still there. */
  set items(items: readonly T[]) {
    this._items = items;
    this.setHidden(items.length === 0); // An empty list is none to assistive tools.
    this._sheet.style.height = `${items.length * this._rows.rowHeight}px`;
    this._draw();
  }

  get selected(): T | null {
    return this._items[this._selectedIndex] ?? null;
  }

  /** Select an item and bring it into sight. */
  select(index: number): void {
    const item = this._items[Math.max(0, Math.min(index, this._items.length - 1))];
    if (item === undefined) {
      return;
    }
    this._selected = this._rows.key(item);
    const top = this._selectedIndex * this._rows.rowHeight;
    const { scrollTop, clientHeight } = this.node;
    if (top < scrollTop) {
      this.node.scrollTop = top;
    } else if (top + this._rows.rowHeight > scrollTop + clientHeight) {
      this.node.scrollTop = top + this._rows.rowHeight - clientHeight;
    }
    this._draw();
  }

  handleEvent(event: Event): void {
    switch (event.type) {
      case 'scroll':
        this._draw();
        break;
      case 'mousedown':
        this._selectAt(event.target as HTMLElement);
        break;
      case 'click':
      case 'dblclick':
        this._ask(event as MouseEvent);
        break;
      case 'keydown':
        this._onKey(event as KeyboardEvent);
    }
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    EVENTS.forEach(type => this.node.addEventListener(type, this));
    this._sizes.observe(this.node);
  }

  protected override onBeforeDetach(message: Message): void {
    this._sizes.disconnect();
    EVENTS.forEach(type => this.node.removeEventListener(type, this));
    super.onBeforeDetach(message);
  }

  private get _selectedIndex(): number {
    return ArrayExt.findFirstIndex(this._items, item => this._rows.key(item) === this._selected);
  }

  private _draw(): void {
    const { rowHeight } = this._rows;
    const first = Math.max(0, Math.floor(this.node.scrollTop / rowHeight) - MARGIN);
    const inSight = Math.ceil(this.node.clientHeight / rowHeight) + 2 * MARGIN;
    const rows = this._items
      .slice(first, first + inSight)
      .map((item, offset) => this._row(item, first + offset));
    this._sheet.replaceChildren(...rows);
    this._mark();
  }

  private _row(item: T, index: number): HTMLElement {
    const row = document.createElement('div');
    row.className = 'jp-PicselliaRow';
    row.id = `${this.id}-${index}`;
    row.dataset['index'] = String(index);
    row.setAttribute('role', this._rows.role === 'tree' ? 'treeitem' : 'option');
    if (this._rows.role === 'listbox') {
      row.setAttribute('aria-setsize', String(this._items.length));
      row.setAttribute('aria-posinset', String(index + 1));
    }
    row.style.top = `${index * this._rows.rowHeight}px`;
    row.style.height = `${this._rows.rowHeight}px`;
    this._rows.draw(item, row);
    return row;
  }

  /** Show which row is selected. The rows stay: a click may have begun on one. */
  private _mark(): void {
    const selected = this._selectedIndex;
    this.node.removeAttribute('aria-activedescendant');
    for (const row of Array.from(this._sheet.children) as HTMLElement[]) {
      const is = row.dataset['index'] === String(selected);
      row.classList.toggle('jp-mod-selected', is);
      row.setAttribute('aria-selected', String(is));
      if (is) {
        this.node.setAttribute('aria-activedescendant', row.id);
      }
    }
  }

  private _indexAt(target: HTMLElement): number {
    return Number(target.closest<HTMLElement>('[data-index]')?.dataset['index'] ?? -1);
  }

  private _selectAt(target: HTMLElement): void {
    const item = this._items[this._indexAt(target)];
    if (item !== undefined) {
      this._selected = this._rows.key(item);
      this._mark();
    }
  }

  private _ask(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const item = this._items[this._indexAt(target)];
    const button = target.closest<HTMLElement>('[data-action]');
    if (item === undefined || (event.type === 'dblclick' && button)) {
      return;
    }
    this.node.focus({ preventScroll: true });
    this._asked.emit({ item, action: button?.dataset['action'] ?? event.type });
  }

  private _onKey(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.node.clientHeight / this._rows.rowHeight) - 1);
    const at = this._selectedIndex;
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this._items.length - 1
    };
    const to = moves[event.key];
    const item = this.selected;
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    if (to !== undefined) {
      this.select(to);
    } else if (item !== null && ['Enter', ' ', 'ArrowLeft', 'ArrowRight'].includes(event.key)) {
      this._asked.emit({ item, action: event.key });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private _items: readonly T[] = [];
  private _selected = '';
  private readonly _sheet: HTMLElement;
  private readonly _sizes = new ResizeObserver(() => this._draw());
  private readonly _asked = new Signal<this, IAsked<T>>(this);
}

const EVENTS = ['scroll', 'mousedown', 'click', 'dblclick', 'keydown'];
