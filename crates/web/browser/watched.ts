// A page under watch: whatever it complains of, is refused, or asks of others fails the test that opened it.

import { test as base, expect, type BrowserContext, type Page } from "@playwright/test";

import { SESSION } from "./signed";

export { expect, type Page } from "@playwright/test";

/** What a page did that no page may do. */
export class Watch {
  private readonly seen: string[] = [];
  private readonly allowed: RegExp[] = [];

  /** Watches every page of a context. */
  static over(context: BrowserContext, own: string): Watch {
    const watch = new Watch();
    const origin = new URL(own).origin;
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") watch.note(`console: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => watch.note(`script: ${error.error().message}`));
    context.on("dialog", (dialog) => {
      watch.note(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.origin !== origin && !["data:", "blob:"].includes(url.protocol)) watch.note(`asked of others: ${url.href}`);
    });
    context.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? "";
      // A page that is left, a search that is overtaken and a file that is kept end their own requests.
      if (why !== "net::ERR_ABORTED") watch.note(`failed: ${request.url()} ${why}`);
    });
    context.on("response", (response) => {
      if (response.status() >= 400) watch.note(`${response.status()}: ${response.url()}`);
    });
    return watch;
  }

  /** What somebody provokes on purpose. */
  allow(...what: RegExp[]): void {
    this.allowed.push(...what);
  }

  /** What was seen and not allowed. */
  complaints(): string[] {
    return this.seen.filter((one) => !this.allowed.some((known) => known.test(one)));
  }

  private note(what: string): void {
    this.seen.push(what);
  }
}

/** `page` comes with a watch over its context; `withoutScripts` is a page in which no script runs. */
export const test = base.extend<{ watch: Watch }, { withoutScripts: Page }>({
  watch: [
    async ({ context, baseURL }, use) => {
      const watch = Watch.over(context, baseURL ?? "");
      await use(watch);
      expect.soft(watch.complaints(), "what the pages complained of").toEqual([]);
    },
    { auto: true },
  ],
  withoutScripts: [
    async ({ browser }, use, worker) => {
      const { baseURL } = worker.project.use;
      const context = await browser.newContext({ storageState: SESSION, javaScriptEnabled: false, baseURL: baseURL ?? "" });
      await use(await context.newPage());
      await context.close();
    },
    { scope: "worker" },
  ],
});

/** Opens an address, which has to be answered so. */
export async function open(page: Page, address: string, status = 200): Promise<void> {
  const answer = await page.goto(address);
  expect(answer?.status(), address).toBe(status);
}
