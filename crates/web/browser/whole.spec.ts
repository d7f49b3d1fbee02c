// The whole way, from the link for the first person to a finding that is gone: once with a mouse, once with nothing but a keyboard.

import type { APIRequestContext, Locator, Page } from "@playwright/test";

import { Fresh, type Told } from "./fresh";
import { keyboard, mouse, type Hand } from "./hand";
import { expect, open, test as watched } from "./watched";

/** How Heroku's API is asked. */
const ACCEPT = "application/vnd.heroku+json; version=3";
const FIRST = { email: "first@example.com", name: "First Person", password: "a long and quiet walk" };
/** How long something may take that is done in the background, in milliseconds. */
const SOON = 30_000;

const test = watched.extend<{ fresh: Fresh }>({
  fresh: async ({}, use) => {
    const fresh = await Fresh.start();
    await use(fresh);
    await fresh.stop();
  },
  baseURL: async ({ fresh }, use) => use(fresh.url),
  storageState: { cookies: [], origins: [] },
});

interface Team {
  id: string;
  name: string;
}

interface Member {
  email: string;
  role: string;
}

/** Somebody who is a member of a team and no admin. */
async function somebody(fresh: Fresh, request: APIRequestContext): Promise<{ team: string; email: string }> {
  const headers = { Authorization: `Bearer ${fresh.token}`, Accept: ACCEPT };
  const ask = async <T>(path: string): Promise<T> => (await (await request.get(fresh.heroku + path, { headers })).json()) as T;
  for (const team of await ask<Team[]>("/teams")) {
    const member = (await ask<Member[]>(`/teams/${team.id}/members`)).find((one) => one.role === "member");
    if (member !== undefined) return { team: team.name, email: member.email };
  }
  throw new Error("the small estate has no plain member");
}

/** One way of working, on one page. */
class Way {
  constructor(private readonly page: Page, private readonly hand: Hand, private readonly fresh: Fresh) {}

  private link(name: string | RegExp): Locator {
    return this.page.locator("main").getByRole("link", { name });
  }

  private button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  private async goTo(name: string): Promise<void> {
    await this.hand.press(this.page.locator("nav.nav").getByRole("link", { name, exact: true }));
    await expect(this.page.getByRole("heading", { level: 1, name, exact: true })).toBeVisible();
  }

  /** What came of something has the focus, and says this. */
  private async landed(word: string): Promise<void> {
    const state = this.page.locator("#state");
    await expect(state).toContainText(word, { timeout: SOON });
    await expect(state).toBeFocused();
  }

  async setUp(): Promise<void> {
    const { page, hand } = this;
    await open(page, this.fresh.setup);
    await expect(page.getByLabel("E-mail address")).toBeFocused();
    await hand.write(page.getByLabel("E-mail address"), FIRST.email);
    await hand.write(page.getByLabel("Name"), FIRST.name);
    await hand.write(page.getByLabel("Password"), FIRST.password);
    await hand.press(this.button("Set up and sign in"));
    await expect(page.getByRole("heading", { level: 1, name: "Connect Heroku" })).toBeVisible();
  }

  async connect(): Promise<void> {
    const { page, hand, fresh } = this;
    await expect(page.getByLabel("Owner", { exact: true })).toHaveValue(FIRST.email);
    await hand.write(page.getByLabel("Name", { exact: true }), "Northwind");
    await hand.write(page.getByLabel("API token"), fresh.token);
    await hand.choose(page.getByLabel("Polling interval"), "only by hand");
    await hand.tick(page.getByRole("checkbox", { name: /Provisioning/ }));
    await hand.press(page.getByText("Tags, and another address"));
    await hand.write(page.getByLabel("Address of the Heroku API"), fresh.heroku);
    await this.check();
    await hand.press(this.button("Save"));
    await expect(page.getByRole("heading", { level: 1, name: "Northwind" })).toBeVisible();
    await expect(page.locator("#state .badge")).toHaveText("Connected", { timeout: SOON });
    expect(await page.content()).not.toContain(fresh.token);
    await hand.press(this.button("Sync now"));
    await this.landed("Connected");
  }

  private async check(): Promise<void> {
    await this.hand.press(this.button("Check the token"));
    await expect(this.page.locator("[data-tried]")).toContainText("A sync sends about");
    await expect(this.button("Check the token")).toBeFocused();
  }

  async signInAgain(): Promise<void> {
    const { page, hand } = this;
    await hand.press(this.button("Sign out"));
    await expect(page.getByLabel("E-mail address")).toBeFocused();
    await hand.write(page.getByLabel("E-mail address"), FIRST.email);
    await hand.write(page.getByLabel("Password"), FIRST.password);
    await hand.press(this.button("Sign in"));
    await expect(page.locator("nav.nav")).toBeVisible();
  }

  async beTold(): Promise<void> {
    const { page, hand, fresh } = this;
    await this.goTo("Rules");
    await hand.press(this.link("Where alerts go"));
    await hand.press(this.link("Add a channel"));
    await hand.press(this.link("Webhook"));
    await hand.write(page.getByLabel("Name", { exact: true }), "Watch");
    await hand.write(page.getByLabel("Address", { exact: true }), fresh.receiver);
    await hand.write(page.getByLabel("Signing secret"), fresh.secret);
    await hand.press(this.button("Add it"));
    await expect(page.getByRole("heading", { level: 1, name: "Watch" })).toBeVisible();
    await hand.press(this.button("Send a word to try it"));
    await expect(page.locator(".tried")).toContainText("it was taken");
    await expect(page.locator(".tried")).toBeFocused();
    expect(fresh.told().map(({ data, signed }) => [data.event, signed])).toEqual([["test", true]]);
    expect(await page.content()).not.toContain(fresh.secret);
  }

  /** Finds somebody, and reads by which path they reach what they reach. */
  async find(email: string, team: string): Promise<void> {
    const { page, hand } = this;
    await this.goTo("People");
    await hand.write(page.getByRole("searchbox"), email);
    await expect(page.locator("main tbody tr")).toHaveCount(1);
    await hand.press(page.locator("main tbody th a"));
    await expect(page.getByRole("heading", { level: 1, name: email })).toBeVisible();
    const branch = page.locator("#access details", { hasText: team });
    await expect(branch.locator("summary")).toContainText("member");
    if (!(await branch.evaluate((one) => (one as HTMLDetailsElement).open))) await hand.press(branch.locator("summary"));
    await expect(branch.locator(".path").first()).toBeVisible();
  }

  /** Makes them admin of the team, as a plan. */
  async promote(team: string): Promise<void> {
    const { page, hand } = this;
    await hand.press(this.link("Plan a change"));
    await hand.write(page.getByLabel("Team", { exact: true }), team);
    await hand.choose(page.getByLabel("Role"), "admin");
    await hand.write(page.getByLabel("Because"), "on call this week");
    await this.planAndApply("What follows from it");
  }

  private async planAndApply(told: string): Promise<void> {
    const { page, hand } = this;
    await hand.press(this.button("Work the plan out"));
    await expect(page.getByRole("heading", { name: told })).toBeVisible();
    await hand.press(this.button("Approve and apply"));
    await this.landed("applied");
  }

  /** Looks again until the page tells of it. */
  private async until(there: () => Locator): Promise<void> {
    await expect(async () => {
      await this.page.reload();
      await expect(there()).toBeVisible({ timeout: 1_000 });
    }).toPass({ timeout: SOON });
  }

  async seeTheChange(email: string, team: string): Promise<void> {
    const { page, hand } = this;
    await hand.press(this.link("What changed through it"));
    await expect(page.getByRole("heading", { level: 1, name: "Changes" })).toBeVisible();
    const entry = (): Locator => page.locator(".feed > li", { hasText: email }).filter({ hasText: team }).filter({ hasText: "admin" });
    await this.until(() => entry().first());
    await hand.press(entry().first().locator("time a"));
    await expect(page.locator("main")).toContainText("on call this week");
  }

  /** Waits until somebody was told so, of this person. */
  async told(event: string, email: string): Promise<Told> {
    const all = (): Told[] => this.fresh.told().filter(({ data }) => data.event === event && data.subject.includes(email));
    await expect.poll(() => all().length, { timeout: SOON }).toBeGreaterThan(0);
    const [first] = all();
    if (first === undefined) throw new Error("nothing was told");
    expect(first.signed).toBe(true);
    return first;
  }

  async seeTheFinding(email: string): Promise<void> {
    const { page, hand } = this;
    await this.goTo("Findings");
    await hand.press(page.locator("main tbody th a", { hasText: `${email} is now an admin` }));
    await expect(page.getByRole("heading", { level: 1, name: email })).toBeVisible();
    await hand.write(page.getByLabel("Seen"), "I ask them");
    await hand.press(this.button("I have seen it"));
    await this.landed("acknowledged");
  }

  async fix(email: string): Promise<void> {
    const { page, hand } = this;
    await hand.press(this.link("Fix as a plan"));
    await expect(page.getByLabel("Person")).toHaveValue(email);
    await expect(page.getByLabel("Role")).toHaveValue("member");
    await this.planAndApply("What follows from it");
  }

  async seeItGone(email: string): Promise<void> {
    const { page, hand } = this;
    await this.goTo("Findings");
    await hand.press(this.link("Resolved"));
    await expect(page).toHaveURL(/state=resolved/);
    const row = (): Locator => page.locator("main tbody th a", { hasText: `${email} is now an admin` });
    await this.until(row);
    await hand.press(row());
    await expect(page.locator("#state")).toContainText("resolved");
    await expect(page.locator(".feed").last()).toContainText("resolved");
  }
}

const WAYS: [string, (page: Page) => Hand][] = [["a mouse", () => mouse], ["nothing but a keyboard", keyboard]];

for (const [name, hand] of WAYS) {
  test(`with ${name}: from the first link to a finding that is gone`, async ({ page, request, fresh }) => {
    test.setTimeout(240_000);
    const way = new Way(page, hand(page), fresh);
    await test.step("set up", () => way.setUp());
    await test.step("connect", () => way.connect());
    await test.step("sign out and in", () => way.signInAgain());
    await test.step("a channel", () => way.beTold());
    const { email, team } = await somebody(fresh, request);
    await test.step("a person and the path", () => way.find(email, team));
    await test.step("a plan, applied", () => way.promote(team));
    await test.step("the change", () => way.seeTheChange(email, team));
    await test.step("the alert", async () => {
      const { data } = await way.told("opened", email);
      expect(data.rule).toBe("D01");
      expect(data.command).toContain("--role member");
    });
    await test.step("the finding", () => way.seeTheFinding(email));
    await test.step("the fix, as a plan", () => way.fix(email));
    await test.step("it is gone", () => way.seeItGone(email));
    await test.step("and somebody is told", () => way.told("resolved", email));
  });
}
