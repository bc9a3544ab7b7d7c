// Elements of a page; text is only ever text.

/** An element, as `tag.class`. Of its parts objects are properties, what is false is left out. */
export function h(kind, ...parts) {
  const [tag, className] = kind.split('.');
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const part of parts.flat()) {
    if (part?.constructor == Object) Object.assign(element, part);
    else if (part) element.append(part);
  }
  return element;
}
