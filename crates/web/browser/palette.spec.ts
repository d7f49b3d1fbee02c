// The field that leads everywhere, by keyboard alone.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { expect, open, test } from "./watched";

const AXE = readFileSync(createRequire(__filename).resolve("axe-core/axe.min.js"), "utf8");

test("a page is reached by a few letters", async ({ page }) => {
  await open(page, "/");
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Go to" });
  await expect(field).toBeFocused();
  await page.keyboard.type("enterpr");
  await expect(page.getByRole("option", { selected: true })).toContainText("Enterprise accounts");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Enterprise accounts" })).toBeVisible();
});

test("a person, a team and an app are found by name, and the focus stays and comes back", async ({ page }) => {
  await open(page, "/findings");
  const button = page.getByRole("button", { name: "Go to" });
  await button.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Go to" });
  await page.keyboard.type("billing");
  await expect(dialog.getByRole("option", { name: /team$/ }).first()).toBeVisible();
  await expect(dialog.getByRole("option", { name: /app$/ }).first()).toBeVisible();
  await page.evaluate(AXE);
  const serious = await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run: (on: Document) => Promise<{ violations: { id: string; impact: string }[] }> } }).axe;
    return (await axe.run(document)).violations.filter((one) => one.impact === "serious" || one.impact === "critical").map((one) => one.id);
  });
  expect(serious).toEqual([]);
  for (let step = 0; step < 4; step += 1) {
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null)).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("amara.gruber");
  await expect(dialog.getByRole("option", { name: /person$/ })).toHaveCount(1);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "amara.gruber@northwind.example" })).toBeVisible();
});
