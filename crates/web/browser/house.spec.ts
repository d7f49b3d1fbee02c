// The ways of somebody who looks after the house: the audit trail verified, a token made, a second factor offered, a connector set.

import { expect, open, test } from "./watched";

test("the audit trail is narrowed, read and verified", async ({ page }) => {
  await open(page, "/audit");
  await page.getByLabel("What happened").selectOption("sync");
  await page.getByRole("button", { name: "Find" }).click();
  await expect(page).toHaveURL(/code=sync/);
  await page.locator("main tbody th a").first().click();
  await expect(page.getByRole("heading", { name: "What was recorded" })).toBeVisible();
  await open(page, "/audit");
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("nothing is signed yet");
  await page.getByRole("button", { name: "Sign a checkpoint" }).first().click();
  await expect(page.getByRole("region", { name: "The checkpoint" })).toContainText("metsuke/");
});

test("a token is made, shown once and revoked", async ({ page }) => {
  await open(page, "/settings/tokens");
  await page.getByLabel("Name").fill("browser");
  await page.getByRole("button", { name: "Make the token" }).click();
  await expect(page.getByRole("region", { name: "The token" })).toContainText("mtk_");
  await page.getByRole("link", { name: "I have kept it" }).click();
  const row = page.getByRole("row", { name: /browser/ });
  await row.getByRole("button", { name: /Revoke/ }).click();
  await expect(page.getByRole("status")).toContainText("revoked");
  await expect(page.getByRole("row", { name: /browser/ }).first()).toContainText("revoked");
});

test("a form of a connector shows what belongs to the interval alone", async ({ page }) => {
  await open(page, "/connectors");
  await page.locator("main tbody th a").first().click();
  await page.getByRole("link", { name: "Change the settings" }).click();
  await expect(page.getByLabel("Cron expression")).toBeHidden();
  await page.getByLabel("Polling interval").selectOption("CRON");
  await page.getByLabel("Cron expression").fill("0 6 * * 1-5");
  await page.getByLabel("Time zone").fill("Europe/Berlin");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").first()).toContainText("The settings are saved");
  await expect(page.locator("main")).toContainText("at `0 6 * * 1-5` in Europe/Berlin");
  await page.getByRole("link", { name: "Change the settings" }).click();
  await page.getByLabel("Polling interval").selectOption("DISABLED");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("main")).toContainText("only when asked");
});
