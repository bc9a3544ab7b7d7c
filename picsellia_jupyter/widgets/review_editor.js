// Shapes of one photo that are drawn, moved, resized and deleted. Knows no kernel and no buttons.

// Pixels of the screen around a handle or an outline that still count as on it.
const REACH = 8;
const LEAST = { box: 2, polygon: 3, line: 2, point: 1, keypoints: 1 };

/**
 * An editor on a canvas of its own.
 *
 * `edited(shapes)` is called when a gesture is done, `looked()` when something is selected or the
 * mode changes. Points are pixels of the photo; a box has its left top and right bottom corner.
 */
export function createEditor(edited, looked) {
  const canvas = document.createElement('canvas');
  const state = {
    w: 1, h: 1, form: 'box', labels: {}, shapes: [], theirs: null, chosen: -1, vertex: -1,
    label: '', drawing: false, begun: [], hidden: false, locked: false, view: { k: 1, x: 0, y: 0 }
  }; // prettier-ignore
  const photo = new Image();
  photo.onload = paint;
  let drag = null;

  const clamp = ([x, y, ...rest]) => [
    Math.max(0, Math.min(state.w, x)),
    Math.max(0, Math.min(state.h, y)),
    ...rest
  ];
  const whole = points => points.map(([x, y, ...rest]) => [Math.round(x), Math.round(y), ...rest]);
  const scale = () => (canvas.clientWidth / state.w) * state.view.k;
  const reach = () => REACH / scale();
  const colours = label => state.labels[label] || ['#777777', '#ffffff'];
  const maskOf = shape =>
    (shape.decoded ||= shape.mask ? decodeMask(shape.mask, state.h) : { box: [0, 0, 0, 0] });

  function place(event) {
    const { left, top } = canvas.getBoundingClientRect();
    const { x, y } = state.view;
    return [(event.clientX - left) / scale() + x, (event.clientY - top) / scale() + y];
  }

  // What is where ---------------------------------------------------------------------------

  const handles = shape => handlesOf(state.form, shape);
  const path = shape => pathOf(state.form, shape);

  const near = ([x, y], [a, b]) => Math.max(Math.abs(x - a), Math.abs(y - b)) <= reach();
  const handleAt = spot =>
    state.chosen >= 0 && handles(state.shapes[state.chosen]).find(one => near(spot, one.at));

  function bounds(shape) {
    return state.form == 'mask' ? maskOf(shape).box : boundsOf(shape.points);
  }

  function covers(shape, [x, y]) {
    const [left, top, right, bottom] = bounds(shape);
    const r = reach();
    if (x < left - r || x > right + r || y < top - r || y > bottom + r) return false;
    if (state.form == 'mask') return inMask(maskOf(shape), x, y);
    const ctx = new OffscreenCanvas(1, 1).getContext('2d');
    ctx.lineWidth = 2 * r;
    if (state.form == 'line') return ctx.isPointInStroke(path(shape), x, y);
    if (state.form == 'polygon') {
      return ctx.isPointInPath(path(shape), x, y) || ctx.isPointInStroke(path(shape), x, y);
    }
    return true;
  }

  /** The smallest shape at a place, -1 for none. */
  function shapeAt(spot) {
    const area = shape => {
      const [left, top, right, bottom] = bounds(shape);
      return (right - left) * (bottom - top);
    };
    let best = -1;
    state.shapes.forEach((shape, i) => {
      if (covers(shape, spot) && (best < 0 || area(shape) < area(state.shapes[best]))) best = i;
    });
    return best;
  }

  // Painting ----------------------------------------------------------------------------------

  function paint() {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    if (!width) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round((width * state.h * ratio) / state.w);
    const ctx = canvas.getContext('2d');
    const { k, x, y } = state.view;
    const s = (canvas.width / state.w) * k;
    const unit = ratio / s;
    ctx.setTransform(s, 0, 0, s, -x * s, -y * s);
    ctx.imageSmoothingEnabled = s < 3 * ratio;
    if (photo.complete && photo.naturalWidth) ctx.drawImage(photo, 0, 0, state.w, state.h);
    if (state.hidden) return;
    if (state.theirs) state.theirs.forEach(shape => outline(ctx, shape, unit, [6, 4], false));
    state.shapes.forEach((shape, i) => {
      if (i != state.chosen) outline(ctx, shape, unit, [], true);
    });
    const chosen = state.shapes[state.chosen];
    if (chosen) {
      outline(ctx, chosen, unit, [], true, 3);
      handles(chosen).forEach(({ at, i }) => dot(ctx, at, unit, i == state.vertex));
    }
    if (state.begun.length) {
      const shape = { label: state.label, points: state.begun };
      outline(ctx, shape, unit, [4, 3], false);
      state.begun.forEach(at => dot(ctx, at, unit));
    }
  }

  function outline(ctx, shape, unit, dashes, filled, thick = 2) {
    const [colour, ink] = colours(shape.label);
    ctx.setLineDash(dashes.map(length => length * unit));
    if (state.form == 'mask') drawMask(ctx, maskOf(shape), colour);
    else if (state.form == 'point' || state.form == 'keypoints') {
      shape.points.forEach(at => (at[2] === 0 ? 0 : disc(ctx, at, 5 * unit, colour, unit)));
    } else {
      const drawn = path(shape);
      ctx.fillStyle = colour + '22';
      if (filled && state.form != 'line') ctx.fill(drawn);
      stroke(ctx, drawn, '#000a', (thick + 2) * unit);
      stroke(ctx, drawn, colour, thick * unit);
    }
    ctx.setLineDash([]);
    if (filled && state.form != 'class') tag(ctx, shape, unit, colour, ink);
  }

  function tag(ctx, shape, unit, colour, ink) {
    const [left, top] = bounds(shape);
    ctx.font = `${12 * unit}px system-ui,sans-serif`;
    ctx.textBaseline = 'middle';
    const width = ctx.measureText(shape.label).width + 8 * unit;
    const height = 16 * unit;
    const { k, x, y } = state.view;
    const at = [Math.max(x, Math.min(left, x + state.w / k - width)), Math.max(y, top - height)];
    ctx.fillStyle = colour;
    ctx.fillRect(...at, width, height);
    ctx.fillStyle = ink;
    ctx.fillText(shape.label, at[0] + 4 * unit, at[1] + height / 2);
  }

  function dot(ctx, [x, y], unit, strong) {
    const side = (strong ? 11 : 8) * unit;
    ctx.fillStyle = strong ? '#d55e00' : '#fff';
    ctx.fillRect(x - side / 2, y - side / 2, side, side);
    ctx.strokeStyle = '#000';
    ctx.lineWidth = unit;
    ctx.strokeRect(x - side / 2, y - side / 2, side, side);
  }

  function disc(ctx, [x, y], radius, colour, unit) {
    const drawn = new Path2D();
    drawn.arc(x, y, radius, 0, 7);
    ctx.fillStyle = colour;
    ctx.fill(drawn);
    stroke(ctx, drawn, '#fff', unit);
  }

  // Changing ----------------------------------------------------------------------------------

  const changed = () => {
    paint();
    edited(state.shapes.map(({ label, points, mask }) => ({ label, points, mask })));
    looked();
  };

  function add(points) {
    state.shapes = [...state.shapes, { label: state.label, points: whole(points.map(clamp)) }];
    state.chosen = state.shapes.length - 1;
    state.begun = [];
    state.vertex = -1;
    changed();
  }

  function put(points) {
    state.shapes = state.shapes.map((shape, i) =>
      i == state.chosen ? { ...shape, points: points.map(clamp) } : shape
    );
    paint();
  }

  /** Ends the outline that is being drawn, if it has points enough. */
  function finish() {
    if (state.begun.length >= LEAST[state.form]) add(state.begun);
  }

  function pulled({ i, j }, points, [x, y]) {
    if (state.form != 'box') return points.map((at, n) => (n == i ? [x, y, ...at.slice(2)] : at));
    const moved = points.map(at => [...at]);
    if (i < 2) moved[i][0] = x;
    if (j < 2) moved[j][1] = y;
    return moved;
  }

  const sorted = ([[a, b], [c, d]]) => [
    [Math.min(a, c), Math.min(b, d)],
    [Math.max(a, c), Math.max(b, d)]
  ];

  canvas.onpointerdown = event => {
    if (event.button || state.locked || state.form == 'class') return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const spot = place(event);
    if (state.drawing && state.form != 'box') return click(spot);
    const handle = !state.drawing && handleAt(spot);
    const hit = state.drawing ? -1 : shapeAt(spot);
    if (!handle) state.chosen = hit;
    state.vertex = handle && state.form != 'box' ? handle.i : -1;
    const points = state.chosen >= 0 ? state.shapes[state.chosen].points : [];
    const kind = handle ? 'pull' : hit >= 0 ? 'move' : state.form == 'box' ? 'new' : 'none';
    drag = { kind, handle, from: spot, points, far: false };
    paint();
    looked();
  };

  canvas.onpointermove = event => {
    const spot = place(event);
    if (!drag) return hover(spot);
    const [dx, dy] = [spot[0] - drag.from[0], spot[1] - drag.from[1]];
    drag.far ||= Math.hypot(dx, dy) * scale() > 3;
    if (!drag.far) return;
    if (drag.kind == 'pull') put(pulled(drag.handle, drag.points, spot));
    else if (drag.kind == 'move' && state.form != 'mask') put(shifted(drag.points, dx, dy));
    else if (drag.kind == 'new') {
      state.begun = sorted([clamp(drag.from), clamp(spot)]);
      paint();
    }
  };

  canvas.onpointerup = canvas.onpointercancel = () => {
    const done = drag;
    drag = null;
    if (!done || !done.far || done.kind == 'none') return;
    if (done.kind == 'new') return ended();
    if (state.form == 'mask') return;
    const { points } = state.shapes[state.chosen];
    put(whole(state.form == 'box' ? sorted(points) : points));
    changed();
  };

  canvas.ondblclick = () => state.drawing && finish();
  canvas.addEventListener('wheel', event => {
    // A wheel alone scrolls the page.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, place(event));
  }, { passive: false }); // prettier-ignore

  /** A box that was drawn, unless it was only a slip of the hand. */
  function ended() {
    const [[left, top], [right, bottom]] = state.begun;
    const wide = Math.min(right - left, bottom - top) * scale() > 3;
    if (wide && Math.min(right - left, bottom - top) >= 1) return add(state.begun);
    state.begun = [];
    paint();
  }

  function click(spot) {
    if (state.form == 'point' || state.form == 'keypoints') return add([[...spot, ...seen()]]);
    const first = state.begun[0];
    if (first && state.begun.length > 2 && near(spot, first)) return finish();
    state.begun = [...state.begun, clamp(spot)];
    paint();
    looked();
  }

  const seen = () => (state.form == 'keypoints' ? [2] : []);

  function hover(spot) {
    const over = handleAt(spot) ? 'grab' : shapeAt(spot) >= 0 ? 'move' : 'crosshair';
    canvas.style.cursor = state.form == 'class' ? 'default' : state.drawing ? 'crosshair' : over;
  }

  /** Points moved together, as far as the photo goes. */
  function shifted(points, dx, dy) {
    const [left, top, right, bottom] = bounds({ points });
    const x = Math.max(-left, Math.min(state.w - right, dx));
    const y = Math.max(-top, Math.min(state.h - bottom, dy));
    return points.map(([a, b, ...rest]) => [a + x, b + y, ...rest]);
  }

  function zoom(times, [px, py] = [state.view.x + state.w / state.view.k / 2, state.view.y + state.h / state.view.k / 2]) {
    const k = Math.max(1, Math.min(16, state.view.k * times));
    const hold = (at, from, size) => Math.max(0, Math.min(size - size / k, at - ((at - from) * state.view.k) / k));
    state.view = { k, x: hold(px, state.view.x, state.w), y: hold(py, state.view.y, state.h) };
    paint();
  }

  return {
    canvas,
    state,
    paint,
    finish,
    zoom,
    /** Shows another image, or other shapes of the same. */
    show(next, isNew) {
      const { shapes, ...rest } = next;
      // What the kernel says meanwhile must not disturb a hand that draws.
      Object.assign(state, rest, drag && !isNew ? {} : { shapes });
      if (isNew) {
        drag = null;
        Object.assign(state, { begun: [], drawing: false, chosen: -1, vertex: -1, view: { k: 1, x: 0, y: 0 } });
      }
      state.chosen = Math.min(state.chosen, state.shapes.length - 1);
      canvas.style.aspectRatio = `${state.w} / ${state.h}`;
      paint();
    },
    photo(url) {
      if (photo.src != url) photo.src = url;
      paint();
    },
    /** Goes to the next shape, or the one before. */
    step(by) {
      const n = state.shapes.length;
      if (n) state.chosen = (state.chosen + by + n + (state.chosen < 0 && by < 0 ? 1 : 0)) % n;
      state.vertex = -1;
      paint();
      looked();
    },
    relabel(label) {
      state.label = label;
      if (state.form == 'class') state.shapes = [{ label, points: [] }];
      else if (state.chosen < 0) return looked();
      else state.shapes = state.shapes.map((shape, i) => (i == state.chosen ? { ...shape, label } : shape));
      changed();
    },
    /** Deletes a point of an outline where one is taken, or else the shape. */
    remove() {
      const shape = state.shapes[state.chosen];
      if (!shape || state.form == 'class') return;
      const many = ['polygon', 'line'].includes(state.form) && shape.points.length > LEAST[state.form];
      if (state.vertex >= 0 && many) {
        put(shape.points.filter((_, i) => i != state.vertex));
        state.vertex = -1;
      } else {
        state.shapes = state.shapes.filter((_, i) => i != state.chosen);
        state.chosen = -1;
      }
      changed();
    },
    /** Draws a shape in the middle, for those without a mouse. */
    plant() {
      const { k, x, y } = state.view;
      const at = (a, b) => [x + (state.w / k) * a, y + (state.h / k) * b, ...seen()];
      const shapes = {
        box: [at(0.4, 0.4), at(0.6, 0.6)],
        polygon: [at(0.4, 0.4), at(0.6, 0.4), at(0.5, 0.6)],
        line: [at(0.4, 0.5), at(0.6, 0.5)]
      };
      add(shapes[state.form] || [at(0.5, 0.5)]);
    },
    /** Moves the selected shape by pixels of the photo, or its right bottom corner. */
    nudge(dx, dy, resize) {
      const shape = state.shapes[state.chosen];
      if (!shape || state.form == 'mask' || state.form == 'class') return;
      if (!resize) put(whole(shifted(shape.points, dx, dy)));
      else if (state.form == 'box') {
        const [[left, top], [right, bottom]] = shape.points;
        put([[left, top], [Math.max(left + 1, right + dx), Math.max(top + 1, bottom + dy)]]);
      }
      changed();
    },
    /** Gives up what is begun, or lets go of what is selected; false where there is nothing. */
    leave() {
      const busy = state.begun.length || state.drawing || state.chosen >= 0;
      Object.assign(state, { begun: [], drawing: false, chosen: -1, vertex: -1 });
      paint();
      looked();
      return busy;
    },
    toggle(name) {
      state[name] = !state[name];
      if (!state.drawing) state.begun = [];
      paint();
      looked();
    }
  };
}
