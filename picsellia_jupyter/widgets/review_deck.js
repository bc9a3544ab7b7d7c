// The deck of a review: one image after another, keyboard first. Decides nothing: the kernel does.

const KEYS = [
  ['A', 'Accept what is drawn, go on'], ['R', 'Reject: nothing of it is there, go on'],
  ['N or →', 'Next, undecided'], ['P or ←', 'Back'], ['1 … 9', 'Label of the selected shape, or class'],
  ['↓ and ↑', 'Select the next shape, the one before'], ['D', 'Draw: drag a box, or click points; Enter ends an outline'],
  ['B', 'Add a shape in the middle'], ['Shift + arrows', 'Move the selected shape; with Alt resize it'],
  ['Del', 'Delete the selected shape or point'], ['Ctrl + Z', 'Undo'], ['H', 'Hide all shapes'],
  ['+ − 0', 'Zoom; Ctrl + wheel too'], ['Esc', 'Let go; then close'], ['?', 'These keys']
]; // prettier-ignore
const HOW = { box: 'drag a box', polygon: 'click points, Enter ends', line: 'click points, Enter ends' };
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made[key] = value;
    else if (value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter(child => child !== null));
  return made;
}

function render({ model, el: root }) {
  const photos = new Map();
  // Edits are numbered, so that what the kernel says of an earlier one does not undo a later.
  let serial = 0;
  let shown = null;
  let helping = false;
  let deck = model.get('deck');
  const editor = createEditor(shapes => tell('edit', { shapes, serial: ++serial }), looked);
  const { canvas, state } = editor;
  const tell = (what, more = {}) => model.send({ do: what, asset: deck.asset, ...more });
  const decide = what => tell(what, { shapes: plain(), serial });
  const plain = () => state.shapes.map(({ label, points, mask }) => ({ label, points, mask }));

  const button = (text, key, act, extra = '') =>
    el('button', { type: 'button', class: `pxd-button ${extra}`, onclick: act, 'aria-keyshortcuts': key || null },
      text, key ? el('kbd', { 'aria-hidden': 'true' }, key) : null); // prettier-ignore
  const accept = button('Accept', 'A', () => decide('accept'), 'pxd-accept');
  const reject = button('Reject', 'R', () => decide('reject'));
  const back = button('Back', 'P', () => tell('back'));
  const next = button('Next', 'N', () => tell('next'));
  const undo = button('Undo', 'Ctrl+Z', () => tell('undo'));
  const draw = button('Draw', 'D', () => editor.toggle('drawing'));
  const remove = button('Delete', 'Del', () => editor.remove());
  const keys = button('Keys', '?', help);
  const submit = button('Submit…', '', () => tell('ask'));
  const close = button('Close', '', () => tell('close'));
  const title = el('p', { class: 'pxd-title' });
  const status = el('p', { class: 'pxd-status', role: 'status' });
  const banner = el('div', { class: 'pxd-banner', role: 'alert' });
  const labels = el('div', { class: 'pxd-labels', role: 'group', 'aria-label': 'Labels' });
  const told = el('p', { class: 'pxd-told', 'aria-live': 'polite' });
  const list = el('dl', { class: 'pxd-keys' }, ...KEYS.flatMap(([key, text]) => [el('dt', {}, key), el('dd', {}, text)]));
  const stage = el('div', { class: 'pxd-stage' }, canvas);
  const frame = el('div', { class: 'pxd', role: 'group', 'data-lm-suppress-shortcuts': 'true' },
    el('div', { class: 'pxd-head' }, title, status), banner,
    el('div', { class: 'pxd-main' }, stage, el('div', { class: 'pxd-side' }, labels, told)),
    el('div', { class: 'pxd-foot' }, accept, reject, back, next, undo, draw, remove, el('span', { class: 'pxd-gap' }), keys, submit, close),
    list); // prettier-ignore
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'application');
  root.append(frame);

  function help() {
    helping = !helping;
    looked();
  }

  // Showing -----------------------------------------------------------------------------------

  function update() {
    deck = model.get('deck');
    const isNew = shown != deck.asset;
    // What was drawn here since is newer than what the kernel says of it.
    const late = !isNew && deck.serial < serial && !deck.undone;
    if (isNew || deck.undone) serial = deck.serial;
    shown = deck.asset;
    if (deck.asset && !late) {
      const { w, h, form, shapes, theirs } = deck;
      const colours = Object.fromEntries(deck.labels.map(([name, ...rest]) => [name, rest]));
      const label = deck.labels.some(([name]) => name == state.label) ? state.label : (deck.labels[0] || [''])[0];
      editor.show({ w, h, form, shapes, theirs, labels: colours, label, locked: !!deck.conflict || deck.final }, isNew);
    }
    const url = photos.get(deck.asset);
    if (url) editor.photo(url);
    else if (deck.asset && isNew) tell('photo');
    stage.classList.toggle('pxd-empty', !url);
    fit();
    title.textContent = deck.title;
    status.textContent = deck.status;
    ask();
    looked();
  }

  /** As large as it fits without scrolling. */
  function fit() {
    const room = Math.min(window.innerHeight * 0.62, 900);
    canvas.style.maxWidth = deck.asset ? `${Math.round((room * deck.w) / deck.h)}px` : '';
    editor.paint();
  }

  function ask() {
    const says = deck.conflict || deck.asking || deck.trouble;
    banner.replaceChildren();
    banner.hidden = !says;
    if (!says) return;
    const choices = deck.conflict
      ? [button('Keep mine', 'M', () => tell('mine')), button('Take theirs', 'T', () => tell('theirs'))]
      : deck.asking
        ? [button('Submit', '', () => tell('submit'), 'pxd-accept'), button('Not yet', '', () => tell('unask'))]
        : [];
    banner.append(el('p', {}, says), ...choices);
    if (deck.asking) banner.querySelector('button:last-child').focus();
  }

  function looked() {
    const chosen = state.shapes[state.chosen];
    const current = state.form == 'class' ? (state.shapes[0] || {}).label : chosen ? chosen.label : state.label;
    const closed = !deck.asset || !!deck.conflict || deck.busy;
    const fixed = closed || deck.final;
    for (const one of [accept, draw, remove]) one.disabled = fixed;
    reject.disabled = fixed || state.form == 'class';
    next.disabled = !!deck.conflict || deck.busy || deck.place >= deck.total;
    back.disabled = deck.place < 1 || !!deck.conflict || deck.busy;
    // The kernel may not have heard of the last edits yet.
    undo.disabled = (!deck.can_undo && serial <= deck.serial) || deck.busy;
    submit.disabled = !deck.reviewed || deck.busy || !!deck.asking;
    close.disabled = deck.busy;
    remove.disabled ||= !chosen || state.form == 'class';
    draw.disabled ||= state.form == 'class' || state.form == 'mask';
    draw.setAttribute('aria-pressed', String(state.drawing));
    keys.setAttribute('aria-expanded', String(helping));
    list.hidden = !helping;
    told.textContent = words(chosen);
    canvas.setAttribute('aria-label', `${deck.title}. ${told.textContent}`);
    if (labels.childElementCount != deck.labels.length) labels.replaceChildren(...deck.labels.map(choice));
    [...labels.children].forEach((one, i) => {
      one.disabled = fixed;
      one.setAttribute('aria-pressed', String(!!deck.labels[i] && deck.labels[i][0] == current));
    });
  }

  const choice = ([name, colour], i) =>
    el('button', { type: 'button', class: 'pxd-label', onclick: () => editor.relabel(name), title: name },
      el('i', { style: `background:${colour}` }), el('b', {}, name), i < 9 ? el('kbd', { 'aria-hidden': 'true' }, String(i + 1)) : null); // prettier-ignore

  function words(chosen) {
    if (!deck.asset) return '';
    if (state.form == 'class') return state.shapes.length ? `Class: ${state.shapes[0].label}` : 'No class yet';
    const n = state.shapes.length;
    const count = n == 1 ? '1 shape' : `${n} shapes`;
    if (state.drawing) return `${count} · drawing ${state.label}: ${HOW[state.form] || 'click'}`;
    if (!chosen) return count;
    const xs = chosen.points.map(([x, y]) => `${Math.round(x)}, ${Math.round(y)}`).slice(0, 2).join(' to ');
    return `${state.chosen + 1} of ${count}: ${chosen.label}${xs ? ` at ${xs}` : ''}`;
  }

  // Keys --------------------------------------------------------------------------------------

  const single = {
    a: () => accept.click(), r: () => reject.click(), n: () => next.click(), p: () => back.click(),
    d: () => draw.click(), h: () => editor.toggle('hidden'), b: () => draw.disabled || editor.plant(),
    '?': help, '+': () => editor.zoom(1.25), '=': () => editor.zoom(1.25), '-': () => editor.zoom(0.8),
    0: () => editor.zoom(0), m: () => deck.conflict && tell('mine'), t: () => deck.conflict && tell('theirs'),
    delete: () => remove.click(), backspace: () => remove.click()
  }; // prettier-ignore

  function act(event) {
    const name = event.key.toLowerCase();
    const arrow = ARROWS[event.key];
    if ((event.ctrlKey || event.metaKey) && name == 'z') return undo.click(), true;
    if (event.ctrlKey || event.metaKey) return false;
    if (arrow && event.shiftKey) return editor.nudge(...arrow, event.altKey), true;
    if (arrow && arrow[0]) return (arrow[0] > 0 ? next : back).click(), true;
    if (arrow) return editor.step(arrow[1]), true;
    if (event.altKey) return false;
    if (name == 'escape') return deck.asking ? (tell('unask'), true) : !!deck.asset && editor.leave();
    if (name == 'enter' && state.begun.length) return editor.finish(), true;
    const label = /^[1-9]$/.test(name) && labels.children[name - 1];
    if (label) return label.click(), true;
    if (!single[name]) return false;
    single[name]();
    return true;
  }

  // A button that is disabled while it has the focus drops it; the deck keeps its keys then.
  let inside = true;
  const watch = event => (inside = frame.contains(event.target));

  /** Before the notebook's own shortcuts, and a dialog's, but only with the focus in the deck. */
  function keyed(event) {
    const dropped = inside && event.target == document.body;
    if (!dropped && !frame.contains(event.target)) return;
    if (!act(event)) {
      // A dialog hears only what happens inside it.
      if (!dropped || event.key != 'Escape') return;
      close.click();
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // The kernel --------------------------------------------------------------------------------

  const heard = message => {
    if (!message.photo) return;
    if (photos.size > 12) photos.delete(photos.keys().next().value);
    photos.set(message.photo, message.url);
    if (message.photo == deck.asset) update();
  };
  const resized = new ResizeObserver(fit);
  resized.observe(stage);
  model.on('change:deck', update);
  model.on('msg:custom', heard);
  window.addEventListener('keydown', keyed, true);
  for (const kind of ['focusin', 'pointerdown']) document.addEventListener(kind, watch, true);
  model.send({ do: 'hello' });
  update();
  requestAnimationFrame(() => canvas.focus({ preventScroll: true }));
  return () => {
    resized.disconnect();
    model.off('change:deck', update);
    model.off('msg:custom', heard);
    window.removeEventListener('keydown', keyed, true);
    for (const kind of ['focusin', 'pointerdown']) document.removeEventListener(kind, watch, true);
  };
}

export default { render };
