// The graph: what is drawn is opened, chosen, expanded, hidden and pinned in place, looked at as of before, and kept as files.

import { expect, open, test, type Page } from "./watched";

const single = (kind: string): string => `.drawing a:has(g.${kind}:not(.group))`;
const nodes = (page: Page) => page.locator(".drawing g.node");

/** The graph of what surrounds the first team. */
async function team(page: Page): Promise<string> {
  await open(page, "/teams");
  const link = page.locator("main tbody th a").first();
  const name = (await link.innerText()).trim();
  const id = new URL((await link.getAttribute("href")) ?? "", page.url()).pathname.split("/").pop() ?? "";
  await open(page, `/graph?of=team~${id}`);
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  return name;
}

test("a group opens in place, and the way back closes it", async ({ page }) => {
  await team(page);
  const before = await nodes(page).count();
  const group = page.locator(".drawing a:has(g.group)").first();
  await group.click();
  await expect(page).toHaveURL(/open=/);
  await expect.poll(() => nodes(page).count()).toBeGreaterThan(before);
  await page.goBack();
  await expect.poll(() => nodes(page).count()).toBe(before);
});

test("a thing is chosen, expanded, pinned and hidden, and all of it is undone", async ({ page }) => {
  await open(page, "/graph");
  const closed = await nodes(page).count();
  await page.locator(".drawing a:has(g.team.group)").first().click();
  await expect.poll(() => nodes(page).count()).toBeGreaterThan(closed);
  const whole = await nodes(page).count();
  await page.locator(single("team")).first().click();
  const chosen = page.getByRole("region", { name: "What was chosen" });
  await expect(chosen).toBeFocused();
  const name = (await chosen.locator("b").innerText()).trim();
  await chosen.getByRole("link", { name: "Expand it here" }).click();
  await expect.poll(() => nodes(page).count()).toBeGreaterThan(whole);
  await expect(page.locator("[data-hand]")).toContainText(`Expanded: ${name}`);
  await page.locator(single("account")).first().click();
  await chosen.getByRole("link", { name: "Pin it" }).click();
  await expect(page.locator(".drawing g.pinned")).toHaveCount(1);
  const drawn = await nodes(page).count();
  await page.locator(single("team")).last().click();
  await chosen.getByRole("link", { name: "Hide it" }).click();
  await expect.poll(() => nodes(page).count()).toBeLessThan(drawn);
  while ((await page.locator(".chip").count()) > 0) {
    const left = await page.locator(".chip").count();
    await page.locator(".chip").first().click();
    await expect(page.locator(".chip")).toHaveCount(left - 1);
  }
  await expect(nodes(page)).toHaveCount(whole);
});

test("the same can be done by keyboard, in the list beside the picture", async ({ page }) => {
  await team(page);
  const thing = page.locator(".tree a[href*='&at=']:visible").first();
  await thing.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "What was chosen" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: /Go to its page|Expand it here|Pin it/ }).first()).toBeFocused();
});

test("the way from somebody to something is drawn and told", async ({ page }) => {
  await open(page, "/apps?sort=-people");
  await page.locator("main tbody th a").first().click();
  const app = (await page.getByRole("heading", { level: 1 }).innerText()).trim();
  const person = (await page.getByRole("table", { name: "People and what they can do" }).locator("th a").first().innerText()).trim();
  await open(page, "/graph");
  await page.getByLabel("From a person").fill(person);
  await page.getByLabel("To an app, team, account or add-on").fill(app);
  await page.getByRole("button", { name: "Find the way" }).click();
  await expect(page.locator(".lead").first()).toContainText(`${person} can`);
  await expect(page.locator(".drawing g.middle")).toHaveCount(1);
});

test("the slider shows the graph as it was", async ({ page }) => {
  await open(page, "/graph");
  await page.getByRole("slider").focus();
  await page.keyboard.press("Home");
  await expect(page).toHaveURL(/as_of=1(&|$)/);
  await expect(page.locator(".past")).toBeVisible();
});

test("a picture is kept as SVG, PNG and JSON", async ({ page, request }) => {
  await open(page, "/graph");
  for (const [name, media] of [["SVG", "image/svg+xml"], ["JSON", "application/json"]] as const) {
    const file = await request.get((await page.getByRole("link", { name, exact: true }).getAttribute("href")) ?? "");
    expect(file.status()).toBe(200);
    expect(file.headers()["content-type"]).toContain(media);
  }
  const kept = page.waitForEvent("download");
  await page.getByRole("button", { name: "Keep as PNG" }).click();
  expect((await kept).suggestedFilename()).toBe("graph.png");
});
