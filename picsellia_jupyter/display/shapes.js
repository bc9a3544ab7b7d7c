// Shapes as shapes.py wrote them: decoded, measured, hit. All in pixels of the photo.

const TYPED = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
// A score of 1.
export const SCORE_STEPS = 5e4;

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
  for (let i = 0; i < n; i++) starts[i + 1] = starts[i] + (fixed || (step ? counts[i] : 0));
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
    decoded.masks = codes.map(code => decodeMask(code, height));
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
    let [x0, y0, x1, y1] = [1 / 0, 1 / 0, -1 / 0, -1 / 0];
    for (let k = starts[i]; k < starts[i + 1]; k++) {
      if (seen && !seen[k]) continue;
      const [x, y] = xy.subarray(2 * k);
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x);
      y0 = Math.min(y0, y);
      y1 = Math.max(y1, y);
    }
    boxes.set(masks[i] ? masks[i].box : [x0, y0, x1, y1], 4 * i);
    areas[i] = masks[i] ? masks[i].area : form == 'line' ? 0 : (x1 - x0) * (y1 - y0);
  }
  return layer;
}

/**
 * A mask of its COCO code: lengths of runs down the columns, of background first, with bounds.
 *
 * Five bits a sign, the lowest first; from the fourth run on, differences to the one before last.
 */
function decodeMask(code, height) {
  const runs = [];
  let [x0, y0, x1, y1, area, from] = [0, height, 0, 0, 0, 0];
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
      const top = from % height;
      const low = top + run;
      if (!area) x0 = (from - top) / height;
      x1 = Math.ceil((from + run) / height);
      // A run that goes on in the next column spans the height.
      y0 = low > height ? 0 : Math.min(y0, top);
      y1 = low > height ? height : Math.max(y1, low);
      area += run;
    }
    from += run;
  }
  return { runs, area, height, box: [x0, y0, x1, y1] };
}

/** Whether a pixel lies in a mask. */
export function inMask({ runs, height }, x, y) {
  let at = Math.floor(x) * height + Math.floor(y);
  let i = 0;
  while (at >= 0) at -= runs[i++];
  return i % 2 == 0;
}

export const scoreOf = (layer, i) => layer.steps[i] / SCORE_STEPS;

/** Whether a layer is what people said, to which no threshold applies. */
export const isTruth = layer => layer.kind == 'truth' || layer.kind == 'review';
