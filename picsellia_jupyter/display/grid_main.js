// What runs in an output with many images: the grid takes the place of the static pictures.

import { h } from './elements.js';
import { grid } from './grid.js';

const root = document.currentScript.parentNode;
const data = JSON.parse(root.querySelector('[type="application/json"]').textContent);
const stills = root.querySelectorAll('img');
data.items.forEach((item, i) => (item.still = stills[i]));
const shadow = root.shadowRoot || root.attachShadow({ mode: 'open' });
shadow.replaceChildren(h('style', root.querySelector('style').textContent), grid(data));
