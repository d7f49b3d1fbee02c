// A list that narrows while somebody types: the server answers with the list anew, and nothing else of the page.

/** How long nobody types before the server is asked, in milliseconds. */
const PAUSE = 140;

/** Makes the list's field for words ask as one types. */
export function seek(list: HTMLElement): void {
  let waiting = 0;
  let asking: AbortController | undefined;

  list.addEventListener("input", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || !field.matches("[data-seek]")) return;
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => void ask(field), PAUSE);
  });

  async function ask(field: HTMLInputElement): Promise<void> {
    const form = field.form;
    if (form === null) return;
    asking?.abort();
    const own = new AbortController();
    asking = own;
    const words = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && value !== "") words.append(name, value);
    }
    const query = words.toString();
    const address = query === "" ? form.action : `${form.action}?${query}`;
    try {
      const answer = await fetch(address, { headers: { "X-Part": "list" }, signal: own.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.text(), field);
      window.history.replaceState(null, "", address);
    } catch (error) {
      // What the script cannot do the form still can.
      if (!own.signal.aborted) form.requestSubmit();
      else if (!(error instanceof DOMException)) throw error;
    }
  }

  /** Puts the new list in; the field stays as it is, for somebody types in it. */
  function show(html: string, field: HTMLInputElement): void {
    const page = new DOMParser().parseFromString(html, "text/html");
    const fresh = page.querySelector("[data-list]");
    const kept = field.closest(".tools");
    if (fresh === null || kept === null) return;
    const other = fresh.querySelector("[data-seek]")?.closest(".tools");
    for (const part of [".tally", ".choice", "a[download]"]) {
      const [old, now] = [kept.querySelector(part), other?.querySelector(part)];
      if (old !== null && now) old.replaceWith(document.adoptNode(now));
    }
    while (kept.nextSibling !== null) kept.nextSibling.remove();
    while (other?.nextSibling) list.append(document.adoptNode(other.nextSibling));
    const facets = fresh.querySelector(".facets");
    const before = list.querySelector(".facets");
    if (facets !== null && before !== null) before.replaceWith(document.adoptNode(facets));
  }
}
