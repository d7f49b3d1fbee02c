// How the tests in a browser run: by Debian's Chromium, against the servers that scripts/browser.sh has started.

import { defineConfig } from "@playwright/test";

import { SESSION } from "./signed";

const pictures = process.env["METSUKE_SHOTS"] !== undefined;
const paint = process.env["METSUKE_PAINT"] !== undefined;

export default defineConfig({
  testDir: ".",
  globalSetup: "./signed.ts",
  fullyParallel: true,
  forbidOnly: true,
  workers: 2,
  timeout: 40_000,
  expect: { timeout: 10_000 },
  outputDir: "results",
  reporter: [["list"]],
  use: {
    storageState: SESSION,
    baseURL: process.env["METSUKE_URL"] ?? "http://127.0.0.1:8080",
    viewport: { width: 1280, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
    actionTimeout: 10_000,
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env["METSUKE_CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--font-render-hinting=none", "--disable-lcd-text"],
    },
  },
  // The demo's own company is looked at first: what adds a connector changes every page.
  projects: pictures
    ? [{ name: "pictures", testMatch: "pictures.spec.ts" }]
    : paint
    ? [{ name: "paint", testMatch: "paint.spec.ts" }]
    : [
        { name: "pages", testIgnore: ["flow.spec.ts", "hostile.spec.ts", "pictures.spec.ts", "paint.spec.ts"] },
        { name: "flow", testMatch: "flow.spec.ts", dependencies: ["pages"] },
        { name: "hostile", testMatch: "hostile.spec.ts", dependencies: ["flow"] },
      ],
});
