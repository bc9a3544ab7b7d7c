// What runs in an output: the viewer takes the place of the static picture around it.

import { h } from './elements.js';
import { view } from './viewer.js';

const root = document.currentScript.parentNode;
const data = JSON.parse(root.querySelector('[type="application/json"]').textContent);
const content = view(data);
const shadow = root.shadowRoot || root.attachShadow({ mode: 'open' });
shadow.replaceChildren(h('style', {}, root.querySelector('style').textContent), content);
