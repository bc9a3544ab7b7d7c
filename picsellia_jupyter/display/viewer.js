// One image with its layers of shapes: controls, pointer and keys. Knows no kernel and no network.

import { answers } from './answers.js';
import { h } from './elements.js';
import { scene, SIDE, SWIPE } from './scene.js';
import { SCORE_STEPS } from './shapes.js';
import { shapeJson, summary, words } from './words.js';

const MOST_ZOOM = 40;
// CSS pixels that a photo is shown at: at least so wide, at most so high.
const LEAST_WIDE = 480;
const MOST_HIGH = 720;
const KEYS = 'Keys: arrows for shapes, + - 0 for zoom, L labels, H hide, C copy';

/**
 * The whole viewer of one image.
 *
 * `onArrow(step)`, where given, is called for the left and right arrow keys.
 */
export function view(data, onArrow) {
  const { w, h: high, labels } = data;
  const shown = scene(data);
  const { layers, photo, state, open, panes, over, rowsOf, middle, paint, pick } = shown;
  const shaped = layers.some(layer => layer.form != 'class');
  const judged = shaped && layers.some(layer => layer.truth);
  // Shapes over the threshold, by layer and class.
  let tallies;
  const updates = [
    () =>
      (tallies = open().map(layer => {
        const tally = new Uint32Array(labels.length);
        layer.ranks.forEach((rank, i) => over(layer, i) && tally[rank]++);
        return tally;
      }))
  ];
  let pending;
  let drag;
  // A shape that was clicked, or stepped to, stays looked at while the pointer moves on.
  let pinned;

  // Drawing ---------------------------------------------------------------------------------

  const canvas = h('canvas', {
    tabIndex: 0,
    role: 'application',
    'aria-label': `${data.alt}. ${KEYS}`
  });
  const tip = h('div', { className: 'tip', role: 'status' });
  const divider = h('div', { className: 'divider' });
  const stage = h('div', { className: 'stage' }, canvas, divider, tip);

  function draw() {
    pending = 0;
    const ratio = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round((width * high) / w / count());
    if (!width) return;
    if (canvas.width != width || canvas.height != height) Object.assign(canvas, { width, height });
    paint(canvas, ratio, state.at);
  }

  function refresh() {
    updates.forEach(update => update());
    const widest = Math.min(Math.max(photo.naturalWidth, LEAST_WIDE), (MOST_HIGH * w) / high);
    stage.style.maxWidth = widest * count() + 'px';
    canvas.style.aspectRatio = (w * count()) / high;
    divider.hidden = state.mode != SWIPE;
    divider.style.left = state.divide * 100 + '%';
    later();
  }

  const later = () => (pending ||= requestAnimationFrame(draw));
  const count = () => panes().length;

  /** Looks at a shape, or at none, with its words beside the pointer or the shape. */
  function look(next, x, y) {
    pinned &&= next;
    const same = next && state.under && next.every((part, k) => part == state.under[k]);
    if (!same && (next || state.under)) {
      state.under = next;
      tip.textContent = next ? words(data, shown, next) : '';
      copying.disabled = !next;
      later();
    }
    if (!next) return;
    const box = canvas.getBoundingClientRect();
    if (x == null) {
      const [px, py] = middle(...next);
      x = ((px - state.at.x) / w) * state.at.k * (box.width / count());
      y = ((py - state.at.y) / high) * state.at.k * box.height;
    }
    // On the side where there is room.
    const right = x > box.width / 2;
    tip.style.left = right ? '' : x + 14 + 'px';
    tip.style.right = right ? box.width - x + 14 + 'px' : '';
    tip.style.top = Math.max(0, Math.min(y + 10, box.height - tip.offsetHeight)) + 'px';
  }

  function set(change) {
    look(null);
    Object.assign(state, change);
    refresh();
  }

  /** A copy that needs neither a permission nor a secure page. */
  function copy() {
    if (!state.under) return;
    const put = event => {
      event.clipboardData.setData('text/plain', shapeJson(data, state.under));
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    addEventListener('copy', put, true);
    document.execCommand('copy');
    removeEventListener('copy', put, true);
    tip.textContent = words(data, shown, state.under) + '\ncopied';
  }

  /** The whole picture with what is shown of it, as large as it was sent. */
  function save() {
    look(null);
    const width = Math.max(photo.naturalWidth, LEAST_WIDE);
    const height = Math.round((width * high) / w);
    const saved = h('canvas', { width: width * count(), height });
    paint(saved, 1, { k: 1, x: 0, y: 0 });
    saved.toBlob(blob => {
      const href = URL.createObjectURL(blob);
      h('a', { href, download: data.name.replace(/\.\w+$/, '') + '-predictions.png' }).click();
      setTimeout(() => URL.revokeObjectURL(href), 1e4);
    });
  }

  // Controls --------------------------------------------------------------------------------

  /** A button; `pressed`, where given, says whether it is on. */
  function button(content, title, onclick, pressed) {
    const made = h('button', { type: 'button', title, onclick }, content);
    if (pressed) updates.push(() => made.setAttribute('aria-pressed', pressed()));
    return made;
  }

  const flip = (all, one) => {
    all.delete(one) || all.add(one);
    set();
  };

  function slider() {
    const value = h('span', { className: 'value' }, String(+data.threshold.toFixed(4)));
    const range = h('input', { type: 'range', min: 0, max: 1, step: 0.01, value: data.threshold });
    range.oninput = () => {
      value.textContent = (+range.value).toFixed(2);
      set({ cut: Math.round(range.value * SCORE_STEPS) });
    };
    return h('label', { title: 'Shows what scored higher' }, 'Confidence > ', range, value);
  }

  function modes() {
    const names = ['Overlay', SIDE, SWIPE];
    return h(
      'span',
      { className: 'group', role: 'group', 'aria-label': 'View' },
      ...names.map(mode =>
        button(
          mode,
          '',
          () => set({ mode }),
          () => state.mode == mode
        )
      )
    );
  }

  function swiper() {
    const range = h('input', { type: 'range', min: 0, max: 1, step: 0.01, 'aria-label': SWIPE });
    range.oninput = () => set({ divide: +range.value });
    updates.push(() => {
      range.hidden = state.mode != SWIPE;
      range.value = state.divide;
    });
    return range;
  }

  /** A layer with its switch, where there are several, and its figures. */
  function layerLine(layer) {
    const text = h('span', {});
    updates.push(() => (text.textContent = summary(shown, layer)));
    const name = h('span', {}, h('i', { className: layer.kind }), layer.name);
    return h(
      'div',
      { className: 'layer' },
      layers[1]
        ? button(
            name,
            '',
            () => flip(state.shut, layer),
            () => !state.shut.has(layer)
          )
        : '',
      text
    );
  }

  /** A class with its switch, its counts in each layer, and a switch for all others. */
  function chip([name, colour], rank) {
    const number = h('span', {});
    updates.push(() => (number.textContent = tallies.map(tally => tally[rank]).join(' / ')));
    const swatch = h('i', {});
    swatch.style.color = colour;
    const others = [...labels.keys()].filter(other => other != rank);
    const only = () => {
      const alone = others.every(other => state.off.has(other));
      set({ off: new Set(alone && !state.off.has(rank) ? [] : others) });
    };
    return h(
      'span',
      { className: 'chip' },
      button(
        h('span', {}, swatch, h('b', {}, name), ' ', number),
        '',
        () => flip(state.off, rank),
        () => !state.off.has(rank)
      ),
      labels[1] ? button('only', `Only ${name}`, only) : ''
    );
  }

  // Pointer and keys ------------------------------------------------------------------------

  /** Where a pointer is: x, y on the canvas, the pane, how far across it, and px, py of the photo. */
  function place(event) {
    const box = canvas.getBoundingClientRect();
    const { at } = state;
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const across = (x / box.width) * count();
    const pane = Math.max(0, Math.min(count() - 1, Math.floor(across)));
    const share = across - pane;
    return {
      x,
      y,
      pane,
      share,
      px: at.x + (share * w) / at.k,
      py: at.y + (y / box.height / at.k) * high
    };
  }

  function move(x, y, k = state.at.k) {
    const within = (value, side) => Math.max(0, Math.min(side - side / k, value));
    state.at = { k, x: within(x, w), y: within(y, high) };
    canvas.style.touchAction = k > 1 ? 'none' : '';
    canvas.style.cursor = k > 1 ? 'grab' : '';
    later();
  }

  /** Zooms so that a point of the photo stays where it is. */
  function zoom(
    factor,
    px = state.at.x + w / state.at.k / 2,
    py = state.at.y + high / state.at.k / 2
  ) {
    const { k, x, y } = state.at;
    const wanted = Math.max(1, Math.min(MOST_ZOOM, k * factor));
    move(px - ((px - x) * k) / wanted, py - ((py - y) * k) / wanted, wanted);
  }

  /** The next shape by score, for those who do not point. */
  function step(by) {
    if (!shaped) return;
    const all = open().flatMap(layer => rowsOf(layer).map(i => [layer, i]));
    const [focus, row] = state.under || [];
    const now = all.findIndex(([layer, i]) => layer == focus && i == row);
    const next = now < 0 && by < 0 ? -1 : now + by;
    pinned = all[(next + all.length) % all.length] || null;
    look(pinned);
  }

  const keys = {
    l: () => set({ tags: !state.tags }),
    h: () => set({ hidden: !state.hidden }),
    e: () => set({ errors: judged && !state.errors }),
    c: copy,
    escape: () => look(null),
    '+': () => zoom(1.5),
    '=': () => zoom(1.5),
    '-': () => zoom(1 / 1.5),
    0: () => move(0, 0, 1),
    arrowdown: () => step(1),
    arrowup: () => step(-1),
    arrowright: () => (onArrow || step)(1),
    arrowleft: () => (onArrow || step)(-1)
  };

  /** Comes before the notebook's own shortcuts, which would take letters, arrows and Enter. */
  function keyed(event) {
    const name = event.key.toLowerCase();
    const path = event.composedPath();
    if (!whole.isConnected) removeEventListener('keydown', keyed, true);
    if (!path.includes(whole) || event.ctrlKey || event.metaKey || event.altKey) return;
    const ours = keys[name] && (path[0] == canvas || !name.startsWith('arrow'));
    if (ours) event.preventDefault();
    if (ours || (name != 'tab' && !event.shiftKey)) event.stopPropagation();
    if (ours) keys[name]();
  }

  const pointed = spot => pick(spot, (6 * w * count()) / state.at.k / canvas.clientWidth);
  canvas.onpointerdown = event => {
    const spot = place(event);
    const swiping =
      state.mode == SWIPE && Math.abs(spot.share - state.divide) * canvas.clientWidth < 12;
    if (event.button || (state.at.k == 1 && !swiping)) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { ...spot, swiping };
  };
  canvas.onpointermove = event => {
    const spot = place(event);
    if (!drag) {
      pinned || look(pointed(spot), spot.x, spot.y);
      return;
    }
    drag.far ||= Math.hypot(spot.x - drag.x, spot.y - drag.y) > 3;
    if (drag.swiping) set({ divide: Math.max(0, Math.min(1, spot.share)) });
    else move(state.at.x + drag.px - spot.px, state.at.y + drag.py - spot.py);
  };
  canvas.onclick = event => {
    const spot = place(event);
    if (!drag?.far) look((pinned = pointed(spot)), spot.x, spot.y);
    drag = null;
  };
  canvas.onpointercancel = () => (drag = null);
  canvas.onpointerleave = () => drag || pinned || look(null);
  canvas.ondblclick = keys[0];
  // A wheel alone scrolls the page; a pinch on a touchpad comes with ctrlKey.
  canvas.addEventListener(
    'wheel',
    event => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { px, py } = place(event);
      zoom(Math.exp(-event.deltaY / 200), px, py);
    },
    { passive: false }
  );

  const zooms = [
    button('−', 'Zoom out (−)', keys['-']),
    button('+', 'Zoom in (+, Ctrl and wheel)', keys['+']),
    button('Reset', '0, or a double click', keys[0])
  ];
  const saving = button('Save PNG', 'As it is shown', save);
  const switches = shaped
    ? [
        button('Labels', 'Show labels (L)', keys.l, () => state.tags),
        button('Shapes', 'Show shapes (H)', keys.h, () => !state.hidden),
        ...(judged ? [button('Errors', 'Colour by errors (E)', keys.e, () => state.errors)] : [])
      ]
    : [];
  const copying = button('Copy shape', 'As JSON (C)', copy);
  copying.disabled = true;

  new ResizeObserver(refresh).observe(canvas);
  photo.onload = refresh;
  photo.src = data.photo;
  const bar = (...parts) => h('div', { className: 'bar' }, ...parts);
  const lists = shaped
    ? layers.map(layerLine)
    : [h('div', { className: 'columns' }, ...layers.map(layer => answers(data, shown, layer)))];
  const whole = h(
    'div',
    { className: 'viewer' },
    bar(
      ...(data.threshold == null ? [] : [slider()]),
      ...(shaped && layers[1] ? [modes(), swiper()] : []),
      ...switches,
      ...zooms,
      ...(shaped ? [copying] : []),
      saving
    ),
    ...(shaped ? [bar(...labels.map(chip))] : []),
    stage,
    ...lists,
    h('p', {}, data.caption)
  );
  addEventListener('keydown', keyed, true);
  return whole;
}
