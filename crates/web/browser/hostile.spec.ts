// Names from Heroku that would do harm if they were believed: inert on every page and in every file.

import type { APIResponse } from "@playwright/test";

import { expect, open, test, type Page } from "./watched";

/** Characters that reorder or hide what stands around them, or steer a terminal. */
const STEERING = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
const LISTS = ["/apps", "/people", "/teams", "/enterprise-accounts", "/changes", "/findings", "/matrix", "/graph"];

async function connector(page: Page): Promise<string> {
  await open(page, "/connectors");
  const place = await page.getByRole("link", { name: "Hostile" }).first().getAttribute("href");
  return (place ?? "").replace(/^.*\/|[?].*$/g, "");
}

/** Nothing of a name became part of the page. */
async function inert(page: Page, address: string): Promise<void> {
  await open(page, address);
  const harmed = await page.evaluate(() => (window as unknown as { harmed?: number }).harmed);
  expect.soft(harmed, `a name ran on ${address}`).toBeUndefined();
  const made = await page.locator("main :is(script, img, iframe, object, embed, [onload], [onerror], a[href^='javascript:'], a[href^='data:'])").count();
  expect.soft(made, `a name became an element on ${address}`).toBe(0);
  const text = await page.evaluate(() => document.title + document.body.innerText);
  expect.soft(STEERING.exec(text)?.[0].codePointAt(0)?.toString(16), `steering characters on ${address}`).toBeUndefined();
  const attributes = await page.evaluate(() =>
    [...document.querySelectorAll("*")].flatMap((one) => [...one.attributes].map((attribute) => attribute.value)).join(" "));
  expect.soft(STEERING.exec(attributes)?.[0].codePointAt(0)?.toString(16), `steering characters in attributes on ${address}`).toBeUndefined();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(wide, `${address} is wider than the screen`).toBeLessThanOrEqual(0);
}

async function objects(page: Page, list: string): Promise<string[]> {
  const links = await page.locator("main a[href]").evaluateAll((all) => all.map((link) => (link.getAttribute("href") ?? "").replace(/#.*$/, "")));
  return [...new Set(links.filter((link) => link.startsWith(`${list}/`)))];
}

for (const list of LISTS) {
  test(`names do nothing on ${list} and below it`, async ({ page }) => {
    test.setTimeout(60_000);
    const own = `connector=${await connector(page)}`;
    await inert(page, `${list}?${own}`);
    expect.soft((await page.content()).length, "the list stays short").toBeLessThan(200_000);
    const below = await objects(page, list);
    const some = [...below.slice(0, 11), ...below.slice(-2)];
    for (const address of [...new Set(some)]) await inert(page, address);
    await page.setViewportSize({ width: 360, height: 740 });
    for (const address of [`${list}?${own}`, ...some.slice(0, 3)]) await inert(page, address);
  });
}

test("a question's answer holds names as words, whatever it is shown as", async ({ page }) => {
  const own = `connector=${await connector(page)}`;
  const question = encodeURIComponent("FIND heroku_team AS t THAT HAS heroku_application AS a RETURN t.displayName, a.displayName LIMIT 100");
  for (const view of ["table", "tree", "json"]) await inert(page, `/query?${own}&view=${view}&q=${question}`);
  await inert(page, `/graph?${own}&q=${question}`);
});

test("files hold names as words: no formula, no control character", async ({ page, request }) => {
  const own = `connector=${await connector(page)}`;
  for (const list of ["/apps", "/people", "/teams", "/findings", "/changes", "/matrix"]) {
    await open(page, `${list}?${own}`);
    const file = page.locator("main a[download]", { hasText: "CSV" });
    if ((await file.count()) === 0) continue;
    await sheet(await request.get((await file.first().getAttribute("href")) ?? ""), list);
  }
  const question = encodeURIComponent("FIND heroku_application AS a RETURN a.displayName LIMIT 100");
  await sheet(await request.get(`/query?${own}&format=csv&q=${question}`), "/query");
  for (const format of ["svg", "json"]) {
    const file = await request.get(`/graph?${own}&format=${format}`);
    expect(file.status()).toBe(200);
    expect(file.headers()["content-disposition"]).toContain("attachment");
    expect(file.headers()["x-content-type-options"]).toBe("nosniff");
    const text = await file.text();
    if (format === "svg") expect(text).not.toMatch(/<script|<img|<svg[^>]*onload/);
    else expect(JSON.parse(text)).toHaveProperty("nodes");
  }
});

/** A sheet in which no cell begins as a formula does. */
async function sheet(answer: APIResponse, of: string): Promise<void> {
  expect(answer.status(), of).toBe(200);
  expect(answer.headers()["content-type"], of).toContain("text/csv");
  expect(answer.headers()["x-content-type-options"], of).toBe("nosniff");
  const text = await answer.text();
  expect(text.split("\n").length, of).toBeGreaterThan(1);
  for (const cell of cells(text)) {
    expect(cell, of).not.toMatch(/^[=+@\t\r]|^-[^0-9]/);
    expect(STEERING.test(cell), `${of}: ${JSON.stringify(cell.slice(0, 80))}`).toBe(false);
  }
}

/** The cells of a sheet. */
function cells(text: string): string[] {
  const found = text.matchAll(/(?:^|,|\r?\n)(?:"((?:[^"]|"")*)"|([^,\r\n"]*))/g);
  return [...found].map(([, quoted, plain]) => (quoted ?? plain ?? "").replaceAll('""', '"'));
}
