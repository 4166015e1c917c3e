// The pictures of a centre that receives: what people see of each page.

import { PAPER, take } from "./camera.mjs";
import { PHONE, assert, end, facts, it, person, send } from "./house.mjs";

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
  await page.goto("/explore/sources");
  await page.locator("textarea[name=purpose]").fill("who scans for tcp/5555 since the evening");
  await send(page, page.getByRole("button", { name: "Show single sources" }));
  await take(page, "sources", 900);
  await page.locator("main tbody a[href*='/explore/sources/']").first().click();
  await page.waitForURL("**/explore/sources/*.*");
  await take(page, "source", 900);
  await page.goto("/shift");
  await page.locator("textarea[name=note]").fill("tcp/5555 surges since the evening; ThaiCERT was called about two hosts and calls back.");
  await send(page, page.getByRole("button", { name: /Hand over/ }));
  await take(page, "shift", 760);
  await page.goto("/sensors");
  await take(page, "sensors", 900);
  await page.goto("/sensors/enrol");
  await take(page, "enrol", 760);

  const partner = await person("my-cert", { viewport: PAPER });
  await take(partner, "mine", 640);
  await partner.locator("input[name=secret]").fill("of a machine that is not there");
  await send(partner, partner.getByRole("button", { name: "Try" }));
  await take(partner, "trial", 500);
  await partner.goto("/mine/week");
  await take(partner, "week", 760);

  const host = await person("host", { viewport: PAPER });
  await take(host, "telescope", 1100);

  const dark = await person("analyst", { viewport: PAPER, locale: "ja", colorScheme: "dark" });
  await take(dark, "now-ja-dark", 700);
  const phone = await person("operator", { viewport: PHONE });
  await take(phone, "now-phone", 844);

  process.kill(facts.engine, "SIGKILL"); // another is started, and until it answers there is nothing to show
  const answer = await page.goto("/alerts");
  assert.equal(answer.status(), 503);
  await take(page, "error", 400);
});
await end();
