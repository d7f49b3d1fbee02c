// What somebody has asked lately, kept in this browser alone.

/** Where it is kept. */
const KEPT = "metsuke.asked";
/** Questions that are kept. */
const MOST = 30;
/** Letters of a question that are shown. */
const SHOWN = 90;

/** Shows what was asked before, and keeps what was asked now. */
export function remember(room: HTMLElement): void {
  const list = room.querySelector("ul");
  const forget = room.querySelector("button");
  if (list === null || forget === null) return;
  const asked = new URLSearchParams(window.location.search).get("q")?.trim() ?? "";
  // Only what was understood is worth asking again.
  if (asked !== "" && document.querySelector("[aria-invalid]") === null) write([asked, ...read().filter((one) => one !== asked)]);
  const kept = read();
  list.replaceChildren(...kept.map(row));
  room.hidden = kept.length === 0;
  forget.addEventListener("click", () => {
    window.localStorage.removeItem(KEPT);
    list.replaceChildren();
    room.hidden = true;
    document.querySelector("textarea")?.focus();
  });
}

function row(text: string): HTMLLIElement {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const address = new URLSearchParams();
  for (const name of ["as_of", "connector"]) {
    const value = new URLSearchParams(window.location.search).get(name);
    if (value !== null && value !== "") address.set(name, value);
  }
  address.set("q", text);
  link.href = `/query?${address.toString()}`;
  link.className = "mono";
  const line = text.replace(/\s+/g, " ");
  link.textContent = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
  item.append(link);
  return item;
}

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(window.localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function write(questions: string[]): void {
  try {
    window.localStorage.setItem(KEPT, JSON.stringify(questions.slice(0, MOST)));
  } catch {
    // A browser that keeps nothing forgets.
  }
}
