// Who gets in and who stays out: passwords, the end of a session, forms of others, and where each role's links lead.

import { createServer } from "node:http";
import { assert, end, facts, fillIn, it, person, rows, send, stranger } from "./house.mjs";

/** Links of one role that are followed, at most. */
const LINKS_MAX = 150;
const PLACES = {
  viewer: ["Now", "Alerts", "Explore", "Sensors"],
  analyst: ["Now", "Alerts", "Explore", "Shift", "Sensors"],
  operator: ["Now", "Alerts", "Explore", "Shift", "Sensors"],
  "th-cert": ["Mine", "Alerts"],
  host: ["Telescope"],
};

await it("lets nobody in with a wrong password, and says it alike of a name that nobody has", async () => {
  const page = await stranger();
  await page.goto("/alerts");
  const said = [];
  for (const name of ["clumsy", "nobody"]) {
    await fillIn(page, name, "wrong wrong wrong");
    said.push(await page.locator("[role=alert]").innerText());
  }
  assert.equal(said[0], said[1]);
  assert.match(said[0], /wrong/);
  for (let turn = 0; turn < 4; turn += 1) await fillIn(page, "clumsy", "wrong wrong wrong");
  await fillIn(page, "clumsy");
  assert.match(await page.locator("[role=alert]").innerText(), /Too many attempts/);
  await fillIn(page, "viewer");
  assert.equal(new URL(page.url()).pathname, "/alerts", "others are not held up, and come where they wanted to");
});

await it("ends a session: no page comes back with the button that leads back", async () => {
  const page = await person("second");
  await page.goto("/sensors");
  await send(page, page.getByRole("button", { name: "Sign out" }));
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  await page.goBack();
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  assert.equal((await page.context().cookies()).filter((one) => one.name === "noroshi-session" && one.value !== "").length, 0);
});

await it("sends who has no session any more to the sign-in, whatever they press", async () => {
  const page = await person("second");
  await page.goto("/alerts");
  await page.locator("main tbody a").first().click();
  await page.waitForURL("**/alerts/*-*");
  await page.context().clearCookies();
  await send(page, page.getByRole("button", { name: "Note only" }));
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  await page.goto("/now");
  assert.equal(page.url(), `${facts.address}/sign-in?next=%2Fnow`);
});

await it("keeps the session's cookie from scripts and from other sites", async () => {
  const page = await person("viewer");
  const [cookie] = (await page.context().cookies()).filter((one) => one.name === "noroshi-session");
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, "Strict");
  assert.equal(await page.evaluate(() => document.cookie), "");
});

await it("refuses a form without its token", async () => {
  const page = await person("second");
  await page.goto("/alerts?kind=infected_host");
  await send(page, page.locator("main tbody a").first());
  const place = page.url();
  const before = await rows(page, "section:has(h2:text-is('History')) table");
  for (const token of ["", "x"]) {
    await page.goto(place);
    await page.locator("form[action$='/step'] input[name=token]").evaluate((field, token) => { field.value = token; }, token);
    const [answer] = await Promise.all([
      page.waitForNavigation(), page.getByRole("button", { name: "Acknowledge", exact: true }).click(),
    ]);
    assert.equal(answer.status(), 403);
  }
  await page.goto(place);
  assert.deepEqual(await rows(page, "section:has(h2:text-is('History')) table"), before);
});

await it("refuses a form of another site, even with the token", async () => {
  const page = await person("second");
  await page.goto("/alerts?kind=infected_host");
  await send(page, page.locator("main tbody a").first());
  const place = page.url();
  const fields = await page.locator("form[action$='/step'] input").evaluateAll((all) => all.map((one) => one.outerHTML).join(""));
  const before = await rows(page, "section:has(h2:text-is('History')) table");
  const form = `<form method="post" action="${place}/step">${fields}<input name="event" value="acknowledge"></form>
    <script>document.forms[0].submit()</script>`;
  const server = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(form));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  // another port is another origin of the same site, which gets the cookie; another name is another site, which does not
  for (const host of ["127.0.0.1", "localhost"]) {
    const other = await page.context().newPage();
    const answers = [];
    other.on("response", (answer) => { if (answer.url().startsWith(facts.address)) answers.push(answer.status()); });
    await other.goto(`http://${host}:${server.address().port}/`);
    await other.waitForURL(`${facts.address}/**`);
    assert.equal(answers[0], host === "localhost" ? 303 : 403, host);
  }
  server.close();
  await page.goto(place);
  assert.deepEqual(await rows(page, "section:has(h2:text-is('History')) table"), before);
});

/** Every address of the console that is reached from `/`, by links and by forms that only ask. */
async function follow(page) {
  const origin = facts.address;
  const seen = new Set(["/"]);
  const kinds = new Map();
  const waiting = ["/"];
  while (waiting.length > 0 && seen.size < LINKS_MAX) {
    const place = waiting.shift();
    const answer = await page.request.get(origin + place);
    assert.equal(answer.status(), 200, `a link leads to ${place}`);
    if (!(answer.headers()["content-type"] ?? "").includes("html")) continue;
    const links = [...(await answer.text()).matchAll(/(?:href|action)="(\/[^"]*)"/g)];
    for (const [whole, escaped] of links) {
      if (/sign-out|\/trial|\/step|\/note|\/purpose|acknowledge|hand-over/.test(escaped)) continue;
      const next = escaped.replaceAll("&amp;", "&");
      const url = new URL(next, origin);
      // a few of each kind of link: they are made by one line of code
      const kind = `${url.pathname.replace(/[0-9a-f-]{36}/, "ID")}?${[...url.searchParams.keys()].sort()}`;
      const count = kinds.get(kind) ?? 0;
      if (seen.has(next) || count >= 4) continue;
      kinds.set(kind, count + 1);
      seen.add(next);
      waiting.push(next);
    }
  }
  return seen;
}

for (const [name, places] of Object.entries(PLACES)) {
  await it(`leads ${name} to no refusal`, async () => {
    const page = await person(name);
    assert.deepEqual(await page.locator("header nav a").allInnerTexts(), places);
    const followed = await follow(page);
    assert.ok(followed.size > (name === "host" ? 1 : 8), `${followed.size} links`);
    await page.context().close();
  });
}
await end();
