// Where the outline of a shape runs, and where it can be taken hold of. Points are [x, y, …].

const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1], [2, 0], [1, 2], [2, 1], [0, 2]]; // prettier-ignore

/** Handles of a shape: their place, and what they move. */
export function handlesOf(form, shape) {
  if (form == 'mask' || form == 'class') return [];
  if (form != 'box') return shape.points.map((at, i) => ({ at, i }));
  const [[left, top], [right, bottom]] = shape.points;
  const xs = [left, right, (left + right) / 2];
  const ys = [top, bottom, (top + bottom) / 2];
  return CORNERS.map(([i, j]) => ({ at: [xs[i], ys[j]], i, j }));
}

/** Left, top, right and bottom of some points. */
export function boundsOf(points) {
  const xs = points.map(point => point[0]);
  const ys = points.map(point => point[1]);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The outline of a box, polygon or line; others have none. */
export function pathOf(form, shape) {
  const made = new Path2D();
  const [first, second] = shape.points;
  if (form == 'box') {
    made.rect(first[0], first[1], second[0] - first[0], second[1] - first[1]);
  } else if (form == 'polygon' || form == 'line') {
    shape.points.forEach(([x, y], i) => made[i ? 'lineTo' : 'moveTo'](x, y));
    if (form == 'polygon') made.closePath();
  }
  return made;
}
