// Makes viewer.min.js and grid.min.js of the modules in picsellia_jupyter/display/:
// `node viewer.mjs [FOLDER]`.

import { rspack } from '@rspack/core';
import { fileURLToPath } from 'node:url';

// Names of our own that no JSON and no browser knows; they may be any in the output.
const OWN =
  'steps|ranks|starts|xy|seen|order|boxes|areas|runs|tints|likeness|state|panes|over|rowsOf|hit|' +
  'middle|paint|pick|errors|divide|shut|under|share|pane|px|py|swiping|far|tags|off';
const display = fileURLToPath(new URL('../picsellia_jupyter/display/', import.meta.url));

const compiler = rspack({
  mode: 'production',
  context: display,
  entry: { viewer: './main.js', grid: './grid_main.js' },
  target: ['web', 'es2021'],
  devtool: false,
  output: { path: process.argv[2] ?? display, filename: '[name].min.js', iife: true },
  optimization: {
    minimizer: [
      new rspack.SwcJsMinimizerRspackPlugin({
        extractComments: false,
        minimizerOptions: {
          ecma: 2020,
          compress: { passes: 4, ecma: 2020, unsafe_arrows: true, pure_getters: true },
          mangle: { toplevel: true, props: { regex: `^(${OWN})$` } },
          format: { comments: false, ascii_only: true }
        }
      })
    ]
  }
});

compiler.run((error, stats) => {
  if (error || stats.hasErrors()) {
    console.error(error ?? stats.toString('errors-only'));
    process.exitCode = 1;
  }
  compiler.close(() => {});
});
