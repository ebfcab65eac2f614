// Where Monaco finds its workers: files of their own, because the page's policy allows no code in blob: or data: addresses.

/* global WORKERS -- build.mjs puts the files' names here */
globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(WORKERS[label] ?? WORKERS.editor, import.meta.url)),
};
