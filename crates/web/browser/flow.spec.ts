// The way of somebody who begins: a connector is added, syncs, is connected; then who can do what, what changed, and what was found.

import { expect, open, test } from "./watched";

const HEROKU = process.env["METSUKE_SIMULATOR"] ?? "";
const TOKEN = process.env["METSUKE_SIMULATOR_TOKEN"] ?? "";
/** The version of Heroku's API. */
const ACCEPT = "application/vnd.heroku+json; version=3";
const NEWCOMER = "new.colleague@elsewhere.example";

interface App {
  id: string;
  name: string;
  team: { name: string } | null;
}

test("a connector is added, syncs, and tells who can do what, what changed and what to look at", async ({ page, request }) => {
  await test.step("it is added", async () => {
    await open(page, "/connectors");
    await page.getByRole("link", { name: "Add connector" }).first().click();
    await page.getByRole("searchbox").fill("dyno");
    await expect(page.locator(".card")).toHaveCount(1);
    await page.getByRole("link", { name: "Heroku" }).click();
    await page.getByLabel("Owner", { exact: true }).fill("owner@example.com");
    await page.getByLabel("Name", { exact: true }).fill("Hostile");
    await page.getByLabel("API token").fill(TOKEN);
    await page.getByLabel("Polling interval").selectOption("DISABLED");
    await page.getByText("Tags, and another address").click();
    await page.getByLabel("Address of the Heroku API").fill(HEROKU);
    await page.getByRole("button", { name: "Check the token" }).click();
    await expect(page.locator("[data-tried]")).toContainText("A sync sends about");
    await expect(page.getByLabel("API token")).toHaveValue(TOKEN);
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Hostile" })).toBeVisible();
  });

  await test.step("it is read, and the page says so by itself", async () => {
    await expect(page.locator("[data-live=state] .badge")).toHaveText("Connected", { timeout: 30_000 });
    await expect(page.locator("[data-live=runs] tbody tr")).toHaveCount(1);
    await expect(page.getByRole("log")).toContainText("version 1");
    expect(await page.content()).not.toContain(TOKEN);
  });
  const connector = new URL(page.url()).pathname.split("/").pop() ?? "";

  const apps = (await (await request.get(`${HEROKU}/apps`, { headers: { Authorization: `Bearer ${TOKEN}`, Accept: ACCEPT } })).json()) as App[];
  const app = apps.find((one) => one.team !== null && /^[a-z0-9-]+$/.test(one.name));
  expect(app, "no app with an ordinary name").toBeDefined();

  await test.step("somebody finds an app, and who can deploy to it", async () => {
    await open(page, "/apps");
    await page.getByLabel("Connector").selectOption({ label: "Hostile" });
    await expect(page).toHaveURL(new RegExp(`connector=${connector}`));
    await page.getByRole("searchbox").fill(app?.name ?? "");
    await expect(page.locator("main tbody tr")).toHaveCount(1);
    await page.locator("main tbody tr th a").click();
    await expect(page.getByRole("heading", { level: 1, name: app?.name ?? "" })).toBeVisible();
    await page.getByRole("table", { name: "People and what they can do" }).locator("th a").first().click();
  });

  await test.step("the person's page says by which path", async () => {
    await expect(page.getByRole("heading", { name: "What they can reach, and by which path" })).toBeVisible();
    await expect(page.locator("#access .path").first()).toBeVisible();
  });

  await test.step("somebody is put onto the app at Heroku, and the next sync tells", async () => {
    const added = await request.post(`${HEROKU}/apps/${app?.id ?? ""}/collaborators`, {
      headers: { Authorization: `Bearer ${TOKEN}`, Accept: ACCEPT },
      data: { user: NEWCOMER },
    });
    expect(added.status()).toBe(201);
    await open(page, `/connectors/${connector}`);
    await page.getByRole("button", { name: "Sync now" }).click();
    await expect(page.locator("[data-live=runs] tbody tr")).toHaveCount(2);
    await expect(page.locator("[data-live=state] .badge")).toHaveText("Connected", { timeout: 30_000 });
    // What follows a version is told a moment after it.
    await expect(async () => {
      await open(page, `/changes?connector=${connector}`);
      await expect(page.locator(".feed")).toContainText(NEWCOMER, { timeout: 1_000 });
    }).toPass({ timeout: 20_000 });
    await page.locator(".feed > li", { hasText: `${NEWCOMER} now holds` }).first().locator("time a").click();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("main")).toContainText(`now holds view on app ${app?.name ?? ""}`);
  });

  await test.step("what was found leads to what it is about", async () => {
    await open(page, `/findings?connector=${connector}`);
    await page.locator("main tbody th a").first().click();
    await expect(page).toHaveURL(/\/findings\/[^?]+/);
    await page.getByRole("button", { name: "I have seen it" }).click();
    await expect(page.locator("main")).toContainText("acknowledged");
  });
});
