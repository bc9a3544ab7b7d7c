// Photos that a page only links. Their `img` stands in the page, where its address is resolved.

/** Calls back with the address of an `img`, now or once the page has found it. */
export function whenFound(img, call) {
  img.onload = () => call(img.src);
  if (img.naturalWidth) img.onload();
}
