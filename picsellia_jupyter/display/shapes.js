// Shapes as shapes.py wrote them: decoded, measured. All in pixels of the photo.

import { ceil, floor, max, min } from './maths.js';

// By bytes of a value.
const TYPED = [, Uint8Array, Uint16Array, , Uint32Array];
// A score of 1.
export const SCORE_STEPS = 5e4;

/** Reads the columns of a block, one after the other: `read(count)` gives the next. */
export function columns({ types, data }) {
  const bytes = Uint8Array.from(atob(data), sign => sign.charCodeAt());
  let at = 0;
  let column = 0;
  return count => {
    const Type = TYPED[types[column++]];
    return new Type(bytes.buffer.slice(at, (at += count * Type.BYTES_PER_ELEMENT)));
  };
}

/**
 * A layer with its `shapes`, the most confident first.
 *
 * A shape is `of` its layer and in a `row` there, has the `rank` of its class, its score in `steps`, `vertices` x, y
 * (and visibility), `box` of x0, y0, x1, y1, `extent` in square pixels, and of a mask `runs`.
 */
export function decode(layer, tall) {
  const { n, form, step, low } = layer;
  const read = columns(layer);
  const steps = read(n);
  const ranks = read(n);
  const fixed = { box: 2, point: 1, mask: 0, class: 0 }[form];
  const counts = fixed == null ? [...read(n)] : Array(n).fill(fixed);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const seen = form == 'keypoints' && read(total);
  const xs = total && read(total);
  const ys = total && read(total);
  const codes = layer.masks?.replace(/[!#$]/g, sign => '<\\>'['!#$'.indexOf(sign)]).split(' ');
  const decoded = { ...layer };
  let at = 0;
  decoded.shapes = counts.map((count, row) => {
    const vertices = [];
    let [x0, y0, x1, y1] = [1 / 0, 1 / 0, -1 / 0, -1 / 0];
    for (; vertices.length < count; at++) {
      const [x, y] = [low + xs[at] * step, low + ys[at] * step];
      vertices.push(seen ? [x, y, seen[at]] : [x, y]);
      if (seen && !seen[at]) continue;
      x0 = min(x0, x);
      x1 = max(x1, x);
      y0 = min(y0, y);
      y1 = max(y1, y);
    }
    return {
      of: decoded,
      row,
      steps: steps[row],
      rank: ranks[row],
      vertices,
      box: [x0, y0, x1, y1],
      extent: form == 'line' ? 0 : (x1 - x0) * (y1 - y0),
      ...(form == 'mask' && decodeMask(codes[row], tall))
    };
  });
  if (COMPARES && layer.pairs) {
    const read = columns(layer.pairs);
    const matches = read(n);
    const likeness = read(n);
    decoded.shapes.forEach((shape, row) =>
      Object.assign(shape, { match: matches[row], likeness: likeness[row] })
    );
  }
  decoded.shapes.sort((a, b) => b.steps - a.steps);
  return decoded;
}

/**
 * A mask of its COCO code: lengths of runs down the columns, of background first, with bounds.
 *
 * Five bits a sign, the lowest first; from the fourth run on, differences to the one before last.
 */
function decodeMask(code, tall) {
  const runs = [];
  let [x0, y0, x1, y1, extent, from] = [0, tall, 0, 0, 0, 0];
  for (let at = 0; at < code.length; ) {
    let run = 0;
    let shift = 0;
    let bits;
    do {
      bits = code.charCodeAt(at++) - 48;
      run |= (bits & 31) << shift;
      shift += 5;
    } while (bits & 32);
    if (bits & 16 && shift < 32) run |= -1 << shift;
    const i = runs.length;
    if (i > 2) run += runs[i - 2];
    runs.push(run);
    if (i & 1 && run) {
      const top = from % tall;
      const low = top + run;
      if (!extent) x0 = (from - top) / tall;
      x1 = ceil((from + run) / tall);
      // A run that goes on in the next column spans the height.
      y0 = low > tall ? 0 : min(y0, top);
      y1 = low > tall ? tall : max(y1, low);
      extent += run;
    }
    from += run;
  }
  return { runs, tall, extent, box: [x0, y0, x1, y1] };
}

/** Whether a pixel lies in a mask. */
export function inMask({ runs, tall }, x, y) {
  let at = floor(x) * tall + floor(y);
  let i = 0;
  while (at >= 0) at -= runs[i++];
  return i % 2 == 0;
}

export const scoreOf = shape => shape.steps / SCORE_STEPS;

/** Whether a layer is what people said, to which no threshold applies. */
export const isTruth = layer => COMPARES && (layer.kind == 'truth' || layer.kind == 'review');

/** The middle of a shape, x and y. */
export const middle = ({ box: [x0, y0, x1, y1] }) => [(x0 + x1) / 2, (y0 + y1) / 2];
