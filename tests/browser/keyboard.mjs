// Without a mouse: in, to an alert, and an acknowledgement, by Tab and Enter; and where the keyboard is can be seen.

import { assert, end, facts, it, rows, stranger } from "./house.mjs";

/** Presses of Tab on one page, at most. */
const TABS_MAX = 200;
const page = await stranger();

/** What has the keyboard, and how it can be seen. */
const focused = () => page.evaluate(() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  return {
    name: at.name, text: at.innerText?.trim(), href: at.getAttribute("href"), tag: at.tagName,
    isSeen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
      && box.width > 0 && box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
  };
});

/** Presses Tab until what has the keyboard is `wanted`; each stop must be seen. */
async function tabTo(wanted) {
  for (let press = 0; press < TABS_MAX; press += 1) {
    await page.keyboard.press("Tab");
    const at = await focused();
    if (at.tag === "BODY") continue; // around the end of the page
    assert.ok(at.isSeen, `the keyboard is not to be seen at ${JSON.stringify(at)}`);
    if (wanted(at)) return at;
  }
  throw new Error("Tab does not lead there");
}

async function enter() {
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}

await it("signs in", async () => {
  await page.goto("/");
  assert.equal((await focused()).name, "name", "the keyboard begins at the name");
  await page.keyboard.type("operator");
  await tabTo((at) => at.name === "password");
  await page.keyboard.type(facts.users.operator);
  await enter();
  assert.equal(new URL(page.url()).pathname, "/now");
});

await it("jumps over what is on every page", async () => {
  await page.keyboard.press("Tab");
  const at = await focused();
  assert.equal(at.href, "#content");
  assert.ok(at.isSeen);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.querySelector("main").contains(document.activeElement)));
});

await it("reaches an alert and acknowledges it", async () => {
  await page.goto("/alerts?kind=infected_host&partner=my-cert");
  await tabTo((at) => at.href?.startsWith("/alerts/"));
  await enter();
  assert.match(page.url(), /\/alerts\/[0-9a-f-]{36}$/);
  await tabTo((at) => at.text === "Acknowledge");
  await enter();
  const lines = await rows(page, "section:has(h2:text-is('History')) table");
  assert.match(lines.at(-1).join(" "), /Acknowledge.*operator:operator/s);
});

await it("acknowledges together on the shift's page", async () => {
  await page.goto("/shift");
  const waiting = await page.locator("input[name=case]").count();
  assert.ok(waiting > 1);
  await tabTo((at) => at.name === "case");
  await page.keyboard.press("Space");
  await page.locator("input[name=case]:checked").waitFor();
  await tabTo((at) => at.text === "Acknowledge those chosen");
  await enter();
  assert.equal(await page.locator("input[name=case]").count(), waiting - 1);
});

await it("complains about nothing", () => assert.deepEqual(page.troubles, []));
await end();
