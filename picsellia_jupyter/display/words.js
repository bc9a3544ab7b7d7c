// What is said of shapes and layers.

import { figures, matchWords } from './comparing.js';
import { tagText } from './drawing.js';
import { round } from './maths.js';
import { isTruth, scoreOf } from './shapes.js';

/** Label, score, layer, size and match of a shape, a line each. */
export function words(data, shape, shown) {
  const lines = [tagText(shape, data.labels), sizeOf(shape)];
  if (COMPARES && shown.layers[1]) lines[0] += ` · ${shape.of.name}`;
  if (COMPARES && shape.of.pairs) lines.push(matchWords(data, shown.truth, shape));
  return lines.join('\n');
}

function sizeOf({ of: { form }, box, extent }) {
  const [x0, y0, x1, y1] = box.map(round);
  if (form == 'point') return `at ${x0}, ${y0} px`;
  const size = `${x1 - x0} × ${y1 - y0} px`;
  return form == 'mask' ? `${size}, ${extent.toLocaleString('en')} px²` : size;
}

/** How much of a layer is shown, and how that stands against the ground truth. */
export function summary(shown, layer) {
  const truth = COMPARES && isTruth(layer);
  const judged = COMPARES && layer.pairs ? figures(shown, layer) : '';
  return shown.shownOf(layer).length + (truth ? ' shown' : ` of ${layer.n} shown`) + judged;
}

/** A shape as JSON, in pixels of the photo. */
export function shapeJson(data, shape) {
  const { of: layer, vertices, box, extent } = shape;
  const tenths = value => round(value * 10) / 10;
  const [label, , , index] = data.labels[shape.rank];
  return JSON.stringify({
    image: data.name,
    layer: layer.name,
    label,
    class: index,
    score: isTruth(layer) ? undefined : +scoreOf(shape).toFixed(4),
    box_xyxy: box.map(tenths),
    area: layer.masks && extent,
    points:
      layer.masks || layer.form == 'box' ? undefined : vertices.map(point => point.map(tenths))
  });
}
