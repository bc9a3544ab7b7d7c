import { LabIcon } from '@jupyterlab/ui-components';

/** Append an element with a class and a text. */
export function append(parent: HTMLElement, part: string, text = ''): HTMLElement {
  const node = parent.appendChild(document.createElement('span'));
  node.className = `jp-Picsellia-${part}`;
  node.textContent = text;
  return node;
}

/** Append an icon that says nothing which is not said beside it. */
export function appendIcon(parent: HTMLElement, icon: LabIcon, part = 'icon'): HTMLElement {
  const node = append(parent, part);
  node.setAttribute('aria-hidden', 'true');
  icon.element({ container: node, tag: 'span', stylesheet: 'listing' });
  node.className = `jp-Picsellia-${part}`;
  return node;
}

/**
 * Append a button of a row. The keys and the context menu of the row do the same, so that the Tab
 * key need not stop at each of ten thousand.
 */
export function appendAction(
  parent: HTMLElement,
  action: string,
  label: string,
  icon: LabIcon
): void {
  const button = parent.appendChild(document.createElement('button'));
  button.type = 'button';
  button.tabIndex = -1;
  button.className = 'jp-Picsellia-action';
  button.dataset['action'] = action;
  button.title = label;
  button.setAttribute('aria-label', label);
  icon.element({ container: button, stylesheet: 'menuItem' });
  button.className = 'jp-Picsellia-action';
}
