// What of an image is shown and how it is painted, on any canvas. No controls, no events.

import { drawShapes, drawTags, hits, stroke } from './drawing.js';
import { decode, isTruth } from './shapes.js';

const TRUE_POSITIVE = ['#0072b2', '#fff'];
const FALSE_POSITIVE = ['#d55e00', '#111'];
const FALSE_NEGATIVE = ['#f0e442', '#111'];
const FADED = 0.35;

export const SIDE = 'Side by side';
export const SWIPE = 'Swipe';

/**
 * The layers of an image with what is chosen to be seen of them.
 *
 * `state` may be changed by whoever holds it; `paint(canvas, ratio, at)` shows it. A shape is
 * told by its layer and its row: `[layer, i]`.
 */
export function scene(data) {
  const { w, h, labels, edges } = data;
  const layers = data.layers.map(layer => decode(layer, w, h));
  const truth = layers.find(isTruth);
  const photo = new Image();
  const state = {
    cut: data.cut,
    mode: 'Overlay',
    tags: true,
    hidden: false,
    errors: false,
    divide: 0.5,
    off: new Set(),
    shut: new Set(),
    under: null,
    at: { k: 1, x: 0, y: 0 }
  };

  const open = () => layers.filter(layer => !state.shut.has(layer));
  const panes = () => (state.mode == SIDE && open()[0] ? open().map(one => [one]) : [open()]);
  const over = (layer, i) => isTruth(layer) || layer.steps[i] > state.cut;
  const shows = (layer, i) => over(layer, i) && !state.off.has(layer.ranks[i]);
  /** Rows of a layer that are shown, the most confident first. */
  const rowsOf = layer => layer.order.filter(i => shows(layer, i));
  /** Row in the ground truth, from 1, that a shape was matched to. */
  const hit = (layer, i) => layer.truth && layer.truth[i];

  /** Colour and ink of each shape of a layer. */
  function coloursOf(layer, found) {
    if (!state.errors) return i => labels[layer.ranks[i]].slice(1);
    if (isTruth(layer)) return i => (found.has(i + 1) ? TRUE_POSITIVE : FALSE_NEGATIVE);
    return i => (hit(layer, i) ? TRUE_POSITIVE : FALSE_POSITIVE);
  }

  /** Paints all panes; `ratio` is the canvas' pixels a CSS pixel. */
  function paint(canvas, ratio, { k, x, y }) {
    const ctx = canvas.getContext('2d');
    const width = canvas.width / panes().length;
    const scale = (width / w) * k;
    const unit = ratio / scale;
    const judge = open().find(layer => layer.truth);
    const found = new Set(judge && rowsOf(judge).map(i => hit(judge, i)));
    const part = (these, pane, from, to) => {
      ctx.save();
      ctx.beginPath();
      ctx.rect((pane + from) * width, 0, (to - from) * width, canvas.height);
      ctx.clip();
      ctx.setTransform(scale, 0, 0, scale, pane * width - x * scale, -y * scale);
      // Pixels of the photo that are large are shown as they are.
      ctx.imageSmoothingEnabled = unit * photo.naturalWidth > w / 2;
      ctx.drawImage(photo, 0, 0, w, h);
      ctx.imageSmoothingEnabled = true;
      if (!state.hidden) paintLayers(ctx, these, found, unit, [x, y, w / k, h / k]);
      ctx.restore();
    };
    panes().forEach((these, pane) => {
      if (state.mode == SWIPE) {
        part(these.slice(0, 1), pane, 0, state.divide);
        part(these.slice(1), pane, state.divide, 1);
      } else part(these, pane, 0, 1);
    });
  }

  function paintLayers(ctx, these, found, unit, seen) {
    const [focus, row] = state.under || [];
    const items = [];
    for (const layer of these) {
      const colours = coloursOf(layer, found);
      const rows = rowsOf(layer);
      ctx.globalAlpha = focus ? FADED : 1;
      drawShapes(ctx, layer, [...rows].reverse(), i => colours(i)[0], unit, edges);
      ctx.globalAlpha = 1;
      if (focus == layer) drawShapes(ctx, layer, [row], i => colours(i)[0], unit, edges);
      const told = focus ? (focus == layer ? [row] : []) : rows;
      for (const i of state.tags ? told : []) items.push([layer, i, ...colours(i)]);
    }
    if (focus && hit(focus, row)) paintMatch(ctx, focus, row, unit);
    drawTags(ctx, items, labels, unit, seen);
  }

  /** The ground truth that a shape was matched to, and a line to it. */
  function paintMatch(ctx, layer, i, unit) {
    const row = hit(layer, i) - 1;
    drawShapes(ctx, truth, [row], () => '#ffffff', unit, edges);
    const path = new Path2D();
    path.moveTo(...middle(layer, i));
    path.lineTo(...middle(truth, row));
    ctx.setLineDash([4 * unit, 4 * unit]);
    stroke(ctx, path, '#ffffff', 2 * unit);
    ctx.setLineDash([]);
  }

  const middle = ({ boxes }, i) =>
    [0, 1].map(axis => (boxes[4 * i + axis] + boxes[4 * i + 2 + axis]) / 2);

  /** The smallest shape shown at a point of the photo, `share` across its pane; null for none. */
  function pick({ px, py, pane, share }, reach) {
    let these = panes()[pane];
    if (state.mode == SWIPE) these = share < state.divide ? these.slice(0, 1) : these.slice(1);
    let best = null;
    for (const layer of state.hidden ? [] : these) {
      for (let i = 0; i < layer.n; i++) {
        if (!shows(layer, i) || !hits(layer, i, px, py, reach)) continue;
        if (!best || layer.areas[i] < best[0].areas[best[1]]) best = [layer, i];
      }
    }
    return best;
  }

  return { layers, truth, photo, state, open, panes, over, rowsOf, hit, middle, paint, pick };
}
