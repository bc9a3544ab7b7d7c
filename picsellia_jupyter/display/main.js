// What runs in an output: the viewer takes the place of the static picture around it.

import { h } from './elements.js';
import { whenFound } from './linked.js';
import { view } from './viewer.js';

const root = document.currentScript.parentNode;
const data = JSON.parse(root.querySelector('[type]').textContent);
const style = root.querySelector('style').textContent;

function show(photo) {
  const shadow = root.shadowRoot || root.attachShadow({ mode: 'open' });
  shadow.replaceChildren(h('style', style), view({ ...data, photo }));
}

data.photo ? show(data.photo) : whenFound(root.querySelector('img'), show);
