// Shapes as shapes.py wrote them: decoded, measured, hit. All in pixels of the photo.

const TYPED = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
// A score of 1, and the longest side of a photo whose masks are kept in full.
const SCORE_STEPS = 5e4;
const MASK_SIDE = 1280;

/** Reads the columns of a block, one after the other: `read(count)` gives the next. */
export function columns(types, data) {
  const bytes = Uint8Array.from(atob(data), sign => sign.charCodeAt());
  let at = 0;
  let column = 0;
  return count => {
    const Type = TYPED[types[column++]];
    return new Type(bytes.buffer.slice(at, (at += count * Type.BYTES_PER_ELEMENT)));
  };
}

/**
 * A layer ready to be drawn. Shape i has class `ranks[i]`, score `steps[i]`, the bounds
 * `boxes[4i…]`, the points from `starts[i]` to `starts[i + 1]` of `xy`, and `areas[i]`.
 */
export function decode(layer, width, height) {
  const { n, form, step } = layer;
  const read = columns(layer.types, layer.data);
  const steps = read(n);
  const ranks = read(n);
  const starts = new Uint32Array(n + 1);
  const fixed = { box: 2, point: 1 }[form];
  const counts = step && !fixed && read(n);
  for (let i = 0; i < n; i++) starts[i + 1] = starts[i] + (step ? fixed || counts[i] : 0);
  const total = starts[n];
  const seen = form == 'keypoints' && read(total);
  const xy = new Float32Array(2 * total);
  for (let axis = 0; step && axis < 2; axis++) {
    read(total).forEach((value, k) => (xy[2 * k + axis] = layer.low + value * step));
  }
  const order = [...ranks.keys()].sort((a, b) => steps[b] - steps[a]);
  const decoded = { ...layer, steps, ranks, starts, xy, seen, order, masks: [] };
  if (layer.masks) {
    const codes = layer.masks.replace(/!/g, '<').replace(/#/g, '\\').replace(/\$/g, '>').split(' ');
    decoded.masks = codes.map(code => decodeMask(code, width, height));
  }
  if (layer.pairs) {
    const pairs = columns(layer.pairs.types, layer.pairs.data);
    decoded.truth = pairs(n);
    decoded.likeness = pairs(n);
  }
  return measure(decoded);
}

/** Bounds and areas of all shapes. */
function measure(layer) {
  const { n, form, xy, starts, seen, masks } = layer;
  const boxes = (layer.boxes = new Float32Array(4 * n));
  const areas = (layer.areas = new Float32Array(n));
  for (let i = 0; i < n; i++) {
    let [x0, y0, x1, y1] = masks[i] ? masks[i].box : [1 / 0, 1 / 0, -1 / 0, -1 / 0];
    let twice = 0;
    for (let k = starts[i]; k < starts[i + 1]; k++) {
      const next = k + 1 < starts[i + 1] ? k + 1 : starts[i];
      twice += xy[2 * k] * xy[2 * next + 1] - xy[2 * next] * xy[2 * k + 1];
      if (seen && !seen[k]) continue;
      x0 = Math.min(x0, xy[2 * k]);
      x1 = Math.max(x1, xy[2 * k]);
      y0 = Math.min(y0, xy[2 * k + 1]);
      y1 = Math.max(y1, xy[2 * k + 1]);
    }
    boxes.set([x0, y0, x1, y1], 4 * i);
    areas[i] = masks[i] ? masks[i].area : form == 'polygon' ? Math.abs(twice) / 2
      : form == 'line' ? 0 : (x1 - x0) * (y1 - y0);
  }
  return layer;
}

/** Run lengths of a COCO code: five bits a sign, the lowest first; later runs are differences. */
function runsOf(code) {
  const runs = [];
  for (let at = 0; at < code.length; ) {
    let value = 0;
    let shift = 0;
    let bits;
    do {
      bits = code.charCodeAt(at++) - 48;
      value |= (bits & 31) << shift;
      shift += 5;
    } while (bits & 32);
    if (bits & 16 && shift < 32) value |= -1 << shift;
    runs.push(value + (runs.length > 2 ? runs[runs.length - 2] : 0));
  }
  return runs;
}

/** Calls back with column, first row and row behind the last of each piece inside a mask. */
function eachPiece(runs, height, call) {
  let at = 0;
  runs.forEach((run, i) => {
    for (let left = i & 1 ? run : 0, from = at; left > 0; ) {
      const row = from % height;
      const length = Math.min(left, height - row);
      call(Math.floor(from / height), row, row + length);
      from += length;
      left -= length;
    }
    at += run;
  });
}

/** A mask as bits within its bounds, every `every`-th pixel of a large photo. */
function decodeMask(code, width, height) {
  const runs = runsOf(code);
  const every = Math.max(1, Math.floor(Math.max(width, height) / MASK_SIDE));
  let [x0, y0, x1, y1, area] = [width, height, 0, 0, 0];
  eachPiece(runs, height, (x, top, bottom) => {
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x + 1);
    y0 = Math.min(y0, top);
    y1 = Math.max(y1, bottom);
    area += bottom - top;
  });
  if (!area) x0 = y0 = 0;
  const columnsKept = Math.ceil((x1 - x0) / every);
  const rowsKept = Math.ceil((y1 - y0) / every);
  const bits = new Uint8Array(columnsKept * rowsKept);
  eachPiece(runs, height, (x, top, bottom) => {
    if ((x - x0) % every) return;
    for (let row = Math.ceil((top - y0) / every); row < (bottom - y0) / every; row++) {
      bits[row * columnsKept + (x - x0) / every] = 1;
    }
  });
  return { box: [x0, y0, x1, y1], area, bits, w: columnsKept, h: rowsKept, every };
}

/** Whether a point lies on shape i, or near it within `reach`. */
export function hits(layer, i, x, y, reach) {
  const { boxes, form, starts, xy } = layer;
  const b = 4 * i;
  if (x < boxes[b] - reach || x > boxes[b + 2] + reach) return false;
  if (y < boxes[b + 1] - reach || y > boxes[b + 3] + reach) return false;
  if (form == 'mask') {
    const { bits, w, every } = layer.masks[i];
    const column = Math.floor((x - boxes[b]) / every);
    return column >= 0 && column < w && bits[Math.floor((y - boxes[b + 1]) / every) * w + column];
  }
  if (form != 'polygon' && form != 'line') return true;
  let inside = false;
  for (let k = starts[i + 1] - 1, j = starts[i]; j < starts[i + 1]; k = j++) {
    const [ax, ay, bx, by] = [xy[2 * k], xy[2 * k + 1], xy[2 * j], xy[2 * j + 1]];
    if (form == 'polygon') {
      if (ay > y != by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
    } else if (j > starts[i] && distance(x - ax, y - ay, bx - ax, by - ay) <= reach) return true;
  }
  return inside;
}

/** From a point to the stretch between the origin and (dx, dy). */
function distance(x, y, dx, dy) {
  const along = Math.max(0, Math.min(1, (x * dx + y * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - along * dx, y - along * dy);
}

export const scoreOf = (layer, i) => layer.steps[i] / SCORE_STEPS;

/** Whether a layer is what people said, to which no threshold applies. */
export const isTruth = layer => layer.kind == 'truth' || layer.kind == 'review';
