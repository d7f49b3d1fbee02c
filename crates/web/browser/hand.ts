// How somebody works the pages: with a mouse, or with nothing but a keyboard.

import { expect, type Locator, type Page } from "@playwright/test";

/** Steps from field to field that somebody may have to take. */
const STEPS = 150;

/** Goes on by Tab until this has the focus, which has to be seen at every step. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let step = 0; step < STEPS; step += 1) {
    await page.keyboard.press("Tab");
    const { there, unseen } = await target.evaluate((one) => {
      const at = document.activeElement;
      const style = at === null || at === document.body ? undefined : getComputedStyle(at);
      const shown = style === undefined || style.outlineStyle !== "none" || style.boxShadow !== "none";
      return { there: one === at, unseen: shown ? "" : (at?.outerHTML.slice(0, 120) ?? "") };
    });
    expect(unseen, "has the focus and does not show it").toBe("");
    if (there) return expect(target).toBeInViewport();
  }
  throw new Error(`Tab does not lead to ${target}`);
}

/** Somebody's hand. */
export interface Hand {
  /** Presses a link, a button or what unfolds. */
  press(target: Locator): Promise<void>;
  /** Puts a mark into a box. */
  tick(box: Locator): Promise<void>;
  /** Writes into a field, in place of what it holds. */
  write(field: Locator, text: string): Promise<void>;
  /** Chooses of a list, by the name that stands there. */
  choose(list: Locator, name: string): Promise<void>;
}

/** With a mouse. */
export const mouse: Hand = {
  press: (target) => target.click(),
  tick: (box) => box.check(),
  write: (field, text) => field.fill(text),
  async choose(list, name) {
    await list.selectOption({ label: name });
  },
};

/** With nothing but a keyboard. */
export function keyboard(page: Page): Hand {
  const { keyboard: keys } = page;
  return {
    async press(target) {
      await tabTo(page, target);
      await keys.press("Enter");
    },
    async tick(box) {
      await tabTo(page, box);
      await keys.press("Space");
      await expect(box).toBeChecked();
    },
    async write(field, text) {
      // Whoever is there already need not go around.
      if (!(await field.evaluate((one) => one === document.activeElement))) await tabTo(page, field);
      await keys.press("Control+A");
      await keys.type(text);
      await expect(field).toHaveValue(text);
    },
    async choose(list, name) {
      await tabTo(page, list);
      await keys.type(name);
      await expect(list.locator("option:checked")).toHaveText(name);
    },
  };
}
