// Several layers of an image: their panes, errors and figures. Only in scripts that compare.

import { drawShapes, stroke } from './drawing.js';
import { h } from './elements.js';
import { isTruth, middle } from './shapes.js';

// Colour, ink, name.
const TRUE_POSITIVE = ['#0072b2', '#fff', 'true positive'];
const FALSE_POSITIVE = ['#d55e00', '#111', 'false positive'];
const FALSE_NEGATIVE = ['#f0e442', '#111', 'false negative'];

const OVERLAY = 'Overlay';
const SIDE = 'Side by side';
const SWIPE = 'Swipe';

/** What only a comparison chooses: how layers lie, and which are shut. */
export const choices = () => ({ laid: OVERLAY, wrongs: false, divide: 0.5, shut: new Set() });

export const swipes = state => state.laid == SWIPE;

/** The layers of each pane. */
export const panesOf = (state, open) =>
  state.laid == SIDE && open[0] ? open.map(one => [one]) : [open];

/** Which of a pane's layers are seen at a share of its width. */
export const layersAt = (state, these, share) =>
  !swipes(state) ? these : share < state.divide ? these.slice(0, 1) : these.slice(1);

/** Paints a pane by `part(layers, left)`, clipped, and where layers are swiped both its sides. */
export function paintPane(ctx, state, these, pane, width, part) {
  const edges = swipes(state) ? [0, state.divide, 1] : [0, 1];
  edges.slice(1).forEach((to, side) => {
    ctx.save();
    ctx.beginPath();
    ctx.rect((pane + edges[side]) * width, 0, (to - edges[side]) * width, ctx.canvas.height);
    ctx.clip();
    part(layersAt(state, these, edges[side]), pane * width);
    ctx.restore();
  });
}

/** Colour and ink of each shape of a layer, by what is right. */
export function judged(layer, { opened, shownOf }) {
  const judge = opened().find(one => one.pairs);
  const found = new Set(judge && shownOf(judge).map(shape => shape.match));
  if (isTruth(layer)) return ({ row }) => (found.has(row + 1) ? TRUE_POSITIVE : FALSE_NEGATIVE);
  return ({ match }) => (match ? TRUE_POSITIVE : FALSE_POSITIVE);
}

/** What the colours of errors mean, while they are shown. */
export function key(state, updates) {
  const one = ([colour, , name]) => h('span', h('i', { style: 'background:' + colour }), name);
  const all = h('div.key', [TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE].map(one));
  updates.push(() => (all.hidden = !state.wrongs));
  return all;
}

/** The shape of the ground truth that one was matched to. */
const matched = (truth, { match }) => match && truth.shapes.find(({ row }) => row == match - 1);

/** The ground truth that the shape looked at was matched to, and a line to it. */
export function paintMatch(ctx, { truth, state: { under } }, unit, edges) {
  const other = matched(truth, under);
  if (!other) return;
  drawShapes(ctx, truth, [other], () => '#ffffff', unit, edges);
  const path = new Path2D();
  path.moveTo(...middle(under));
  path.lineTo(...middle(other));
  ctx.setLineDash([4 * unit, 4 * unit]);
  stroke(ctx, path, '#ffffff', 2 * unit);
  ctx.setLineDash([]);
}

/** What of the ground truth a shape was matched to. */
export function matchWords({ measure, labels }, truth, shape) {
  const other = matched(truth, shape);
  if (!other) return `no match in ${truth.name}`;
  return `${measure} ${(shape.likeness / 255).toFixed(2)} with ${labels[other.rank][0]}`;
}

/** How what is shown of a layer stands against the ground truth. */
export function figures({ truth, shownOf }, layer) {
  const kept = shownOf(layer).length;
  const right = shownOf(layer).filter(({ match }) => match).length;
  const wanted = shownOf(truth).length;
  const share = (part, all) => (all ? (part / all).toFixed(2) : '–');
  return (
    ` · precision ${share(right, kept)} · recall ${share(right, wanted)} · ` +
    `F1 ${share(2 * right, kept + wanted)} · ` +
    `${right} TP, ${kept - right} FP, ${wanted - right} FN`
  );
}

/**
 * Buttons for how layers lie, and a slider for the divide that stands below the picture.
 *
 * `updates` are called for each change.
 */
export function layouts(state, set, button, updates) {
  const range = h('input', { type: 'range', min: 0, max: 1, step: 0.01, ariaLabel: SWIPE });
  range.oninput = () => set({ divide: +range.value });
  updates.push(() => {
    range.hidden = !swipes(state);
    range.value = state.divide;
  });
  const choose = laid => button(laid, '', () => set({ laid }), () => state.laid == laid);
  const group = { role: 'group', ariaLabel: 'View' };
  return [h('span.group', group, ...[OVERLAY, SIDE, SWIPE].map(choose)), range];
}
