// What is said of shapes and layers.

import { tagText } from './drawing.js';
import { isTruth, scoreOf } from './shapes.js';

/** Label, score, layer, size and match of a shape, a line each. */
export function words(data, { layers, truth, hit }, [layer, i]) {
  const lines = [
    tagText(layer, i, data.labels) + (layers[1] ? ` · ${layer.name}` : ''),
    sizeOf(layer, i)
  ];
  if (layer.truth) {
    const row = hit(layer, i) - 1;
    lines.push(
      row < 0
        ? `no match in ${truth.name}`
        : `${data.measure} ${(layer.likeness[i] / 255).toFixed(2)} with ${data.labels[truth.ranks[row]][0]}`
    );
  }
  return lines.join('\n');
}

function sizeOf({ form, boxes, areas }, i) {
  const [x0, y0, x1, y1] = boxes.subarray(4 * i, 4 * i + 4).map(Math.round);
  if (form == 'point') return `at ${x0}, ${y0} px`;
  const size = `${x1 - x0} × ${y1 - y0} px`;
  return form == 'mask' ? `${size}, ${areas[i].toLocaleString('en')} px²` : size;
}

/** How much of a layer is shown, and how that stands against the ground truth. */
export function summary({ truth, rowsOf, hit }, layer) {
  const rows = rowsOf(layer);
  if (isTruth(layer)) return `${rows.length} shown`;
  const shown = `${rows.length} of ${layer.n} shown`;
  if (!layer.truth) return shown;
  const right = rows.filter(i => hit(layer, i)).length;
  const wanted = rowsOf(truth).length;
  const share = (part, all) => (all ? (part / all).toFixed(2) : '–');
  return (
    `${shown} · precision ${share(right, rows.length)} · recall ${share(right, wanted)} · ` +
    `F1 ${share(2 * right, rows.length + wanted)} · ` +
    `${right} TP, ${rows.length - right} FP, ${wanted - right} FN`
  );
}

/** A shape as JSON, in pixels of the photo. */
export function shapeJson(data, [layer, i]) {
  const { form, starts, xy, seen, boxes, areas } = layer;
  const tenths = value => Math.round(value * 10) / 10;
  const points = [];
  for (let k = starts[i]; k < starts[i + 1]; k++) {
    points.push([...xy.subarray(2 * k, 2 * k + 2)].map(tenths).concat(seen ? seen[k] : []));
  }
  const [label, , , index] = data.labels[layer.ranks[i]];
  const box = [...boxes.subarray(4 * i, 4 * i + 4)];
  return JSON.stringify({
    image: data.name,
    layer: layer.name,
    label,
    class: index,
    score: isTruth(layer) ? undefined : +scoreOf(layer, i).toFixed(4),
    box_xyxy: box.map(tenths),
    ...(form == 'mask' ? { area: areas[i] } : form == 'box' ? {} : { points })
  });
}
