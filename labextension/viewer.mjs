// Makes viewer.min.js, grid.min.js and their forms that compare layers, of picsellia_jupyter/display/:
// `node viewer.mjs [FOLDER]`.

import { rspack } from '@rspack/core';
import { fileURLToPath } from 'node:url';

// Names of our own that no JSON and no browser knows; they may be any in the output.
const OWN =
  'steps|extent|runs|tall|likeness|matched|rank|vertices|shapes|row|match|panes|over|shownOf|' +
  'paint|pick|laid|wrongs|divide|shut|bare|under|share|pane|px|py|swiping|far|tags|off';
const display = fileURLToPath(new URL('../picsellia_jupyter/display/', import.meta.url));

/** Scripts that compare layers know them all; others the first one alone, and are smaller. */
const made = (entry, compares) => ({
  mode: 'production',
  context: display,
  entry,
  target: ['web', 'es2021'],
  devtool: false,
  output: { path: process.argv[2] ?? display, filename: '[name].min.js', iife: true },
  plugins: [new rspack.DefinePlugin({ COMPARES: compares })],
  optimization: {
    minimizer: [
      new rspack.SwcJsMinimizerRspackPlugin({
        extractComments: false,
        minimizerOptions: {
          ecma: 2020,
          compress: {
            passes: 4,
            ecma: 2020,
            module: true,
            unsafe_arrows: true,
            pure_getters: true
          },
          mangle: { toplevel: true, props: { regex: `^(${OWN})$` } },
          format: { comments: false, ascii_only: true }
        }
      })
    ]
  }
});

const compiler = rspack([
  made({ viewer: './main.js', grid: './grid_main.js' }, false),
  made({ viewer_compared: './main.js', grid_compared: './grid_main.js' }, true)
]);

compiler.run((error, stats) => {
  if (error || stats.hasErrors()) {
    console.error(error ?? stats.toString('errors-only'));
    process.exitCode = 1;
  }
  compiler.close(() => {});
});
