// One image with its layers of shapes: controls, pointer and keys. Knows no kernel and no network.

import { answers } from './answers.js';
import { key, layouts, swipes } from './comparing.js';
import { h } from './elements.js';
import { floor, max, min, round, within } from './maths.js';
import { HOME, scene } from './scene.js';
import { middle, SCORE_STEPS } from './shapes.js';
import { shapeJson, summary, words } from './words.js';

const MOST_ZOOM = 40;
// CSS pixels that a photo is shown at: at least so wide, at most so high.
const LEAST_WIDE = 480;
const MOST_HIGH = 720;
// Lines and tags of a saved picture are as thick as in one so wide.
const MOST_WIDE = 1280;
// Of a saved picture; some browsers have no larger canvas.
const MOST_PIXELS = 1.2e8;
const KEYS = 'Keys: arrows for shapes, + - 0 for zoom, L labels, H hide, C copy';

/**
 * The whole viewer of one image.
 *
 * `onArrow(step)`, where given, is called for the left and right arrow keys.
 */
export function view(data, onArrow) {
  const { w, h: high, labels, threshold } = data;
  const shown = scene(data);
  const { layers, photo, state, over, shownOf, paint, pick } = shown;
  const shaped = layers[0].form != 'class' || (COMPARES && layers.some(one => one.form != 'class'));
  const compared = COMPARES && shaped && layers[1];
  const judged = COMPARES && shaped && layers.some(layer => layer.pairs);
  const updates = [];
  let pending;
  let drag;
  // A shape that was clicked, or stepped to, stays looked at while the pointer moves on.
  let pinned;

  // Drawing ---------------------------------------------------------------------------------

  const canvas = h('canvas', {
    tabIndex: 0,
    role: 'application',
    ariaLabel: `${data.alt}. ${KEYS}`
  });
  const tip = h('div.tip', { role: 'status' });
  const divider = COMPARES && h('div.divider');
  const stage = COMPARES ? h('div.stage', canvas, divider, tip) : h('div.stage', canvas, tip);
  /** Width of all panes, in pixels of the photo. */
  const across = () => (COMPARES ? w * shown.panes().length : w);
  /** Pixels of the photo to a CSS pixel, before any zoom. */
  const unit = () => across() / canvas.clientWidth;

  function draw() {
    pending = 0;
    const ratio = devicePixelRatio;
    const width = round(canvas.clientWidth * ratio);
    const height = round((width * high) / across());
    if (!width) return;
    if (canvas.width != width || (COMPARES && canvas.height != height)) {
      Object.assign(canvas, { width, height });
    }
    paint(canvas, ratio, state);
  }

  function refresh() {
    updates.forEach(update => update());
    const widest = min(max(photo.naturalWidth, LEAST_WIDE), (MOST_HIGH * w) / high);
    stage.style.maxWidth = (widest * across()) / w + 'px';
    canvas.style.aspectRatio = across() / high;
    if (COMPARES) {
      divider.hidden = !swipes(state);
      divider.style.left = state.divide * 100 + '%';
      if (laid) laid[1].style.maxWidth = stage.style.maxWidth;
    }
    later();
  }

  const later = () => (pending ||= requestAnimationFrame(draw));

  /** Looks at a shape, or at none, with its words beside the pointer or the shape. */
  function look(next, x, y) {
    pinned &&= next;
    if (next != state.under) {
      state.under = next;
      tip.textContent = next ? words(data, next, shown) : '';
      copying.disabled = !next;
      later();
    }
    if (!next) return;
    const width = canvas.clientWidth;
    if (x == null) {
      const [px, py] = middle(next);
      const scale = state.k / unit();
      x = (px - state.x) * scale;
      y = (py - state.y) * scale;
    }
    // On the side where there is room.
    const right = x > width / 2;
    tip.style.left = right ? '' : x + 14 + 'px';
    tip.style.right = right ? width - x + 14 + 'px' : '';
    tip.style.top = max(0, min(y + 10, canvas.clientHeight - tip.offsetHeight)) + 'px';
  }

  function set(change) {
    look();
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
    tip.textContent = words(data, state.under, shown) + '\ncopied';
  }

  /** The whole picture with what is shown of it, in the pixels of the photo. */
  function save() {
    look();
    const wide = within(LEAST_WIDE, photo.naturalWidth, MOST_WIDE);
    const scale = min(max(1, wide / w), (MOST_PIXELS / across() / high) ** 0.5);
    const saved = h('canvas', { width: across() * scale, height: high * scale });
    paint(saved, (w * scale) / wide, HOME);
    saved.toBlob(blob => {
      const href = URL.createObjectURL(blob);
      h('a', { href, download: data.name.replace(/\.\w+$/, '') + '-predictions.png' }).click();
      setTimeout(() => URL.revokeObjectURL(href), 1e4);
    });
  }

  // Controls --------------------------------------------------------------------------------

  /** A button; `pressed`, where given, says whether it is on. */
  function button(content, title, onclick, pressed) {
    const made = h('button', { title, onclick }, content);
    if (pressed) updates.push(() => (made.ariaPressed = pressed()));
    return made;
  }

  function slider() {
    const value = h('span.value', '' + +threshold.toFixed(4));
    const range = h('input', { type: 'range', max: 1, step: 0.01, value: threshold });
    range.oninput = () => {
      value.textContent = (+range.value).toFixed(2);
      set({ cut: round(range.value * SCORE_STEPS) });
    };
    return h('label', { title: 'Shows what scored higher' }, 'Confidence > ', range, value);
  }

  /** A layer with its switch, where there are several, and its figures. */
  function layerLine(layer) {
    const text = h('span');
    updates.push(() => (text.textContent = summary(shown, layer)));
    const name = () => h('span', h('i.' + layer.kind), layer.name);
    const shut = () => set(state.shut.delete(layer) || state.shut.add(layer));
    return h('div.layer', compared && button(name(), '', shut, () => !state.shut.has(layer)), text);
  }

  /** A class with its switch, its counts in each layer, and a switch for all others. */
  function chip([name, colour], rank) {
    const number = h('span');
    const mine = layers.map(layer => layer.shapes.filter(shape => shape.rank == rank));
    const seen = COMPARES ? () => mine.filter((_, k) => shown.opened().includes(layers[k])) : () => mine;
    const counts = () => seen().map(shapes => shapes.filter(over).length);
    updates.push(() => (number.textContent = counts().join(' / ')));
    const others = [...labels.keys()].filter(other => other != rank);
    const on = () => !state.off.has(rank);
    const flip = () => set(state.off.delete(rank) || state.off.add(rank));
    const only = () =>
      set({ off: new Set(on() && state.off.size == others.length ? [] : others) });
    return h(
      'span.chip',
      button(h('span', h('i', { style: 'color:' + colour }), h('b', name), ' ', number), '', flip, on),
      labels[1] && button('only', 'Only ' + name, only)
    );
  }

  // Pointer and keys ------------------------------------------------------------------------

  /** Where a pointer is: x, y on the canvas, the pane, how far across it, and px, py of the photo. */
  function place({ offsetX: x, offsetY: y }) {
    const scale = unit();
    const far = x * scale;
    const pane = COMPARES && within(0, floor(far / w), shown.panes().length - 1);
    const left = COMPARES ? far - pane * w : far;
    const { k } = state;
    const spot = { x, y, px: state.x + left / k, py: state.y + (y * scale) / k };
    return COMPARES ? { ...spot, pane, share: left / w } : spot;
  }

  function move(x, y, k = state.k) {
    Object.assign(state, {
      k,
      x: within(0, x, w - w / k),
      y: within(0, y, high - high / k)
    });
    canvas.className = k > 1 ? 'zoomed' : '';
    later();
  }

  /** Zooms so that what is at these shares of width and height stays there. */
  function zoom(factor, left = 0.5, top = 0.5) {
    const { k, x, y } = state;
    const wanted = within(1, k * factor, MOST_ZOOM);
    const gap = 1 / k - 1 / wanted;
    move(x + left * w * gap, y + top * high * gap, wanted);
  }

  /** The next shape by score, for those who do not point. */
  function step(by) {
    if (!shaped) return;
    const all = (COMPARES ? shown.opened() : layers).flatMap(shownOf);
    const now = all.indexOf(state.under);
    const next = now < 0 && by < 0 ? -1 : now + by;
    look((pinned = all.at(next % all.length)));
  }

  const keys = {
    l: () => set({ tags: !state.tags }),
    h: () => set({ bare: !state.bare }),
    ...(COMPARES && { e: () => set({ wrongs: judged && !state.wrongs }) }),
    c: copy,
    escape: () => look(),
    '+': () => zoom(1.5),
    '=': () => zoom(1.5),
    '-': () => zoom(2 / 3),
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
    const ours = keys[name] && (path[0] == canvas || !/^arrow/.test(name));
    if (ours) event.preventDefault();
    if (ours || (name != 'tab' && !event.shiftKey)) event.stopPropagation();
    if (ours) keys[name]();
  }

  const pointed = spot => pick(spot, (6 * unit()) / state.k);
  canvas.onpointerdown = event => {
    const spot = place(event);
    const swiping =
      COMPARES &&
      swipes(state) &&
      Math.abs(spot.share - state.divide) * canvas.clientWidth < 12;
    if (event.button || (state.k == 1 && !swiping)) return;
    canvas.setPointerCapture(event.pointerId);
    drag = COMPARES ? { ...spot, swiping } : spot;
  };
  canvas.onpointermove = event => {
    const spot = place(event);
    if (drag) {
      drag.far ||= Math.hypot(spot.x - drag.x, spot.y - drag.y) > 3;
      if (COMPARES && drag.swiping) set({ divide: within(0, spot.share, 1) });
      else move(state.x + drag.px - spot.px, state.y + drag.py - spot.py);
    } else pinned || look(pointed(spot), spot.x, spot.y);
  };
  canvas.onclick = event => {
    const spot = place(event);
    if (!drag?.far) look((pinned = pointed(spot)), spot.x, spot.y);
    drag = null;
  };
  canvas.onpointercancel = () => (drag = null);
  canvas.onpointerleave = () => drag || pinned || look();
  canvas.ondblclick = keys[0];
  // A wheel alone scrolls the page; a pinch on a touchpad comes with ctrlKey.
  canvas.onwheel = event => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(
      Math.exp(-event.deltaY / 200),
      COMPARES ? place(event).share : event.offsetX / canvas.clientWidth,
      event.offsetY / canvas.clientHeight
    );
  };

  const laid = compared && layouts(state, set, button, updates);
  const copying = button('Copy shape', 'As JSON (C)', copy);
  copying.disabled = true;

  new ResizeObserver(refresh).observe(canvas);
  photo.onload = refresh;
  photo.src = data.photo;
  const whole = h(
    'div.viewer',
    h(
      'div.bar',
      threshold != null && slider(),
      laid && laid[0],
      shaped && [
        button('Labels', 'Show labels (L)', keys.l, () => state.tags),
        button('Shapes', 'Show shapes (H)', keys.h, () => !state.bare),
        judged && button('Errors', 'Colour by errors (E)', keys.e, () => state.wrongs)
      ],
      button('−', 'Zoom out (−)', keys['-']),
      button('+', 'Zoom in (+, Ctrl and wheel)', keys['+']),
      button('Reset', '0, or a double click', keys[0]),
      shaped && copying,
      button('Save PNG', data.saved, save)
    ),
    shaped && h('div.bar', labels.map(chip)),
    judged && key(state, updates),
    stage,
    laid && laid[1],
    shaped
      ? layers.map(layerLine)
      : h('div.columns', layers.map(layer => answers(data, layer, shown))),
    h('p', data.caption)
  );
  addEventListener('keydown', keyed, true);
  return whole;
}
