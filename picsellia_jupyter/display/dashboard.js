(() => {
  const own = document.currentScript;
  const root = own && own.closest('.pxj-dash');
  if (!root) return;
  // A dashboard that is drawn anew keeps open what was open.
  const host = root.closest('.jp-OutputArea-child');
  if (host) {
    const open = (host.pxjOpen = host.pxjOpen || {});
    root.querySelectorAll('details').forEach((part) => {
      if (part.dataset.part in open) part.open = open[part.dataset.part];
      part.addEventListener('toggle', () => { open[part.dataset.part] = part.open; });
    });
  }
  const times = root.querySelector('.pxj-times');
  const rows = [...times.querySelectorAll('tbody tr')];
  const what = times.querySelector('.pxj-take span');
  const code = times.querySelector('.pxj-take code');
  const groups = [...root.querySelectorAll('.pxj-bins')].map((group) => [...group.children]);
  const bounds = (from, to) => [groups[0][from].dataset.since, groups[0][to].dataset.until];
  // The fields of a live dashboard's controls; elsewhere there are none.
  const field = (name) => {
    const id = root.dataset.watch;
    return id && document.querySelector(`.${id} .pxj-${name} input`);
  };
  const write = (name, from, to) => {
    const into = field(name);
    if (!into) return;
    into.value = bounds(from, to).join(' to ');
    for (const type of ['input', 'change']) into.dispatchEvent(new Event(type, { bubbles: true }));
  };
  const mark = (from, to) => {
    for (const bins of groups)
      bins.forEach((bin, at) => bin.setAttribute('aria-pressed', String(from <= at && at <= to)));
  };
  const choose = (from, to) => {
    const narrows = from !== to;
    const [since, until] = bounds(from, to);
    mark(from, to);
    rows.forEach((row, at) => row.classList.toggle('pxj-chosen', from <= at && at <= to));
    what.textContent = narrows ? 'This range alone: ' : 'Their images: ';
    const verb = narrows ? 'dashboard' : 'predicted';
    code.textContent = `d.${verb}(since="${since}", until="${until}")`;
    times.open = true;
    const scroller = rows[from].closest('.pxj-scroll');
    scroller.scrollTop = rows[from].offsetTop - scroller.offsetTop - 40;
    write(narrows ? 'range' : 'images', from, to);
  };
  const moved = (bins, from, key) => {
    const ends = { Home: 0, End: bins.length - 1 };
    const steps = { ArrowRight: from + 1, ArrowLeft: from - 1 };
    const to = key in ends ? ends[key] : steps[key];
    if (!bins[to]) return -1;
    bins.forEach((bin, at) => { bin.tabIndex = at === to ? 0 : -1; });
    bins[to].focus();
    return to;
  };
  for (const bins of groups) {
    let anchor = -1; // where a selection began, by the pointer or with Shift
    let dragged = false;
    const span = (to) => [Math.min(anchor, to), Math.max(anchor, to)];
    const under = (event) => {
      const last = bins.findLastIndex((bin) => bin.getBoundingClientRect().left <= event.clientX);
      return Math.max(last, 0);
    };
    const group = bins[0].parentElement;
    group.addEventListener('pointerdown', (event) => {
      if (event.button) return;
      anchor = under(event);
      dragged = false;
      const move = (at) => {
        dragged = dragged || under(at) !== anchor;
        if (dragged) mark(...span(under(at)));
      };
      const end = (at) => {
        window.removeEventListener('pointermove', move);
        window.removeEventListener('pointerup', end);
        window.removeEventListener('pointercancel', end);
        if (!dragged) return;
        if (at.type === 'pointerup' && under(at) !== anchor) choose(...span(under(at)));
        else mark(-1, -1);
      };
      window.addEventListener('pointermove', move);
      window.addEventListener('pointerup', end);
      window.addEventListener('pointercancel', end);
    });
    bins.forEach((bin, index) => {
      bin.addEventListener('click', (event) => {
        // Keys make clicks without a pointer; a drag that ended here has chosen already.
        if (event.detail && dragged) return;
        if (!event.detail && anchor >= 0 && anchor !== index) choose(...span(index));
        else choose(index, index);
        anchor = -1;
      });
      bin.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        if (event.key === 'Escape' && anchor >= 0) {
          anchor = -1;
          mark(-1, -1);
        } else {
          const from = event.shiftKey && anchor < 0 ? index : anchor;
          const to = moved(bins, index, event.key);
          if (to < 0) return;
          anchor = event.shiftKey ? from : -1;
          if (event.shiftKey) mark(...span(to));
        }
        event.preventDefault();
        event.stopPropagation();
      });
    });
  }
})();
