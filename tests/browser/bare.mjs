// The pictures of a centre that has received nothing yet: its door, and its first page.

import { PAPER, take } from "./camera.mjs";
import { come, end, facts, it, person, send, stranger } from "./house.mjs";

await it("takes them", async () => {
  const page = await stranger({ viewport: PAPER });
  await page.goto("/");
  await take(page, "sign-in", 520);
  await come(page, "248289761001");
  await page.waitForURL(`${facts.address}/now`);
  await send(page, page.getByRole("button", { name: "Sign out" }));
  await take(page, "left", 400);
  const operator = await person("operator", { viewport: PAPER });
  await take(operator, "now-empty", 1180);
});
await end();
