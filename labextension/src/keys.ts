/** What our widgets in a notebook have in common: forms, panels and guides. */
const FORMS = '.pxj-form';
/** Keys that move among controls and press them; all others stay the notebook's. */
const OWN = [
  ...['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Home', 'End', 'PageUp', 'PageDown'],
  ...['Enter', ' ']
];

/**
 * Have shortcuts leave those keys to a form that has the focus: Notebook 7 asks its shortcuts first,
 * and would move to another cell where the tabs of a panel wait for an arrow.
 */
export function leaveKeysToForms(): void {
  const mark = (event: KeyboardEvent): void => {
    const { target, key, ctrlKey, altKey, metaKey, shiftKey } = event;
    if (target instanceof Element && target.closest(FORMS)) {
      const isOwn = OWN.includes(key) && !(ctrlKey || altKey || metaKey || shiftKey);
      // At the very control: a shortcut's selector may match it before anything around it is asked.
      target.toggleAttribute('data-lm-suppress-shortcuts', isOwn);
    }
  };
  // Before the application itself, which listens at the document.
  window.addEventListener('keydown', mark, true);
}
