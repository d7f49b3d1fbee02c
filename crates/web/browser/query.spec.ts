// The console: words complete themselves, what is wrong is shown where it is, and what was asked is remembered here.

import { asked } from "./places";
import { expect, open, test } from "./watched";

test("words complete themselves, and Ctrl+Enter asks", async ({ page }) => {
  await open(page, "/query");
  const field = page.getByLabel("Question in J1QL");
  await field.fill("");
  await field.pressSequentially("FIND heroku_te");
  const offers = page.getByRole("listbox", { name: "Words" });
  await expect(offers.getByRole("option").first()).toContainText("heroku_team");
  await page.keyboard.press("Enter");
  await expect(field).toHaveValue("FIND heroku_team");
  await page.keyboard.press("Control+Enter");
  await expect(page.locator(".answer tbody tr").first()).toBeVisible();
  await expect(page.locator(".answer .tally")).toContainText(/entities · \d+ ms/);
});

test("what is wrong is shown where it is", async ({ page, watch }) => {
  watch.allow(/422/);
  await open(page, asked("FIND heroku_team WHIT name = 'x'"), 422);
  await expect(page.getByRole("alert")).toContainText("not understood");
  await expect(page.locator(".picture")).toContainText("^");
  await expect(page.locator(".picture")).toContainText("= help:");
});

test("an answer is a table, a tree, a graph and JSON", async ({ page }) => {
  await open(page, asked("FIND heroku_account THAT HAS heroku_team AS t RETURN t.displayName"));
  const ways = page.getByRole("navigation", { name: "Ways to look at the answer" });
  await ways.getByRole("link", { name: "Tree" }).click();
  await expect(page.locator(".answer .tree")).toBeVisible();
  await ways.getByRole("link", { name: "JSON" }).click();
  await expect(page.locator(".answer pre")).toContainText("northwind");
  await ways.getByRole("link", { name: "Plan" }).click();
  await expect(page.locator(".answer")).toContainText("How the database goes about it");
  await ways.getByRole("link", { name: "Table" }).click();
  await ways.getByRole("link", { name: "Graph" }).click();
  await expect(page.locator(".drawing")).toBeVisible();
});

test("the library is searched", async ({ page }) => {
  await open(page, "/query");
  const library = page.getByRole("complementary", { name: "Questions" });
  const all = await library.locator("li a").count();
  await library.getByLabel("Find a question").fill("second factor");
  await page.keyboard.press("Enter");
  await expect.poll(() => library.locator("ul:not([hidden]) li a").count()).toBeLessThan(all);
  await library.getByRole("link", { name: "Who can change running apps without a second factor?" }).click();
  await expect(page.getByRole("heading", { name: "Who can change running apps without a second factor?" })).toBeVisible();
});

test("what was asked is remembered in this browser, and forgotten when somebody says so", async ({ page }) => {
  const question = "FIND heroku_team AS remembered RETURN remembered.displayName LIMIT 3";
  await open(page, asked(question));
  await open(page, "/query");
  const lately = page.getByRole("region", { name: "Asked lately" });
  await lately.getByRole("link", { name: question }).click();
  await expect(page.locator(".answer tbody tr")).toHaveCount(3);
  await page.getByRole("button", { name: "Forget these" }).click();
  await expect(lately).toBeHidden();
});
