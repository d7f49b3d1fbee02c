// The pictures of the documentation: METSUKE_SHOTS=1 scripts/browser.sh makes them anew.

import { statSync } from "node:fs";
import { join } from "node:path";

import { expect, open, test, type Page } from "./watched";

const FOLDER = process.env["METSUKE_PICTURES"] ?? "pictures";
/** The most bytes of a picture. */
const MOST = 250_000;

/** Goes to an object by its list. */
async function through(page: Page, list: string, words: string): Promise<void> {
  await open(page, `${list}?q=${encodeURIComponent(words)}`);
  await page.locator("main tbody th a").first().click();
  await expect(page).toHaveURL(new RegExp(`${list}/.`));
}

const PICTURES: { name: string; dark?: boolean; show: (page: Page) => Promise<void> }[] = [
  { name: "overview", show: (page) => open(page, "/") },
  { name: "person", show: (page) => through(page, "/people", "amara.gruber") },
  { name: "app", show: (page) => through(page, "/apps", "billing-gateway") },
  { name: "matrix", show: (page) => open(page, "/matrix") },
  {
    name: "graph",
    show: async (page) => {
      await through(page, "/apps", "billing-gateway");
      await page.goto(`/graph?of=${encodeURIComponent(`app~${new URL(page.url()).pathname.split("/").pop() ?? ""}`)}`);
    },
  },
  {
    name: "query",
    dark: true,
    show: async (page) => {
      await open(page, "/query");
      await page.getByRole("link", { name: "Who can change running apps without a second factor?" }).click();
      await expect(page.locator(".answer tbody tr").first()).toBeVisible();
    },
  },
  { name: "changes", show: (page) => open(page, "/changes") },
  {
    name: "finding",
    show: async (page) => {
      await open(page, "/findings");
      await page.locator("main tbody tr", { hasText: "critical" }).first().locator("th a").click();
      await expect(page).toHaveURL(/findings\/./);
    },
  },
];

for (const picture of PICTURES) {
  test(`a picture of ${picture.name}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: picture.dark === true ? "dark" : "light" });
    await picture.show(page);
    await page.evaluate(() => document.fonts.ready);
    const path = join(FOLDER, `${picture.name}.png`);
    await page.screenshot({ path, animations: "disabled", caret: "hide" });
    expect(statSync(path).size).toBeLessThanOrEqual(MOST);
  });
}
