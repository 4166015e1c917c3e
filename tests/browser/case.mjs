// One case, from its opening to an acknowledgement, and who reads of it.

import { assert, end, it, person, rows, send } from "./house.mjs";

const ADDRESS = /\b192\.0\.2\.\d+/;
const WHY = "the provider asks which host it is";
const page = await person("operator");
const main = () => page.locator("main").innerText();

await it("shows no address before a purpose is stated", async () => {
  await page.goto("/alerts?kind=infected_host&partner=th-cert");
  assert.doesNotMatch(await page.content(), ADDRESS);
  await page.locator("main tbody a").first().click();
  await page.waitForURL("**/alerts/*-*");
  assert.doesNotMatch(await page.content(), ADDRESS);
});

await it("takes no purpose that is none", async () => {
  const purpose = page.locator("textarea[name=purpose]");
  await purpose.fill("abuse");
  await page.getByRole("button", { name: "Show this case's addresses" }).click();
  assert.equal(await purpose.evaluate((field) => field.validity.tooShort), true);
  assert.doesNotMatch(await page.content(), ADDRESS);
});

await it("shows the address with one", async () => {
  await page.locator("textarea[name=purpose]").fill(WHY);
  await send(page, page.getByRole("button", { name: "Show this case's addresses" }));
  assert.match(await page.locator("h1").innerText(), ADDRESS);
  assert.match(await main(), /Packets that bear this address/);
});

await it("acknowledges, once, and has it in the history", async () => {
  await page.locator("textarea[name=note]").fill("called <b>them</b>");
  await send(page, page.getByRole("button", { name: "Acknowledge", exact: true }));
  const lines = await rows(page, "section:has(h2:text-is('History')) table");
  const last = lines.at(-1).join(" ");
  assert.match(last, /Acknowledge/);
  assert.match(last, /called <b>them<\/b>/);
  assert.match(last, /operator/);
  assert.equal(await page.getByRole("button", { name: "Acknowledge", exact: true }).count(), 0);
  assert.match(await main(), /acknowledged/);
});

await it("answers a step that was taken meanwhile", async () => {
  const other = await person("operator");
  await other.goto("/alerts?kind=scanning_host&partner=th-cert&state=any");
  await send(other, other.locator("main tbody a").first());
  const again = await other.context().newPage();
  await again.goto(other.url());
  for (const [one, status] of [[other, 200], [again, 409]]) {
    const [answer] = await Promise.all([
      one.waitForNavigation(), one.getByRole("button", { name: "Acknowledge", exact: true }).click(),
    ]);
    assert.equal(answer.status(), status);
  }
  assert.match(await again.locator("main").innerText(), /moved on/);
});

await it("tells the partner who looked and what for, and what was done", async () => {
  const partner = await person("th-cert");
  const seen = await partner.locator("main").innerText();
  assert.ok(seen.includes(WHY));
  assert.ok(!(await partner.content()).includes("operator:operator"), "people of the centre stay unnamed");
  await partner.goto(page.url());
  assert.match(await partner.locator("main").innerText(), /acknowledged/);
  assert.doesNotMatch(await partner.content(), /called/);
});

await it("complains about nothing", () => assert.deepEqual(page.troubles, []));
await end();
