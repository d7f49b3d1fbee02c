// Every page: accessible in light and dark, quiet, ours alone, narrow, small, and readable where no script runs.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { LISTS, PLACES, type Place } from "./places";
import { expect, open, test, type Page } from "./watched";

const AXE = readFileSync(createRequire(__filename).resolve("axe-core/axe.min.js"), "utf8");
/** The most bytes of a page, and of its packed scripts. */
const HTML = 200_000;
const SCRIPT = 60_000;
/** A narrow screen. */
const NARROW = { width: 360, height: 740 };

interface Finding {
  id: string;
  impact: string | null;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** Rows beyond these are made as those before them are, and would take most of the time. */
const ALIKE = [["tbody tr:nth-child(n+25)"], [".feed > li:nth-child(n+15)"], [".apps > li:nth-child(n+25)"], [".tree > :nth-child(n+25)"]];

/** What axe takes for serious or worse, in words. */
async function judged(page: Page, only: string[]): Promise<string[]> {
  const found = await page.evaluate(
    async ({ rules, alike }) => {
      const axe = (window as unknown as { axe: { run: (on: object, how: object) => Promise<{ violations: Finding[] }> } }).axe;
      const how = { resultTypes: ["violations"], preload: false, ...(rules.length > 0 ? { runOnly: { type: "rule", values: rules } } : {}) };
      return (await axe.run({ include: [["html"]], exclude: alike }, how)).violations;
    },
    { rules: only, alike: ALIKE },
  );
  const serious = found.filter((one) => one.impact === "serious" || one.impact === "critical");
  return serious.flatMap((one) => one.nodes.slice(0, 5).map((node) => `${one.id}: ${node.html} ${node.failureSummary ?? ""}`));
}

/** What reaches beyond the edge of a narrow screen. */
async function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const wide = document.documentElement.scrollWidth;
    const edge = document.documentElement.clientWidth;
    if (wide <= edge) return [];
    const beyond = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > edge + 1);
    return [`${wide} px`, ...beyond.slice(0, 6).map((one) => one.outerHTML.slice(0, 160))];
  });
}

/** The words of a page's main part, but for what a script may add or what time changes. */
async function words(page: Page): Promise<{ title: string; heading: string; rows: number; links: number; letters: number }> {
  const main = page.locator("main");
  return {
    title: await page.title(),
    heading: (await main.locator("h1").innerText()).trim(),
    rows: await main.locator("tr, .feed > li").count(),
    links: await main.locator("a[href]:not([data-history] a)").count(),
    letters: await main.evaluate((whole) => {
      // What a script adds: the text of an editor once more, in colours, and what was asked lately.
      const added = [...whole.querySelectorAll<HTMLElement>("pre[aria-hidden=true], [data-history]")];
      return (whole as HTMLElement).innerText.length - added.reduce((letters, one) => letters + one.innerText.length, 0);
    }),
  };
}

for (const place of PLACES) {
  test(`${place.name} is for everybody, quiet and small`, async ({ page, watch, withoutScripts }) => {
    const address = await where(place, page);
    const scripts: Promise<number>[] = [];
    page.on("requestfinished", (request) => {
      if (request.resourceType() === "script") scripts.push(request.sizes().then((sizes) => sizes.responseBodySize));
    });
    const answer = await page.goto(address);
    const status = answer?.status() ?? 0;
    const expected = place.status ?? 200;
    if (expected !== 404) {
      if (status === 404) watch.allow(/404/);
      test.skip(status === 404, `${address} is not there yet`);
    }
    expect(status, address).toBe(expected);
    if (expected >= 400) watch.allow(new RegExp(`${expected}`));
    expect.soft((await answer?.body())?.length ?? 0, "bytes of the page").toBeLessThanOrEqual(HTML);
    const packed = (await Promise.all(scripts)).reduce((sum, size) => sum + size, 0);
    expect.soft(packed, "bytes of its scripts").toBeLessThanOrEqual(SCRIPT);
    const header = answer?.headers()["content-security-policy"] ?? "";
    expect.soft(header, "the policy").toContain("default-src 'none'");
    expect.soft(header, "the policy").not.toContain("unsafe");

    await page.evaluate(AXE);
    expect.soft(await judged(page, []), "axe in light").toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect.soft(await judged(page, ["color-contrast"]), "axe in dark").toEqual([]);
    await page.emulateMedia({ colorScheme: "light" });
    const full = await words(page);
    await page.setViewportSize(NARROW);
    expect.soft(await tooWide(page), "wider than a narrow screen").toEqual([]);
    expect.soft(await judged(page, ["scrollable-region-focusable"]), "axe on a narrow screen").toEqual([]);

    await open(withoutScripts, address, expected);
    const bare = await words(withoutScripts);
    expect.soft({ ...bare, letters: 0 }, "without scripts").toEqual({ ...full, letters: 0 });
    expect.soft(bare.letters, "words without scripts").toBeGreaterThan(full.letters * 0.9);
    const mute = await withoutScripts.locator("form[action]:has(input:visible, select:visible):not([role=search]):not(:has(button:visible))").count();
    expect.soft(mute, "forms that only a script sends").toBe(0);
  });
}

async function where(place: Place, page: Page): Promise<string> {
  return typeof place.at === "string" ? place.at : place.at(page);
}

test("the way around leads to pages that are tested here, and to nothing else", async ({ page }) => {
  await open(page, "/");
  const ways = await page.locator("nav.nav a").evaluateAll((all) => all.map((link) => new URL((link as HTMLAnchorElement).href).pathname));
  expect(ways.length).toBeGreaterThan(8);
  expect(ways.filter((way) => !LISTS.includes(way))).toEqual([]);
});

test("a look that is chosen stays", async ({ page }) => {
  await open(page, "/apps");
  await page.getByRole("button", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await open(page, "/people");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.evaluate(AXE);
  expect(await judged(page, ["color-contrast"])).toEqual([]);
});
