// Two partners: each finds its own and nothing of the other's, whatever it asks for.

import { assert, end, it, person, rows } from "./house.mjs";

/** The prefixes of all partners, as the beginning of their addresses. */
const PREFIXES = {
  "th-cert": "192.0.2.", "my-cert": "198.51.100.", "id-cert": "203.0.113.", "ph-cert": "100.64.10.", "sg-cert": "100.64.20.",
};
const TELESCOPES = ["198.18.", "jp-1", "jp-2"];
const south = await person("my-cert");
const north = await person("th-cert");
const idOf = (href) => href.split("/").at(-1);

async function own(page) {
  await page.goto("/alerts?state=any");
  return page.locator("main tbody a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
}

await it("shows each its own", async () => {
  for (const [page, name] of [[north, "th-cert"], [south, "my-cert"]]) {
    await own(page);
    const found = await rows(page);
    const named = found.map((row) => row[2]).filter((subject) => subject.startsWith(PREFIXES[name]));
    const others = found.map((row) => row[2]).filter((subject) => /^\d+\./.test(subject));
    assert.deepEqual(named, others);
    assert.ok(named.length > 10);
  }
});

await it("holds no address, name or telescope of another on any page", async () => {
  const places = ["/mine", "/alerts?state=any", "/alerts?state=any&page=2", "/alerts?state=any&partner=th-cert",
    "/alerts?state=any&country=TH", "/alerts?state=any&order=seen", ...(await own(south)).slice(0, 12)];
  for (const place of places) {
    const answer = await south.goto(place);
    assert.equal(answer.status(), 200, place);
    const sent = await answer.text();
    for (const [name, prefix] of Object.entries(PREFIXES)) {
      if (name === "my-cert") continue;
      assert.ok(!sent.includes(prefix), `${place} holds ${prefix}`);
      assert.ok(!sent.replaceAll(`partner=${name}`, "").includes(name), `${place} holds ${name}`);
    }
    for (const secret of TELESCOPES) assert.ok(!sent.includes(secret), `${place} holds ${secret}`);
  }
});

await it("answers forged addresses as what does not exist", async () => {
  const theirs = idOf((await own(north))[0]);
  const none = await south.goto("/alerts/00000000-0000-0000-0000-000000000009");
  assert.equal(none.status(), 404);
  const unknown = await none.text();
  const forged = [
    `/alerts/${theirs}`, `/alerts/${theirs.toUpperCase()}`, `/alerts/${theirs.replaceAll("-", "")}`, `/alerts/{${theirs}}`,
    `/alerts/urn:uuid:${theirs}`, `/alerts/${theirs}%00`, `/alerts/${theirs}%0a`, `/alerts/${theirs}/`,
    `/alerts/${theirs}?partner=th-cert`, `/alerts/%2e%2e%2f${theirs}`, `/alerts/${theirs}'--`, `/alerts/../alerts/${theirs}`,
    `//alerts/${theirs}`, `/alerts/${theirs}/purpose`, `/ALERTS/${theirs}`, "/alerts/x", "/alerts/-1", "/alerts/%F0%9F%92%A5",
    "/explore", "/explore.csv", "/explore?country=TH", "/shift", "/now", "/sensors", "/explore/", "/Shift", "/now?x-glance=1",
  ];
  for (const place of forged) {
    const answer = await south.request.get(`${new URL(south.url()).origin}${place}`, { maxRedirects: 0 });
    assert.equal(answer.status(), 404, place);
    assert.equal(await answer.text(), unknown, `${place} answers otherwise`);
  }
});

await it("refuses what is done to another's case as what does not exist", async () => {
  const [mine] = await own(south);
  const [theirs] = await own(north);
  await south.goto(mine);
  for (const act of ["step", "note", "purpose"]) {
    await south.goto(mine);
    const [answer] = await Promise.all([
      south.waitForNavigation(),
      south.evaluate(([place, act]) => {
        const form = document.querySelector("main form");
        form.action = `${place}/${act}`;
        form.querySelector("textarea").value = "we are the ones who own it";
        const event = Object.assign(document.createElement("input"), { type: "hidden", name: "event", value: "resolve" });
        form.append(event);
        form.submit();
      }, [theirs, act]),
    ]);
    assert.equal(answer.status(), 404, act);
  }
  await north.goto(theirs);
  assert.doesNotMatch(await north.locator("main").innerText(), /Resolved\n.*my-cert|own it/);
});

await it("takes a partner's own steps", async () => {
  const [, mine] = await own(south);
  await south.goto(mine);
  await Promise.all([south.waitForNavigation(), south.getByRole("button", { name: "Not ours" }).click()]);
  assert.match(await south.locator("main").innerText(), /not ours/);
});

await it("complains about nothing but what it was refused", () => {
  for (const page of [south, north]) {
    assert.deepEqual(page.troubles.filter((one) => !/status of 404/.test(one)), []);
  }
});
await end();
