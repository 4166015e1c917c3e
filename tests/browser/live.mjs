// The demo, while it plays: who looks sees alerts as they open, without doing anything.

import { PATIENCE, assert, end, facts, it, person, rows } from "./house.mjs";

const links = "main table a[href^='/alerts/']";
const names = Object.keys(facts.users);
const page = await person("operator");

await it("prints an operator and a partner", () => {
  assert.deepEqual(names.sort(), ["operator", "th-cert"]);
});

await it("shows alerts as they open, on the page that was loaded once", async () => {
  await page.evaluate(() => { document.body.dataset.loaded = "once"; });
  const before = await page.locator(links).count();
  for (const sensor of facts.held) process.kill(sensor, "SIGCONT");
  const grown = ([links, before]) => document.querySelectorAll(links).length > before;
  await page.waitForFunction(grown, [links, before], { timeout: 2 * PATIENCE });
  assert.equal(await page.locator("body").getAttribute("data-loaded"), "once");
});

await it("leaves the keyboard where it is when the page refreshes itself", async () => {
  const link = page.locator(links).last();
  const href = await link.getAttribute("href");
  await link.focus();
  await page.evaluate(() => { document.querySelector("main").firstElementChild.dataset.old = "yes"; });
  await page.waitForFunction(() => !document.querySelector("[data-old]"));
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), href);
});

await it("shows a partner its own", async () => {
  const partner = await person("th-cert");
  await partner.goto("/alerts?state=any");
  const named = (await rows(partner)).map((row) => row[2]).filter((subject) => /^\d+\./.test(subject));
  assert.ok(named.length > 0);
  for (const subject of named) assert.match(subject, /^192\.0\.2\.\d+$/);
  assert.deepEqual(partner.troubles, []);
});

await it("complains about nothing", () => assert.deepEqual(page.troubles, []));
await end();
