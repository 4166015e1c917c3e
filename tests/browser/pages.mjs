// Every page in every role: no error, no breach of the policy, no wider than a phone, light enough, and nothing that
// axe calls serious; English and Japanese, light and dark.

import { PHONE, WIDE, assert, axe, end, facts, fillIn, it, person, stranger } from "./house.mjs";

/** What a page may weigh with all it loads, in bytes. */
const WEIGHT_MAX = 300_000;
const CENTRE = ["/now", "/alerts", "/alerts?state=any&order=severity", "/explore", "/explore?service=tcp/23", "/explore/sensors",
  "/explore/networks", "/sensors"];
const PLACES = {
  viewer: CENTRE, analyst: [...CENTRE, "/explore/sources", "/shift"],
  operator: [...CENTRE, "/explore/sources", "/sensors/enrol", "/shift", "/shift?hours=168"],
  "th-cert": ["/mine", "/mine/week", "/alerts", "/alerts?state=any"], "my-cert": ["/mine", "/mine/week"],
  host: ["/telescope", "/telescope?sensor=jp-2"],
};
const LANGUAGES = ["en", "ja"];
const LOOKS = [[WIDE, "light"], [PHONE, "dark"]];
/** Cases that are looked at in roles and languages other than the one that is tried in full. */
const CASES = 2;
const weights = new Map();

/** What axe calls serious or critical. */
async function judge(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
  return grave.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`);
}

/** Looks at the page that is shown, in either size and colour; returns what is wrong with it. */
async function inspect(page) {
  const wrong = [];
  for (const [viewport, colorScheme] of LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    const look = `${page.url()} ${viewport.width} ${colorScheme}`;
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > viewport.width) wrong.push(`${look}: ${width} wide`);
    for (const grave of await judge(page)) wrong.push(`${look}: ${grave}`);
  }
  return wrong;
}

/** Loads a page as if for the first time, looks at it, and weighs what came; returns what is wrong with it. */
async function visit(page, place, status = 200) {
  const wire = await page.context().newCDPSession(page);
  await wire.send("Network.enable");
  await wire.send("Network.setCacheDisabled", { cacheDisabled: true });
  let weight = 0;
  wire.on("Network.loadingFinished", (one) => { weight += one.encodedDataLength; });
  const answer = await page.goto(place);
  assert.equal(answer.status(), status, place);
  const wrong = await inspect(page);
  await wire.detach();
  weights.set(place.replace(/[0-9a-f-]{36}/, "ID"), weight);
  assert.ok(weight > 1_000 && weight < WEIGHT_MAX, `${place} weighs ${weight} bytes`);
  return wrong;
}

/** One case of each kind that is listed, as many as `most`. */
async function cases(page, name, most) {
  if (name === "host") return [];
  await page.goto("/alerts?state=any");
  const found = await page.locator("main tbody a").evaluateAll((all) => all.map((one) => [one.innerText, one.getAttribute("href")]));
  return [...new Map(found).values()].slice(0, most);
}

for (const name of facts.roles) {
  for (const locale of LANGUAGES) {
    await it(`${name}, ${locale}`, async () => {
      const page = await person(name, { locale });
      const wrong = [];
      const most = name === "operator" && locale === "en" ? Infinity : CASES;
      for (const place of [...PLACES[name], ...(await cases(page, name, most))]) {
        wrong.push(...(await visit(page, place)));
        assert.equal(await page.locator("html").getAttribute("lang"), locale);
      }
      assert.deepEqual([...page.troubles, ...wrong], []);
      await page.context().close();
    });
  }
}

for (const locale of LANGUAGES) {
  await it(`refusals, ${locale}`, async () => {
    const page = await person("operator", { locale });
    const wrong = [];
    for (const [place, status] of [["/nothing", 404], ["/alerts?kind=x", 400], ["/explore?service=x", 400]]) {
      wrong.push(...(await visit(page, place, status)));
    }
    await page.goto("/alerts");
    await page.locator(".who input[name=token]").evaluate((field) => { field.value = ""; });
    await Promise.all([page.waitForNavigation(), page.locator(".who button").click()]);
    wrong.push(...(await inspect(page)));
    const spoken = page.troubles.filter((one) => !/status of (400|403|404)/.test(one));
    assert.deepEqual([...spoken, ...wrong], []);
  });

  await it(`the sign-in, ${locale}`, async () => {
    const page = await stranger({ locale });
    const wrong = await visit(page, "/sign-in");
    await fillIn(page, "nobody", "wrong wrong wrong");
    wrong.push(...(await inspect(page)));
    const spoken = page.troubles.filter((one) => !/status of 401/.test(one));
    assert.deepEqual([...spoken, ...wrong], []);
  });
}

for (const [place, weight] of weights) console.log(`    ${String(weight).padStart(7)} bytes  ${place}`);
await end();
