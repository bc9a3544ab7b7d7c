// Shapes and their tags on a canvas whose transform has pixels of the photo as its unit.

import { isTruth, scoreOf } from './shapes.js';

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
  const paths = new Map();
  for (const i of rows) {
    const colour = colourOf(i);
    if (layer.form == 'mask') {
      drawMask(ctx, layer.masks[i], colour);
      continue;
    }
    if (!paths.has(colour)) paths.set(colour, [new Path2D(), new Path2D()]);
    trace(layer, i, ...paths.get(colour), unit, edges);
  }
  ctx.setLineDash((DASHES[layer.kind] || []).map(length => length * unit));
  ctx.lineJoin = 'round';
  const alpha = ctx.globalAlpha;
  for (const [colour, [outline, dots]] of paths) {
    ctx.fillStyle = colour;
    if (layer.form == 'polygon') {
      ctx.globalAlpha = alpha / 4;
      ctx.fill(outline);
      ctx.globalAlpha = alpha;
    }
    if (rows.length < MOST_RIMS) stroke(ctx, outline, '#0006', 4 * unit);
    stroke(ctx, outline, colour, 2 * unit);
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
function trace(layer, i, outline, dots, unit, edges) {
  const { form, xy, starts, boxes, seen } = layer;
  const first = starts[i];
  const end = starts[i + 1];
  if (form == 'box') {
    const [x0, y0, x1, y1] = boxes.subarray(4 * i, 4 * i + 4);
    outline.rect(x0, y0, x1 - x0, y1 - y0);
  } else if (form == 'point' || form == 'keypoints') {
    for (let k = first; k < end; k++) {
      if (seen && !seen[k]) continue;
      const path = seen && seen[k] < 2 ? outline : dots;
      path.moveTo(xy[2 * k] + 4 * unit, xy[2 * k + 1]);
      path.arc(xy[2 * k], xy[2 * k + 1], 4 * unit, 0, 7);
    }
    for (const [a, b] of (seen && edges[layer.ranks[i]]) || []) {
      if (first + Math.max(a, b) >= end || !seen[first + a] || !seen[first + b]) continue;
      outline.moveTo(xy[2 * (first + a)], xy[2 * (first + a) + 1]);
      outline.lineTo(xy[2 * (first + b)], xy[2 * (first + b) + 1]);
    }
  } else {
    for (let k = first; k < end; k++) {
      outline[k > first ? 'lineTo' : 'moveTo'](xy[2 * k], xy[2 * k + 1]);
    }
    if (form == 'polygon') outline.closePath();
  }
}

/** A mask from its picture in this colour, which is made once. */
function drawMask(ctx, mask, colour) {
  if (!mask.area) return;
  const [x, y] = mask.box;
  mask.tints ||= {};
  const tint = (mask.tints[colour] ||= tinted(mask, colour));
  ctx.drawImage(tint, x, y, mask.w * mask.every, mask.h * mask.every);
}

/** A canvas of a mask: its inside light, its rim strong. */
function tinted({ bits, w, h, every }, colour) {
  const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
  const ctx = canvas.getContext('2d');
  const picture = ctx.createImageData(w, h);
  const pixels = new Uint32Array(picture.data.buffer);
  // Red is the lowest byte there.
  const hex = parseInt(colour.slice(1), 16);
  const ink = (hex >> 16) | (hex & 0xff00) | ((hex & 255) << 16);
  const near = every > 1 ? 1 : 2;
  const inside = (x, y) => x >= 0 && y >= 0 && x < w && y < h && bits[y * w + x];
  for (let at = 0; at < bits.length; at++) {
    if (!bits[at]) continue;
    const x = at % w;
    const y = (at - x) / w;
    const core = inside(x - near, y) && inside(x + near, y) && inside(x, y - near);
    pixels[at] = ink | ((core && inside(x, y + near) ? 90 : 255) << 24);
  }
  ctx.putImageData(picture, 0, 0);
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
  const places = [[x0, y0 - height], [x1 - width, y0 - height], [x0, y1], [x0, y0],
    [x1 - width, y1 - height], [x1, y0], [x0 - width, y0]];
  return places
    .map(([x, y]) => [
      Math.max(left, Math.min(x, left + wide - width)),
      Math.max(top, Math.min(y, top + high - height))
    ])
    .find(([x, y]) => taken.every(
      ([a, b, w, h]) => x >= a + w || a >= x + width || y >= b + h || b >= y + height
    ));
}
