/** Every command of this extension; those that need to know of what take it as an argument. */
export namespace CommandIDs {
  /** Open the deploy form; of the model version `model`, if given. */
  export const deploy = 'picsellia:deploy';
  /** Open the deploy form of what is selected in the sidebar. */
  export const deploySelected = 'picsellia:deploy-selected';
  /** Show the sidebar. */
  export const show = 'picsellia:show';
  /** Ask the platform how it is now. */
  export const refresh = 'picsellia:refresh';
  /** Show or hide the files of the selected model version. */
  export const files = 'picsellia:files';
  /** Copy the selected model version or deployment as one would type it. */
  export const copyReference = 'picsellia:copy-reference';
  /** Insert and run the line that shows a deployment's panel. */
  export const dashboard = 'picsellia:dashboard';
  /** Show what a deployment's serving kernel writes. */
  export const log = 'picsellia:log';
  /** Insert and run the line that follows a deployment's training run. */
  export const training = 'picsellia:training';
  /** End a deployment's serving kernel. */
  export const stop = 'picsellia:stop';
  /** Predict on the selected images of the file browser. */
  export const predict = 'picsellia:predict';
}
