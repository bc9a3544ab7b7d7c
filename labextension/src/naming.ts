/**
 * Give the controls of ipywidgets the names and roles that they lack (8.1): the handle of a slider
 * has no name, and each radio button of a group is a stop for the Tab key.
 */
export function nameControls(form: HTMLElement): void {
  form.querySelectorAll<HTMLElement>('.jupyter-widgets:not(.widget-box)').forEach(widget => {
    const label = widget.querySelector('.widget-label')?.textContent?.trim() ?? '';
    const title = label || widget.getAttribute('title') || '';
    if (title) {
      nameSlider(widget, title);
      nameGroup(widget, title);
    }
  });
}

function nameSlider(widget: HTMLElement, label: string): void {
  widget.querySelectorAll('.noUi-handle').forEach(handle => {
    handle.setAttribute('aria-label', label);
  });
  widget.querySelectorAll('.widget-readout[contenteditable]').forEach(readout => {
    readout.setAttribute('role', 'textbox');
    readout.setAttribute('aria-label', label);
  });
}

function nameGroup(widget: HTMLElement, label: string): void {
  const group = widget.querySelector('.widget-radio-box');
  group?.setAttribute('role', 'radiogroup');
  group?.setAttribute('aria-label', label);
  const radios = widget.querySelectorAll<HTMLInputElement>('.widget-radio-box input[type=radio]');
  const name = radios[0]?.id || label;
  radios.forEach(radio => {
    if (!radio.name) {
      radio.name = name;
    }
  });
}
