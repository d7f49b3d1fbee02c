// A page that shows anew what came of it: its live parts are asked for again and put in the place of the old ones.

/** How long nothing is asked while something is on its way, in milliseconds. */
const PAUSE = 1_500;

/** Asks for this very page, and puts its live parts in. */
export async function refresh(): Promise<void> {
  const answer = await fetch(window.location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${part.getAttribute("data-live") ?? ""}"]`);
    if (fresh === null || fresh.isEqualNode(part)) continue;
    const at = document.activeElement;
    const held = part.contains(at);
    part.replaceWith(document.adoptNode(fresh));
    if (held && at !== null) same(fresh, at)?.focus();
  }
}

/** What takes the focus after this: the same thing anew, else what tells how it stands now. */
function same(fresh: Element, at: Element): HTMLElement | null {
  const alike = [fresh, ...fresh.querySelectorAll<HTMLElement>(at.localName)].find(
    (one): one is HTMLElement =>
      one instanceof HTMLElement && one.localName === at.localName && one.id === at.id && one.textContent === at.textContent,
  );
  return alike ?? document.getElementById("state");
}

/** Looks again for as long as the page says that something is on its way. */
export function watch(): void {
  if (document.querySelector("[data-watch]") === null) return;
  window.setTimeout(() => void refresh().finally(watch), PAUSE);
}
