// The way through the pages by keyboard alone.

import { keyboard, tabTo } from "./hand";
import { expect, open, test } from "./watched";

test("the skip link leads past the way around", async ({ page }) => {
  await open(page, "/apps");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the page" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.closest("main") !== null)).toBe(true);
});

test("somebody finds who can deploy to an app, and why, without a mouse", async ({ page }) => {
  await open(page, "/");
  await tabTo(page, page.locator("nav.nav").getByRole("link", { name: "People" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "People" })).toBeVisible();

  const rows = page.locator("main tbody tr");
  const name = (await rows.nth(4).locator("th a").innerText()).trim();
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.keyboard.type(name);
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/[?&]q=/);
  await tabTo(page, rows.first().locator("th a"));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);

  const branch = page.locator("#access details:not([open])").first();
  const summary = (await branch.count()) > 0 ? branch.locator("summary") : page.locator("#access summary").first();
  const mine = await summary.elementHandle();
  await tabTo(page, summary);
  const before = await mine?.evaluate((one) => (one.parentElement as HTMLDetailsElement).open);
  await page.keyboard.press("Enter");
  expect(await mine?.evaluate((one) => (one.parentElement as HTMLDetailsElement).open)).toBe(!before);
});

test("the menu of a narrow screen opens by keyboard", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, "/apps");
  const people = page.locator("nav.nav").getByRole("link", { name: "People" });
  await expect(people).toBeHidden();
  await tabTo(page, page.getByRole("checkbox", { name: "Menu" }));
  await page.keyboard.press("Space");
  await tabTo(page, people);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "People" })).toBeVisible();
});

test("columns are sorted and chosen by keyboard", async ({ page }) => {
  await open(page, "/apps");
  const head = page.locator("thead a").nth(1);
  const label = (await head.innerText()).replace(/ [↑↓]$/, "");
  await tabTo(page, head);
  await page.keyboard.press("Enter");
  await expect(page.locator("thead th[aria-sort]")).toContainText(label);
  await tabTo(page, page.locator("details.choice summary"));
  await page.keyboard.press("Enter");
  const box = page.locator("details.choice input:checked").last();
  await tabTo(page, box);
  await page.keyboard.press("Space");
  const before = await page.locator("thead th").count();
  await tabTo(page, page.getByRole("button", { name: "Show these" }));
  await page.keyboard.press("Enter");
  await expect(page.locator("thead th")).toHaveCount(before - 1);
});

test("a form that stays has the focus again once it was done", async ({ page }) => {
  await open(page, "/people");
  const narrow = page.getByRole("button", { name: "Go", exact: true });
  await tabTo(page, narrow);
  await page.keyboard.press("Enter");
  await page.waitForURL(/as_of=/);
  await expect(narrow).toBeFocused();
});

test("a look that is chosen by keyboard keeps the focus", async ({ page }) => {
  await open(page, "/people");
  for (const look of ["Light", "System"]) {
    const button = page.getByRole("button", { name: look });
    if (!(await button.evaluate((one) => one === document.activeElement))) await tabTo(page, button);
    await page.keyboard.press("Enter");
    await expect(button).toHaveAttribute("aria-pressed", "true");
    await expect(button).toBeFocused();
  }
});

test("what went wrong with a form has the focus, and the form stays filled in", async ({ page, watch }) => {
  watch.allow(/4\d\d/);
  await open(page, "/provisioning/add?action=grant&on=app");
  const hand = keyboard(page);
  await hand.write(page.getByLabel("Person"), "nobody@elsewhere.example");
  await hand.write(page.getByLabel("App", { exact: true }), "no-such-app");
  await hand.press(page.getByRole("button", { name: "Work the plan out" }));
  await expect(page.getByRole("alert")).toBeFocused();
  await expect(page.getByLabel("App", { exact: true })).toHaveValue("no-such-app");
});
