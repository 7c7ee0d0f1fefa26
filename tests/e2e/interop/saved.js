'use strict';

// One more flow for tests/e2e/node/flows.js: an upload that stops half-way, and what an application keeps of it.
// In Node this file is preloaded (NODE_OPTIONS), in Chromium it is a script of the page.

(function add(flows) {
  /**
   * Stops once `after` parts are stored: by cancel(), or by standing still until the process or the tab is gone.
   * `text` is JSON.stringify(checkpoint) as progress told it, `file` and all: a path in Node, {} in browsers.
   */
  flows.saved = async function saved(world, { key, file, options, after, stand }) {
    const uploader = new world.OSS(world.options);
    let text = null;
    const progress = async (fraction, checkpoint) => {
      if (!checkpoint) return;
      text = JSON.stringify(checkpoint);
      if (checkpoint.doneParts.length < after) return;
      if (!stand) {
        uploader.cancel();
        return;
      }
      await world.emit({ event: 'saved', text });
      await new Promise(() => {});
    };
    try {
      await uploader.multipartUpload(key, await world.source(file), Object.assign({}, options, { progress }));
    } catch (error) {
      if (error.name !== 'cancel') throw error;
      return { text };
    }
    throw new Error('the upload ended before it was stopped');
  };
})(typeof window === 'undefined' ? require(`${process.cwd()}/flows.js`).flows : window.mossaicFlows.flows);
