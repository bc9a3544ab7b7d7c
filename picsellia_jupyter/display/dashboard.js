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
  const code = times.querySelector('.pxj-take code');
  const groups = [...root.querySelectorAll('.pxj-bins')].map((group) => [...group.children]);
  const choose = (index) => {
    times.open = true;
    rows.forEach((row, at) => row.classList.toggle('pxj-chosen', at === index));
    for (const bins of groups)
      bins.forEach((bin, at) => bin.setAttribute('aria-pressed', String(at === index)));
    const scroller = rows[index].closest('.pxj-scroll');
    scroller.scrollTop = rows[index].offsetTop - scroller.offsetTop - 40;
    code.textContent = groups[0][index].dataset.take;
  };
  const move = (bins, from, key) => {
    const ends = { Home: 0, End: bins.length - 1 };
    const steps = { ArrowRight: from + 1, ArrowLeft: from - 1 };
    const to = bins[key in ends ? ends[key] : steps[key]];
    if (!to) return false;
    bins.forEach((bin) => { bin.tabIndex = bin === to ? 0 : -1; });
    to.focus();
    return true;
  };
  for (const bins of groups)
    bins.forEach((bin, index) => {
      bin.addEventListener('click', () => choose(index));
      bin.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        if (move(bins, index, event.key)) {
          event.preventDefault();
          event.stopPropagation();
        }
      });
    });
})();
