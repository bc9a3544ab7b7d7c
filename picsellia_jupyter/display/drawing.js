// Shapes and their tags on a canvas whose transform has pixels of the photo as its unit.

import { ceil, floor, within } from './maths.js';
import { inMask, isTruth, scoreOf } from './shapes.js';

// More would only hide the photo.
const MOST_TAGS = 200;
// With more, the dark rims cost more than they show.
const MOST_RIMS = 800;
const DASHES = { shadow: [7, 5], truth: [2, 4], review: [2, 4] };

/**
 * Draws shapes of a layer, each colour at once.
 *
 * `colourOf(shape)`: CSS colour; `unit`: photo pixels a pixel on the screen.
 */
export function drawShapes(ctx, { form, kind }, shapes, colourOf, unit, edges) {
  const groups = {};
  for (const shape of shapes) {
    const colour = colourOf(shape);
    if (form == 'mask') drawMask(ctx, shape, colour);
    else (groups[colour] ||= []).push(shape);
  }
  if (COMPARES) ctx.setLineDash((DASHES[kind] || []).map(length => length * unit));
  // Round corners of boxes take many times as long.
  ctx.lineJoin = form == 'box' ? 'miter' : 'round';
  const alpha = ctx.globalAlpha;
  for (const [colour, group] of Object.entries(groups)) {
    const outline = new Path2D();
    const dots = new Path2D();
    // One path of many boxes would be much slower than boxes one by one.
    const outlines = (style, width) => {
      stroke(ctx, outline, style, width);
      if (form != 'box') return;
      for (const { box } of group) ctx.strokeRect(...rectangle(box));
    };
    if (form != 'box') group.forEach(shape => trace(shape, outline, dots, unit, edges));
    ctx.fillStyle = colour;
    if (form == 'polygon') {
      ctx.globalAlpha = alpha / 4;
      ctx.fill(outline);
      ctx.globalAlpha = alpha;
    }
    if (shapes.length < MOST_RIMS) outlines('#0006', 4 * unit);
    outlines(colour, 2 * unit);
    ctx.fill(dots);
    stroke(ctx, dots, '#fff', unit);
  }
  if (COMPARES) ctx.setLineDash([]);
}

export function stroke(ctx, path, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke(path);
}

const isPath = form => /gon|ne$/.test(form);

const rectangle = ([x0, y0, x1, y1]) => [x0, y0, x1 - x0, y1 - y0];

/** Adds a shape to the path of its colour: outlines, and dots that are filled. */
function trace({ of: { form }, rank, vertices }, outline, dots, unit, edges) {
  vertices.forEach(([x, y, seen], k) => {
    if (isPath(form)) outline[k ? 'lineTo' : 'moveTo'](x, y);
    else if (seen != 0) {
      const round = seen == 1 ? outline : dots;
      round.moveTo(x + 4 * unit, y);
      round.arc(x, y, 4 * unit, 0, 7);
    }
  });
  if (form == 'polygon') outline.closePath();
  for (const [a, b] of edges?.[rank] || []) {
    if (!vertices[a]?.[2] || !vertices[b]?.[2]) continue;
    outline.moveTo(...vertices[a]);
    outline.lineTo(...vertices[b]);
  }
}

/** Whether a point lies on a shape, or near it within `reach`. */
export function hits(shape, x, y, reach) {
  const [x0, y0, x1, y1] = shape.box;
  const { form } = shape.of;
  if (x < x0 - reach || x > x1 + reach || y < y0 - reach || y > y1 + reach) return;
  if (form == 'mask') return inMask(shape, x, y);
  if (!isPath(form)) return true;
  const path = new Path2D();
  trace(shape, path);
  const scratch = new OffscreenCanvas(1, 1).getContext('2d');
  scratch.lineWidth = 2 * reach;
  return form == 'line' ? scratch.isPointInStroke(path, x, y) : scratch.isPointInPath(path, x, y);
}

/** A mask from its picture in this colour, which is made once. */
function drawMask(ctx, mask, colour) {
  if (!mask.extent) return;
  ctx.drawImage((mask[colour] ||= tinted(mask, colour)), ...rectangle(mask.box));
}

/** A canvas of a mask: its inside light, its rim strong. */
function tinted({ runs, box: [x0, y0, x1, y1], tall }, colour) {
  const bits = new Uint8Array((x1 - x0) * tall);
  let from = -x0 * tall;
  runs.forEach((run, i) => {
    if (i & 1) bits.fill(1, from, from + run);
    from += run;
  });
  // Of a large photo every second pixel or less is enough.
  const every = ceil(tall / 1500);
  const width = ceil((x1 - x0) / every);
  const canvas = new OffscreenCanvas(width, ceil((y1 - y0) / every));
  const ctx = canvas.getContext('2d');
  const picture = ctx.createImageData(width, canvas.height);
  // Columns left and right of the bits have none.
  const inside = (x, y) => y >= 0 && y < tall && bits[x * tall + y];
  for (let at = 3; at < picture.data.length; at += 4) {
    const pixel = at >> 2;
    const x = (pixel % width) * every;
    const y = y0 + floor(pixel / width) * every;
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
 * Writes a tag beside each shape, the first ones first; one without a free place is left out.
 *
 * `items`: [shape, colour, ink]; `view`: x, y, width and height that are seen.
 */
export function drawTags(ctx, items, labels, unit, view) {
  if (items.length > MOST_TAGS) return;
  const taken = [];
  ctx.font = `${12 * unit}px system-ui,sans-serif`;
  ctx.textBaseline = 'middle';
  for (const [shape, colour, ink] of items) {
    const text = tagText(shape, labels);
    const width = ctx.measureText(text).width + 6 * unit;
    const height = 16 * unit;
    const place = freePlace(shape.box, width, height, taken, view);
    if (!place) continue;
    taken.push([...place, width, height]);
    ctx.fillStyle = colour;
    ctx.fillRect(...place, width, height);
    ctx.fillStyle = ink;
    ctx.fillText(text, place[0] + 3 * unit, place[1] + height / 2);
  }
}

export const tagText = (shape, labels) =>
  labels[shape.rank][0] + (COMPARES && isTruth(shape.of) ? '' : ' ' + scoreOf(shape).toFixed(2));

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
      within(left, x, left + wide - width),
      within(top, y, top + high - height)
    ])
    .find(([x, y]) =>
      taken.every(([a, b, w, h]) => x >= a + w || a >= x + width || y >= b + h || b >= y + height)
    );
}
