// Many images side by side: one slider for all, an order, and each of them large on request.

import { h } from './elements.js';
import { whenFound } from './linked.js';
import { HOME, scene } from './scene.js';
import { columns, isTruth } from './shapes.js';
import { view } from './viewer.js';

const SCORE_STEPS = 5e4;
// Lines of a tile are thinner than the viewer's.
const THIN = 0.7;

/** The whole grid. Each of `data.items` is what the viewer takes of an image. */
export function grid(data) {
  const tiles = data.items.map(tile);
  const shaped = tiles.some(one => one.shaped);
  const list = h('div.grid', { role: 'list' });
  const large = h('div', { hidden: true });
  const order = h('select', { ariaLabel: 'Sort by' });
  const value = h('output');
  const range = h('input', { type: 'range', min: 0, max: 1, step: 0.01 });
  let threshold = data.threshold ?? 0;
  let cut = data.cut;
  let shown = tiles;
  let at = 0;

  // A tile --------------------------------------------------------------------------------

  /** An image in the grid. Of its shapes only scores are read until it is seen. */
  function tile(item, number) {
    const first = item.layers.find(layer => !isTruth(layer)) || item.layers[0];
    const read = columns(first);
    const one = { item, number, steps: read(first.n), ranks: read(first.n) };
    one.shaped = first.form != 'class';
    one.matched = COMPARES && first.pairs && columns(first.pairs)(first.n);
    one.canvas = h('canvas', { role: 'img', ariaLabel: item.alt, tile: one });
    const aspect = item.w / item.h;
    // All tiles are as high as a photo of 4 : 3, which a higher one fits into.
    one.canvas.style.cssText = `aspect-ratio:${aspect};width:${Math.min(100, aspect * 75)}%`;
    one.said = h('div.said');
    one.button = h('button', { type: 'button', title: item.name, tabIndex: number ? -1 : 0,
      onclick: () => open(shown.indexOf(one)) }, one.canvas);
    one.element = h('div.tile', { role: 'listitem' }, one.button,
      h('div.name', item.name), one.said);
    return one;
  }

  /** Draws a tile that is seen; its photo and shapes are decoded when that happens first. */
  function paint(one) {
    const { canvas, item } = one;
    if (!one.seen || !canvas.clientWidth) return;
    if (!one.scene) {
      one.scene = scene(item);
      one.scene.photo.onload = () => paint(one);
      if (item.photo) one.scene.photo.src = item.photo;
      else whenFound(item.still, src => (item.photo = one.scene.photo.src = src));
    }
    const ratio = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    Object.assign(canvas, { width, height: Math.round((width * item.h) / item.w) });
    Object.assign(one.scene.state, { cut: one.shaped ? cut : -1, tags: false });
    one.scene.paint(canvas, ratio * THIN, HOME);
  }

  const watch = new IntersectionObserver(entries => entries.forEach(({ target, isIntersecting }) => {
    target.tile.seen = isIntersecting;
    paint(target.tile);
  }), { rootMargin: '300px', scrollMargin: '300px' });

  // Orders --------------------------------------------------------------------------------

  const over = one => [...one.steps.keys()].filter(i => one.steps[i] > cut);
  const lowest = one => (one.shaped ? Math.min(...over(one).map(i => one.steps[i])) : one.steps[0] ?? 1 / 0);
  const wrong = one => over(one).filter(i => one.matched && !one.matched[i]).length;
  const orders = {
    'As predicted': one => one.number,
    'Lowest confidence': lowest,
    ...(shaped && { 'Most objects': one => -over(one).length }),
    ...(tiles.some(one => one.item.apart) && { 'Most disagreement': one => -one.item.apart }),
    ...(tiles.some(one => one.matched) && { 'Most false positives': one => -wrong(one) })
  };

  function sort() {
    const keys = new Map(tiles.map(one => [one, orders[order.value](one)]));
    // Two infinities differ by nothing that is a number.
    const apart = (a, b) => (keys.get(a) == keys.get(b) ? a.number - b.number : keys.get(a) - keys.get(b));
    shown = [...tiles].sort(apart);
    list.replaceChildren(...shown.map(one => one.element));
  }

  // One of them, large ----------------------------------------------------------------------

  function open(index) {
    carry();
    at = (index + shown.length) % shown.length;
    const { item } = shown[at];
    const back = h('button', { type: 'button', onclick: close }, 'Back to the grid');
    const turn = (text, label, by) =>
      h('button', { type: 'button', ariaLabel: label, title: label, onclick: () => open(at + by) }, text);
    const said = h('span', { role: 'status' }, `${at + 1} of ${shown.length}`);
    large.replaceChildren(
      h('div.bar', back, turn('←', 'Previous image (left arrow)', -1),
        turn('→', 'Next image (right arrow)', 1), said),
      view({ ...item, ...(item.threshold != null && { cut, threshold }) }, by => open(at + by)));
    large.hidden = false;
    top.hidden = list.hidden = true;
    large.querySelector('canvas').focus();
  }

  function close() {
    carry();
    large.replaceChildren();
    large.hidden = true;
    top.hidden = list.hidden = false;
    focus(at);
    refresh();
  }

  /** The threshold that was set in the large one holds in the grid, and in the next one. */
  function carry() {
    const set = large.querySelector('label input');
    if (!set || set.value == range.value) return;
    range.value = set.value;
    range.oninput();
  }

  // Controls --------------------------------------------------------------------------------

  function said({ shaped: has, steps, ranks, item }, kept) {
    if (has) return `${kept} object${kept == 1 ? '' : 's'}`;
    return steps.length ? `${item.labels[ranks[0]][0]} ${(steps[0] / SCORE_STEPS).toFixed(2)}` : 'no class';
  }

  function refresh() {
    for (const one of tiles) {
      one.said.textContent = said(one, over(one).length);
      paint(one);
    }
  }

  function focus(index) {
    shown.forEach((one, i) => (one.button.tabIndex = i == index ? 0 : -1));
    shown[index]?.button.focus();
  }

  /** Comes before the notebook's own shortcuts, which would take letters, arrows and Enter. */
  function keyed(event) {
    const path = event.composedPath();
    if (!whole.isConnected) removeEventListener('keydown', keyed, true);
    if (!path.includes(whole) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key != 'Tab') event.stopPropagation();
    if (event.key == 'Escape' && !large.hidden) close();
    const now = shown.findIndex(one => one.button == path[0]);
    const wide = getComputedStyle(list).gridTemplateColumns.split(' ').length;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide,
      Home: -now, End: shown.length - 1 - now }[event.key];
    if (now < 0 || by == null) return;
    event.preventDefault();
    focus(Math.max(0, Math.min(shown.length - 1, now + by)));
  }

  range.value = threshold;
  value.textContent = +threshold.toFixed(4);
  range.oninput = () => {
    threshold = +range.value;
    cut = Math.round(threshold * SCORE_STEPS);
    value.textContent = threshold.toFixed(2);
    refresh();
  };
  // An order stays as it is while the slider moves, else tiles would jump about.
  range.onchange = () => large.hidden && order.value != 'As predicted' && sort();
  order.append(...Object.keys(orders).map(name => h('option', name)));
  order.onchange = sort;
  const top = h('div.bar',
    data.threshold != null &&
      h('label', { title: 'Shapes scored over it are shown' }, 'Confidence > ', range, value),
    h('label', 'Sort by ', order));

  sort();
  tiles.forEach(one => watch.observe(one.canvas));
  new ResizeObserver(() => tiles.forEach(paint)).observe(list);
  refresh();
  const whole = h('div.viewer', top, large, list);
  addEventListener('keydown', keyed, true);
  return whole;
}
