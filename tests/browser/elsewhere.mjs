// Signing in by a provider of identities: a site of its own, so that cookies are what they are between sites.

import { assert, come, end, facts, fillIn, it, send, stranger } from "./house.mjs";

await it("lets in whom the provider knows and a user names, where they wanted to go", async () => {
  const page = await stranger();
  await page.goto("/alerts?kind=scan_surge");
  await come(page, "248289761001");
  await page.waitForURL(`${facts.address}/alerts?kind=scan_surge`);
  assert.match(await page.locator("header form.who").innerText(), /naoko · analyst/);
  const cookies = await page.context().cookies(facts.address);
  const session = cookies.find((one) => one.name === "noroshi-session");
  assert.equal(session.sameSite, "Strict");
  assert.equal(cookies.filter((one) => one.name === "noroshi-journey").length, 0, "the journey is over");
  await send(page, page.getByRole("button", { name: "Sign out" }));
  await page.goto("/alerts");
  assert.equal(new URL(page.url()).pathname, "/sign-in");
});

await it("leads who leaves to where the provider forgets them too", async () => {
  const page = await stranger();
  await page.goto("/");
  await come(page, "248289761001");
  await page.waitForURL(`${facts.address}/now`);
  await send(page, page.getByRole("button", { name: "Sign out" }));
  assert.equal(new URL(page.url()).pathname, "/sign-in/elsewhere/left");
  await page.goto("/sign-in");
  await page.getByRole("link", { name: "Sign in with the ministry" }).click();
  await page.waitForURL(`${facts.address}/now`); // nobody was asked anything
  await send(page, page.getByRole("button", { name: "Sign out" }));
  await page.getByRole("link", { name: "Sign out at the ministry too" }).click();
  await send(page, page.getByRole("button", { name: "Yes, sign me out" }));
  await page.goto(`${facts.address}/sign-in`);
  await page.getByRole("link", { name: "Sign in with the ministry" }).click();
  await page.locator("input[name=login]").waitFor();
});

await it("tells whom no user names what to say to the operator", async () => {
  const page = await stranger();
  await page.goto("/");
  await come(page, "somebody else");
  await page.waitForURL(`${facts.address}/sign-in/elsewhere/back?**`);
  assert.match(await page.locator("[role=alert]").innerText(), /known there as “somebody else”/);
  await page.goto("/now");
  assert.equal(new URL(page.url()).pathname, "/sign-in");
});

await it("takes no answer twice, nor in another browser", async () => {
  const page = await stranger();
  const answers = [];
  page.on("request", (request) => { if (request.url().includes("/back?")) answers.push(request.url()); });
  await page.goto("/");
  await come(page, "248289761001");
  await page.waitForURL(`${facts.address}/now`);
  for (const one of [page, await stranger()]) {
    const again = await one.goto(answers[0]);
    assert.equal(again.status(), 403);
  }
});

await it("lets in by a password beside it", async () => {
  const page = await stranger();
  await page.goto("/");
  await fillIn(page, "viewer");
  assert.equal(new URL(page.url()).pathname, "/now");
});
await end();
