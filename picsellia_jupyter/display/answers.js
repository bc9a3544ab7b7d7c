// The classes of a classification, which has no shapes to draw.

import { h } from './elements.js';
import { isTruth, scoreOf } from './shapes.js';

// A class below this would read 0.00.
const LEAST_SHOWN = 0.005;
const MOST = 10;

/** Classes of a layer with their scores as bars; what the ground truth says has a tick. */
export function answers({ labels }, { layers, truth }, layer) {
  const rows = layer.order.filter((i, k) => !k || scoreOf(layer, i) >= LEAST_SHOWN);
  const lines = rows.slice(0, MOST).map(i => {
    const [name, colour] = labels[layer.ranks[i]];
    const right = truth && layer != truth && layer.ranks[i] == truth.ranks[0];
    const fill = h('i', {});
    fill.style.cssText = `background:${colour};width:${scoreOf(layer, i) * 100}%`;
    const score = isTruth(layer) ? [] : [h('span', {}, fill), scoreOf(layer, i).toFixed(2)];
    return h('div', {}, h('b', {}, name + (right ? ' ✓' : '')), ...score);
  });
  return h('div', { className: 'answers' }, layers[1] ? h('p', {}, layer.name) : '', ...lines);
}
