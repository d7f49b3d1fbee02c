// How soon the first thing of each page is painted, with nothing kept from before: METSUKE_PAINT=1 scripts/browser.sh tells it.

import { PLACES } from "./places";
import { SESSION } from "./signed";
import { expect, test } from "./watched";

/** How often each page is opened. */
const TIMES = 5;

/** Somebody who is signed in, at the server that is looked at. */
const OWN = { baseURL: process.env["METSUKE_URL"] ?? "http://127.0.0.1:8080", storageState: SESSION };

const middle = (times: number[]): number => [...times].sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;

test("the first paint of every page", async ({ browser }) => {
  test.setTimeout(1_200_000);
  const rows: { name: string; median: number; worst: number }[] = [];
  for (const place of PLACES.filter((one) => one.status === undefined)) {
    const finder = await browser.newPage(OWN);
    const address = typeof place.at === "string" ? place.at : await place.at(finder);
    await finder.close();
    const times: number[] = [];
    for (let turn = 0; turn < TIMES; turn += 1) {
      // A context of its own has neither styles nor scripts from the turn before.
      const context = await browser.newContext(OWN);
      const page = await context.newPage();
      await page.goto(address);
      const painted = await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            new PerformanceObserver((list) => {
              const first = list.getEntriesByName("first-contentful-paint")[0];
              if (first !== undefined) resolve(first.startTime);
            }).observe({ type: "paint", buffered: true });
          }),
      );
      times.push(painted);
      await context.close();
    }
    rows.push({ name: place.name, median: middle(times), worst: Math.max(...times) });
  }
  rows.sort((one, other) => other.worst - one.worst);
  for (const { name, median, worst } of rows) {
    console.log(`${median.toFixed(0).padStart(6)} ms, worst ${worst.toFixed(0).padStart(6)} ms  ${name}`);
  }
  const all = rows.map((row) => row.median);
  console.log(`first contentful paint of ${rows.length} pages, ${TIMES} times each: median ${middle(all).toFixed(0)} ms, worst page ${rows[0]?.worst.toFixed(0)} ms`);
  expect(rows.length).toBeGreaterThan(50);
});
