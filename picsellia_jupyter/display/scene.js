// What of an image is shown and how it is painted, on any canvas. No controls, no events.

import { choices, judged, layersAt, paintMatch, paintPane, panesOf } from './comparing.js';
import { drawShapes, drawTags, hits } from './drawing.js';
import { decode, isTruth } from './shapes.js';

const FADED = 0.35;
// Where the photo is seen from: how many times larger, and its leftmost and topmost pixel.
export const HOME = { k: 1, x: 0, y: 0 };

/**
 * The layers of an image with what is chosen to be seen of them.
 *
 * `state` may be changed by whoever holds it; `paint(canvas, ratio, { k, x, y })` shows it.
 */
export function scene(data) {
  const { w, h, labels, edges } = data;
  const layers = data.layers.map(layer => decode(layer, h));
  const truth = COMPARES && layers.find(isTruth);
  const photo = new Image();
  const state = {
    cut: data.cut,
    tags: true,
    bare: false,
    off: new Set(),
    ...HOME
  };
  if (COMPARES) Object.assign(state, choices());

  const opened = () => (COMPARES ? layers.filter(layer => !state.shut.has(layer)) : layers);
  const panes = () => (COMPARES ? panesOf(state, opened()) : [layers]);
  const over = shape => (COMPARES && isTruth(shape.of)) || shape.steps > state.cut;
  const shows = shape => over(shape) && !state.off.has(shape.rank);
  /** Shapes of a layer that are shown, the most confident first. */
  const shownOf = layer => layer.shapes.filter(shows);

  /** Paints all panes; `ratio` is the canvas' pixels a CSS pixel. */
  function paint(canvas, ratio, { k, x, y }) {
    const ctx = canvas.getContext('2d');
    const width = COMPARES ? canvas.width / panes().length : canvas.width;
    const scale = (width / w) * k;
    const unit = ratio / scale;
    const part = (these, left) => {
      ctx.setTransform(scale, 0, 0, scale, left - x * scale, -y * scale);
      // Pixels of the photo that are large are shown as they are.
      ctx.imageSmoothingEnabled = unit * photo.naturalWidth > w / 2;
      ctx.drawImage(photo, 0, 0, w, h);
      ctx.imageSmoothingEnabled = true;
      if (!state.bare) paintLayers(ctx, these, unit, [x, y, w / k, h / k]);
    };
    if (!COMPARES) part(layers, 0);
    else panes().forEach((these, pane) => paintPane(ctx, state, these, pane, width, part));
  }

  function paintLayers(ctx, these, unit, seen) {
    const { under } = state;
    const items = [];
    for (const layer of these) {
      const colours =
        COMPARES && state.wrongs ? judged(layer, shown) : ({ rank }) => labels[rank].slice(1);
      const draw = some => drawShapes(ctx, layer, some, one => colours(one)[0], unit, edges);
      const all = shownOf(layer);
      const focus = (COMPARES ? under?.of == layer : under) ? [under] : [];
      ctx.globalAlpha = under ? FADED : 1;
      draw([...all].reverse());
      ctx.globalAlpha = 1;
      draw(focus);
      for (const one of state.tags ? (under ? focus : all) : []) items.push([one, ...colours(one)]);
    }
    if (COMPARES && under) paintMatch(ctx, shown, unit, edges);
    if (COMPARES) items.sort(([a], [b]) => b.steps - a.steps);
    drawTags(ctx, items, labels, unit, seen);
  }

  /** The smallest shape shown at a point of the photo, `share` across its pane; undefined for none. */
  function pick({ px, py, pane, share }, reach) {
    if (state.bare) return;
    const these = COMPARES ? layersAt(state, panes()[pane], share) : layers;
    return these
      .flatMap(layer => layer.shapes.filter(shape => hits(shape, px, py, reach) && shows(shape)))
      .sort((a, b) => a.extent - b.extent)[0];
  }

  const shown = { layers, photo, state, over, shownOf, paint, pick };
  if (COMPARES) Object.assign(shown, { truth, opened, panes });
  return shown;
}
