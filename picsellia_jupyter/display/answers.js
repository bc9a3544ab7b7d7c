// The classes of a classification, which has no shapes to draw.

import { h } from './elements.js';
import { isTruth, scoreOf } from './shapes.js';

// A class below this would read 0.00.
const LEAST_SHOWN = 0.005;
const MOST = 10;

/** Classes of a layer with their scores as bars; what the ground truth says has a tick. */
export function answers({ labels }, layer, shown) {
  const truth = COMPARES && shown.truth;
  const rows = layer.shapes.filter((one, k) => !k || scoreOf(one) >= LEAST_SHOWN);
  const lines = rows.slice(0, MOST).map(one => {
    const [name, colour] = labels[one.rank];
    const right = truth && layer != truth && one.rank == truth.shapes[0]?.rank;
    const score = scoreOf(one);
    const bar = h('span', h('i', { style: `background:${colour};width:${score * 100}%` }));
    const said = COMPARES && isTruth(layer) ? [] : [bar, score.toFixed(2)];
    return h('div', h('b', right ? name + ' ✓' : name), said);
  });
  return h('div.answers', COMPARES && shown.layers[1] && h('p', layer.name), lines);
}
