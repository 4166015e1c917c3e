// What every subject begins with: the browser, people who sign in, and a word on how it went.
//
// Arguments: one, JSON: `address` of the console, `users` with their passwords, `modules` and `chromium` of this machine.

import { createRequire } from "node:module";
import assert from "node:assert/strict";

export const facts = JSON.parse(process.argv[2]);
const require = createRequire(`${facts.modules}/`);
const { chromium } = require("playwright-core");

/** The script that judges pages. */
export const axe = require("axe-core").source;
export { assert };

/** How long something may take to appear on a busy machine, in milliseconds. */
export const PATIENCE = 60_000;
export const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

// Letters without coloured edges make small pictures; a container's root has no sandbox to put a browser into.
// A console of another name than its address is a site of its own.
const args = [
  "--disable-lcd-text",
  ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
  ...(facts.served ? [`--host-resolver-rules=MAP ${new URL(facts.address).host} ${facts.served}`] : []),
];
const browser = await chromium.launch({ executablePath: facts.chromium, args });

/** A browser nobody has used; `page.troubles` are its complaints, of whatever page. */
export async function stranger(wishes = {}) {
  const context = await browser.newContext({
    baseURL: facts.address, viewport: WIDE, locale: "en", timezoneId: "UTC", ...wishes,
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.troubles = [];
  const note = (what) => page.troubles.push(`${what} (${page.url()})`);
  page.on("console", (said) => {
    if (["error", "warning"].includes(said.type())) note(said.text());
  });
  page.on("pageerror", (error) => note(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${facts.address}/`)) note(`asks ${request.url()}`);
  });
  return page;
}

/** Where each begins. */
const first = (name) => (name === "host" ? "/telescope" : name.endsWith("-cert") ? "/mine" : "/now");

/** A page on which somebody is signed in, at the first page of theirs. */
export async function person(name, wishes = {}) {
  const page = await stranger(wishes);
  await page.goto("/");
  await fillIn(page, name);
  assert.equal(new URL(page.url()).pathname, first(name));
  return page;
}

/** Fills in the sign-in that is shown, and sends it. */
export async function fillIn(page, name, password = facts.users[name]) {
  await page.locator("input[name=name]").fill(name);
  await page.locator("input[name=password]").fill(password);
  await send(page, page.locator("form button"));
}

/** Types a name at the provider of identities, and agrees to whatever it asks. */
export async function come(page, name) {
  await page.getByRole("link", { name: "Sign in with the ministry" }).click();
  await page.locator("input[name=login]").fill(name);
  await page.locator("input[name=password]").fill("whatever it takes");
  await send(page, page.locator("button[type=submit]"));
  await send(page, page.getByRole("button", { name: "Continue" }));
}

/** Presses what sends a form, and waits for the page that answers. */
export async function send(page, button) {
  await Promise.all([page.waitForNavigation(), button.click()]);
}

/** The text of each cell of a table, a row each. */
export function rows(page, table = "main table") {
  const texts = (all) => all.map((row) => [...row.cells].map((cell) => cell.innerText.trim()));
  return page.locator(`${table} tbody tr`).evaluateAll(texts);
}

let failed = 0;

/** One thing that must be so. What fails is told, and the next is looked at all the same. */
export async function it(what, look) {
  try {
    await look();
    console.log(`    ok      ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`    not ok  ${what}\n${error.stack}`);
  }
}

/** Closes the browser; the process says whether all was well. */
export async function end() {
  await browser.close();
  process.exit(failed === 0 ? 0 : 1);
}
