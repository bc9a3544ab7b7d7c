// Shapes and their tags on a canvas whose transform has pixels of the photo as its unit.

import { inMask, isTruth, scoreOf } from './shapes.js';

// More would only hide the photo.
const MOST_TAGS = 200;
// With more, the dark rims cost more than they show.
const MOST_RIMS = 800;
const DASHES = { shadow: [7, 5], truth: [2, 4], review: [2, 4] };

/**
 * Draws shapes of a layer, each colour at once.
 *
 * `rows`: those to draw; `colourOf(i)`: CSS colour; `unit`: photo pixels a pixel on the screen.
 */
export function drawShapes(ctx, layer, rows, colourOf, unit, edges) {
  const { form, boxes, masks } = layer;
  const groups = new Map();
  for (const i of rows) {
    const colour = colourOf(i);
    if (form == 'mask') drawMask(ctx, masks[i], colour);
    else if (groups.has(colour)) groups.get(colour).push(i);
    else groups.set(colour, [i]);
  }
  ctx.setLineDash((DASHES[layer.kind] || []).map(length => length * unit));
  // Round corners of boxes take many times as long.
  ctx.lineJoin = form == 'box' ? 'miter' : 'round';
  const alpha = ctx.globalAlpha;
  for (const [colour, group] of groups) {
    const outline = new Path2D();
    const dots = new Path2D();
    // One path of many boxes would be much slower than boxes one by one.
    const outlines = (style, width) => {
      stroke(ctx, outline, style, width);
      if (form != 'box') return;
      for (const i of group) {
        const b = 4 * i;
        ctx.strokeRect(
          boxes[b],
          boxes[b + 1],
          boxes[b + 2] - boxes[b],
          boxes[b + 3] - boxes[b + 1]
        );
      }
    };
    if (form != 'box') group.forEach(i => trace(layer, i, outline, dots, unit, edges));
    ctx.fillStyle = colour;
    if (form == 'polygon') {
      ctx.globalAlpha = alpha / 4;
      ctx.fill(outline);
      ctx.globalAlpha = alpha;
    }
    if (rows.length < MOST_RIMS) outlines('#0006', 4 * unit);
    outlines(colour, 2 * unit);
    ctx.fill(dots);
    stroke(ctx, dots, '#fff', unit);
  }
  ctx.setLineDash([]);
}

export function stroke(ctx, path, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke(path);
}

/** Adds a shape to the path of its colour: outlines, and dots that are filled. */
function trace({ form, xy, starts, ranks, seen }, i, outline, dots, unit, edges) {
  const first = starts[i];
  const end = starts[i + 1];
  const point = k => xy.subarray(2 * k, 2 * k + 2);
  for (let k = first; k < end; k++) {
    const [x, y] = point(k);
    if (form == 'polygon' || form == 'line') {
      outline[k > first ? 'lineTo' : 'moveTo'](x, y);
    } else if (!seen || seen[k]) {
      const path = seen && seen[k] < 2 ? outline : dots;
      path.moveTo(x + 4 * unit, y);
      path.arc(x, y, 4 * unit, 0, 7);
    }
  }
  if (form == 'polygon') outline.closePath();
  for (const [a, b] of (seen && edges[ranks[i]]) || []) {
    if (first + Math.max(a, b) >= end || !seen[first + a] || !seen[first + b]) continue;
    outline.moveTo(...point(first + a));
    outline.lineTo(...point(first + b));
  }
}

/** Whether a point lies on shape i, or near it within `reach`. */
export function hits(layer, i, x, y, reach) {
  const { boxes, form } = layer;
  const b = 4 * i;
  if (x < boxes[b] - reach || x > boxes[b + 2] + reach) return;
  if (y < boxes[b + 1] - reach || y > boxes[b + 3] + reach) return;
  if (form == 'mask') return inMask(layer.masks[i], x, y);
  if (form != 'polygon' && form != 'line') return true;
  const path = new Path2D();
  trace(layer, i, path);
  const scratch = new OffscreenCanvas(1, 1).getContext('2d');
  scratch.lineWidth = 2 * reach;
  return form == 'line' ? scratch.isPointInStroke(path, x, y) : scratch.isPointInPath(path, x, y);
}

/** A mask from its picture in this colour, which is made once. */
function drawMask(ctx, mask, colour) {
  if (!mask.area) return;
  const [x0, y0, x1, y1] = mask.box;
  mask.tints ||= {};
  ctx.drawImage((mask.tints[colour] ||= tinted(mask, colour)), x0, y0, x1 - x0, y1 - y0);
}

/** A canvas of a mask: its inside light, its rim strong. */
function tinted({ runs, box: [x0, y0, x1, y1], height }, colour) {
  const bits = new Uint8Array((x1 - x0) * height);
  let from = -x0 * height;
  runs.forEach((run, i) => {
    if (i & 1) bits.fill(1, from, from + run);
    from += run;
  });
  // Of a large photo every second pixel or less is enough.
  const every = Math.ceil(height / 1500);
  const width = Math.ceil((x1 - x0) / every);
  const canvas = new OffscreenCanvas(width, Math.ceil((y1 - y0) / every));
  const ctx = canvas.getContext('2d');
  const picture = ctx.createImageData(width, canvas.height);
  const inside = (x, y) => x >= 0 && y >= 0 && y < height && bits[x * height + y];
  for (let at = 3; at < picture.data.length; at += 4) {
    const pixel = at >> 2;
    const x = (pixel % width) * every;
    const y = y0 + Math.floor(pixel / width) * every;
    const near = 2 * every;
    const core = inside(x - near, y) && inside(x + near, y) && inside(x, y - near);
    if (inside(x, y)) picture.data[at] = core && inside(x, y + near) ? 90 : 255;
  }
  ctx.putImageData(picture, 0, 0);
  ctx.globalCompositeOperation = 'source-in';
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, width, canvas.height);
  return canvas;
}

/**
 * Writes a tag beside each shape, the most confident first; one without a free place is left out.
 *
 * `items`: [layer, row, colour, ink]; `view`: x, y, width and height that are seen.
 */
export function drawTags(ctx, items, labels, unit, view) {
  if (items.length > MOST_TAGS) return;
  items.sort((a, b) => scoreOf(...b) - scoreOf(...a));
  const taken = [];
  ctx.font = `${12 * unit}px system-ui,sans-serif`;
  ctx.textBaseline = 'middle';
  for (const [layer, i, colour, ink] of items) {
    const text = tagText(layer, i, labels);
    const width = ctx.measureText(text).width + 6 * unit;
    const height = 16 * unit;
    const place = freePlace(layer.boxes.subarray(4 * i, 4 * i + 4), width, height, taken, view);
    if (!place) continue;
    taken.push([...place, width, height]);
    ctx.fillStyle = colour;
    ctx.fillRect(...place, width, height);
    ctx.fillStyle = ink;
    ctx.fillText(text, place[0] + 3 * unit, place[1] + height / 2);
  }
}

export const tagText = (layer, i, labels) =>
  labels[layer.ranks[i]][0] + (isTruth(layer) ? '' : ' ' + scoreOf(layer, i).toFixed(2));

/** Where a tag touches no other: above its shape, below it, in its corners, or nowhere. */
function freePlace([x0, y0, x1, y1], width, height, taken, [left, top, wide, high]) {
  if (x1 < left || y1 < top || x0 > left + wide || y0 > top + high) return;
  const places = [
    [x0, y0 - height],
    [x1 - width, y0 - height],
    [x0, y1],
    [x0, y0],
    [x1 - width, y1 - height],
    [x1, y0],
    [x0 - width, y0]
  ];
  return places
    .map(([x, y]) => [
      Math.max(left, Math.min(x, left + wide - width)),
      Math.max(top, Math.min(y, top + high - height))
    ])
    .find(([x, y]) =>
      taken.every(([a, b, w, h]) => x >= a + w || a >= x + width || y >= b + h || b >= y + height)
    );
}
