// Photos that a page only links. Their `img` stands in the page, where its address is resolved.

/** Calls back with the address of an `img`, now or once the page has found it. */
export function whenFound(img, call) {
  if (img.complete && img.naturalWidth) call(img.src);
  else img.addEventListener('load', () => call(img.src), { once: true });
}
