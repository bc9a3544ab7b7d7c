// Makes picsellia_jupyter/display/viewer.min.js of the viewer's modules: `node viewer.mjs [FOLDER]`.

import { rspack } from '@rspack/core';
import { fileURLToPath } from 'node:url';

const display = fileURLToPath(new URL('../picsellia_jupyter/display/', import.meta.url));

const compiler = rspack({
  mode: 'production',
  context: display,
  entry: './main.js',
  target: ['web', 'es2021'],
  devtool: false,
  output: { path: process.argv[2] ?? display, filename: 'viewer.min.js', iife: true },
  optimization: {
    minimizer: [
      new rspack.SwcJsMinimizerRspackPlugin({
        extractComments: false,
        minimizerOptions: {
          ecma: 2020,
          compress: { passes: 4, ecma: 2020, unsafe_arrows: true, pure_getters: true },
          mangle: { toplevel: true },
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
