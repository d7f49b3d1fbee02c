// One field that leads everywhere: Ctrl+K, a few letters of a page, a person, a team or an app, Enter.

/** How long nobody types before the server is asked, in milliseconds. */
const PAUSE = 140;
/** Things of one list that are offered. */
const OFFERED = 6;
/** The lists that are looked through, with what one of them is called. */
const LISTS: [string, string][] = [["/people", "person"], ["/teams", "team"], ["/apps", "app"]];

interface Place {
  name: string;
  kind: string;
  href: string;
}

/** Makes the palette, which the button and Ctrl+K open. */
export function palette(button: HTMLElement): void {
  const pages: Place[] = [...document.querySelectorAll<HTMLAnchorElement>(".nav a")].map((link) => ({
    name: link.textContent ?? "",
    kind: "page",
    href: link.getAttribute("href") ?? "/",
  }));
  const lists = LISTS.flatMap(([path, kind]) => {
    const page = pages.find(({ href }) => href === path || href.startsWith(`${path}?`));
    return page === undefined ? [] : [{ kind, href: page.href }];
  });
  const dialog = document.createElement("dialog");
  dialog.className = "palette";
  dialog.setAttribute("aria-label", "Go to");
  const field = document.createElement("input");
  // Escape empties a field for searches first; here it closes.
  field.type = "text";
  field.autocomplete = "off";
  field.spellcheck = false;
  field.placeholder = "Go to a page, a person, a team or an app";
  const list = document.createElement("ul");
  list.id = "palette_places";
  const told = document.createElement("p");
  told.className = "tally";
  told.setAttribute("role", "status");
  for (const [name, value] of Object.entries({ role: "combobox", "aria-label": "Go to", "aria-expanded": "true", "aria-controls": list.id, "aria-autocomplete": "list" })) field.setAttribute(name, value);
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Places");
  dialog.append(field, list, told);
  document.body.append(dialog);

  let places: Place[] = [];
  let chosen = 0;
  let waiting = 0;
  let asking: AbortController | undefined;

  function show(found: Place[]): void {
    places = found;
    chosen = 0;
    list.replaceChildren(...found.map(row));
    told.textContent = found.length === 0 ? "Nothing is called so" : `${found.length} places, Enter goes there`;
    mark();
  }

  function row(place: Place, at: number): HTMLLIElement {
    const item = document.createElement("li");
    item.id = `palette_${at}`;
    item.setAttribute("role", "option");
    const name = document.createElement("bdi");
    name.textContent = place.name;
    const kind = document.createElement("span");
    kind.textContent = place.kind;
    item.append(name, kind);
    item.addEventListener("click", () => go(at));
    return item;
  }

  function mark(): void {
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
    if (places.length > 0) field.setAttribute("aria-activedescendant", `palette_${chosen}`);
    else field.removeAttribute("aria-activedescendant");
  }

  function go(at: number): void {
    const place = places[at];
    if (place !== undefined) window.location.assign(place.href);
  }

  async function seek(): Promise<void> {
    asking?.abort();
    const own = new AbortController();
    asking = own;
    const words = field.value.trim();
    const fits = pages.filter(({ name }) => name.toLowerCase().includes(words.toLowerCase()));
    show(fits);
    if (words.length < 2) return;
    told.textContent = "Looking…";
    try {
      const found = await Promise.all(lists.map(({ href, kind }) => within(href, kind, words, own.signal)));
      if (!own.signal.aborted) show([...fits, ...found.flat()]);
    } catch (error) {
      if (!own.signal.aborted) throw error;
    }
  }

  function open(): void {
    if (dialog.open) return;
    field.value = "";
    show(pages);
    dialog.showModal();
    field.focus();
  }

  field.addEventListener("input", () => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => void seek(), PAUSE);
  });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && places.length > 0) chosen = (chosen + step + places.length) % places.length;
    else if (event.key === "Enter") go(chosen);
    else return;
    event.preventDefault();
    mark();
  });
  // A press beside the palette closes it.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  button.addEventListener("click", open);
  button.hidden = false;
}

/** What a list has for these words: the same list that its page shows. */
async function within(list: string, kind: string, words: string, signal: AbortSignal): Promise<Place[]> {
  const address = new URL(list, window.location.href);
  address.searchParams.set("q", words);
  const answer = await fetch(address, { headers: { "X-Part": "list" }, signal });
  if (!answer.ok) return [];
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const links = [...page.querySelectorAll<HTMLAnchorElement>("tbody th a")].slice(0, OFFERED);
  return links.map((link) => ({ name: link.textContent ?? "", kind, href: link.getAttribute("href") ?? list }));
}
