// Takes the pictures of docs/images.

import { writeFile } from "node:fs/promises";
import { paper } from "./paper.mjs";
import { assert, stranger } from "./house.mjs";

/** As wide as a document shows them. */
export const PAPER = { width: 1100, height: 760 };
/** Bytes of one picture, at most. */
const BYTES_MAX = 80_000;

const blank = await stranger();

/** Takes a picture of the top of a page, as much as is worth showing. */
export async function take(page, name, height = 760) {
  const { width } = page.viewportSize();
  const whole = await page.evaluate(() => document.documentElement.scrollHeight);
  const clip = { x: 0, y: 0, width, height: Math.min(height, whole) };
  const picture = await paper(blank, await page.screenshot({ clip, fullPage: true }));
  await writeFile(`docs/images/console-${name}.png`, picture);
  assert.ok(picture.length < BYTES_MAX, `${name}: ${picture.length} bytes`);
  console.log(`    ${picture.length} bytes  ${name}`);
}
