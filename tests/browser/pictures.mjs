// The pictures of docs/images: what people see of each page.

import { writeFile } from "node:fs/promises";
import { paper } from "./paper.mjs";
import { PHONE, assert, end, it, person, send, stranger } from "./house.mjs";

/** As wide as a document shows them. */
const PAPER = { width: 1100, height: 760 };
/** Bytes of one picture, at most. */
const BYTES_MAX = 80_000;

const blank = await stranger();

/** Takes a picture of the top of a page, as much as is worth showing. */
async function take(page, name, height = 760) {
  const { width } = page.viewportSize();
  const whole = await page.evaluate(() => document.documentElement.scrollHeight);
  const clip = { x: 0, y: 0, width, height: Math.min(height, whole) };
  const picture = await paper(blank, await page.screenshot({ clip, fullPage: true }));
  await writeFile(`docs/images/console-${name}.png`, picture);
  assert.ok(picture.length < BYTES_MAX, `${name}: ${picture.length} bytes`);
  console.log(`    ${picture.length} bytes  ${name}`);
}

await it("takes them", async () => {
  const page = await person("operator", { viewport: PAPER });
  await take(page, "now", 1180);
  await page.goto("/alerts?state=any&order=severity");
  await take(page, "alerts", 620);
  await page.goto("/alerts?state=any&kind=scan_surge");
  await send(page, page.locator("main tbody a").first());
  await take(page, "alert", 1010);
  await page.goto("/alerts?kind=ddos_victim&state=any");
  await send(page, page.locator("main tbody a").first());
  await take(page, "purpose", 720);
  await page.locator("textarea[name=purpose]").fill("its provider asks which address it is");
  await send(page, page.getByRole("button", { name: "Show this case's addresses" }));
  await take(page, "case", 1200);
  await page.goto("/explore");
  await take(page, "explore", 900);
  await page.goto("/shift");
  await page.locator("textarea[name=note]").fill("tcp/5555 surges since the evening; ThaiCERT was called about two hosts and calls back.");
  await send(page, page.getByRole("button", { name: /Hand over/ }));
  await take(page, "shift", 760);
  await page.goto("/sensors");
  await take(page, "sensors", 900);

  const partner = await person("my-cert", { viewport: PAPER });
  await take(partner, "mine", 640);

  const host = await person("host", { viewport: PAPER });
  await take(host, "telescope", 1100);

  const dark = await person("analyst", { viewport: PAPER, locale: "ja", colorScheme: "dark" });
  await take(dark, "now-ja-dark", 700);
  const phone = await person("operator", { viewport: PHONE });
  await take(phone, "now-phone", 844);
});
await end();
