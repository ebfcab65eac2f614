// Reads code blocks from pages of the manual.

import { readFileSync } from "node:fs";

/** The text of a page. */
export function page(path) {
  return readFileSync(path, "utf8");
}

/** The part of a page under a heading of the second level. */
export function section(path, heading) {
  return page(path).split(`\n## ${heading}\n`)[1].split("\n## ")[0];
}

/**
 * The code blocks of a text: `language`, `text`, and `path` if the block is a file. A comment in its first line has the path, or the line
 * before the block, as in "`package.json`:".
 */
export function blocks(text) {
  return [...text.matchAll(/(?:`(\S+\.\w+)`:\n\n)?^```(\w+)\n((?:(?:\/\/|#) (\S+\.\w+)\n)?.*?)^```$/gms)].map(
    ([, before, language, text, inside]) => ({ language, text, path: inside ?? before }),
  );
}
