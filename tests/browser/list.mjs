// Looking for alerts: filters, orders, pages, addresses that can be kept; and the table that is taken away.

import { readFile } from "node:fs/promises";
import { assert, end, fillIn, it, person, rows, send } from "./house.mjs";

const URGENCY = ["high", "medium", "low", "info"];
const page = await person("analyst");
const show = () => send(page, page.locator("form.filters button"));
const shown = async () => (await page.locator("main tbody a").evaluateAll((all) => all.map((one) => one.href)));

await it("filters by kind and partner, and the address of the list can be kept", async () => {
  await page.goto("/alerts");
  await page.locator("select[name=kind]").selectOption("scanning_host");
  await page.locator("select[name=partner]").selectOption("th-cert");
  await page.locator("select[name=state]").selectOption("any");
  await show();
  const found = await rows(page);
  assert.ok(found.length > 0);
  for (const row of found) {
    assert.equal(row[1], "Scanning host");
    assert.equal(row[3], "th-cert");
  }
  const kept = page.url();
  const other = await person("viewer");
  await other.goto(kept);
  assert.deepEqual(await rows(other), found, "whoever opens it sees the same");
  assert.equal(await other.locator("select[name=kind]").inputValue(), "scanning_host");
});

await it("keeps an address through the sign-in", async () => {
  const kept = new URL("/alerts?kind=scan_surge&state=any", page.url());
  const other = await person("viewer");
  await other.context().clearCookies();
  await other.goto(kept.href);
  assert.equal(new URL(other.url()).pathname, "/sign-in");
  await fillIn(other, "viewer");
  assert.equal(other.url(), kept.href);
});

await it("sorts by opening and by urgency", async () => {
  await page.goto("/alerts?state=any&order=opened");
  const opened = (await rows(page)).map((row) => row[4]);
  assert.deepEqual(opened, [...opened].sort().reverse());
  await page.locator("select[name=order]").selectOption("severity");
  await show();
  const urgent = (await rows(page)).map((row) => URGENCY.indexOf(row[0]));
  assert.ok(!urgent.includes(-1));
  assert.deepEqual(urgent, [...urgent].sort());
  assert.ok(new Set(urgent).size > 1, "there is something to sort");
});

await it("leaves no alert out between two pages, and shows none twice", async () => {
  await page.goto("/alerts?state=any");
  const first = await shown();
  await send(page, page.locator("a[rel=next]"));
  const both = [...first, ...(await shown())];
  assert.equal(new Set(both).size, both.length);
  const said = await page.locator("main .note").first().innerText();
  assert.match(said, new RegExp(`–${both.length} of ${both.length}$`));
});

await it("says so where nothing matches", async () => {
  await page.goto("/alerts?country=NZ");
  assert.deepEqual(await rows(page), []);
  assert.match(await page.locator("main").innerText(), /No alert matches/);
});

await it("takes away as CSV what the page of scans shows", async () => {
  await page.goto("/explore?service=tcp/23");
  const [download] = await Promise.all([
    page.waitForEvent("download"), page.locator("a[href^='/explore.csv']").first().click(),
  ]);
  const text = await readFile(await download.path(), "utf8");
  const [head, ...lines] = text.trim().split("\r\n").map((line) => line.split(","));
  const sources = head.indexOf("sources");
  const seen = lines.map((line) => Number(line[sources])).filter((count) => count > 0);
  const most = Math.max(...seen);
  const heights = await page.locator("svg.plot .bar").evaluateAll((all) => all.map((bar) => Number(bar.getAttribute("height"))));
  const tallest = Math.max(...heights);
  assert.equal(seen.length, heights.length, "a bar for each row");
  for (const [place, count] of seen.entries()) {
    assert.ok(Math.abs(heights[place] / tallest - count / most) < 0.02, `bar ${place} shows ${count} of ${most}`);
  }
});

await it("complains about nothing", () => assert.deepEqual(page.troubles, []));
await end();
