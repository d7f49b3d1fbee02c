// The editor of questions: colours, words that complete themselves, and Ctrl+Enter. The field below it stays an ordinary one.

interface Known {
  name: string;
  told: string;
}

interface Catalogue {
  types: { name: string; class: string; told: string; properties: string[] }[];
  relationships: { verb: string; told: string; properties: string[] }[];
  metadata: string[];
}

const KEYWORDS =
  "FIND UNIQUE WITH THAT AS WHERE RETURN TREE HAVING ORDER BY ASC DESC SKIP LIMIT AND OR NOT IN LIKE COUNT SUM AVG MIN MAX MERGE CONCAT COALESCE TRUE FALSE UNDEFINED RELATES TO OF".split(" ");
/** Words that are offered at once. */
const OFFERED = 12;
/** One mark after the other: a note, a text, a parameter, a number, a word. */
const MARKS = /(\/\/[^\n]*)|("[^"\n]*"?|'[^'\n]*'?)|(\$\{[^}\n]*\}?)|(\b\d+(?:\.\d+)?\b)|([A-Za-z_][A-Za-z0-9_]*)/g;

/** Makes an editor of the form's field for text. */
export function edit(form: HTMLFormElement): void {
  const field = form.querySelector("textarea");
  const room = field?.parentElement;
  if (field === null || !room) return;
  const lit = document.createElement("pre");
  lit.setAttribute("aria-hidden", "true");
  room.prepend(lit);
  room.classList.add("lit");
  const list = document.createElement("ul");
  list.className = "offers";
  list.id = "offers";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Words");
  list.hidden = true;
  room.append(list);
  field.setAttribute("aria-controls", "offers");
  const keywords = new Set(KEYWORDS);
  let verbs = new Set<string>();
  let types = new Set<string>();
  let words: Known[] = KEYWORDS.map((name) => ({ name, told: "" }));
  let chosen = 0;

  const show = (): void => light(lit, field.value, keywords, verbs, types);
  show();
  void learn();

  async function learn(): Promise<void> {
    const answer = await fetch(form.dataset["console"] ?? "");
    if (!answer.ok) return;
    const known = (await answer.json()) as Catalogue;
    verbs = new Set(known.relationships.map((one) => one.verb));
    types = new Set(known.types.flatMap((one) => [one.name, one.class]));
    const properties = new Map<string, string>();
    for (const one of known.types) for (const name of one.properties) properties.set(name, `of ${one.name}`);
    for (const one of known.relationships) for (const name of one.properties) properties.set(name, `of ${one.verb}`);
    for (const name of known.metadata) properties.set(name, "of everything");
    words = [
      ...known.types.map(({ name, told }) => ({ name, told })),
      ...[...verbs].map((name) => ({ name, told: "relationship" })),
      ...words,
      ...[...properties].map(([name, told]) => ({ name, told })),
    ];
    show();
  }

  function begun(): string {
    const before = field?.value.slice(0, field.selectionStart) ?? "";
    return /[A-Za-z_][A-Za-z0-9_]*$/.exec(before)?.[0] ?? "";
  }

  function offer(): void {
    const word = begun().toLowerCase();
    const fits = (one: Known): boolean => one.name.toLowerCase().includes(word) && one.name.toLowerCase() !== word;
    const first = (one: Known): number => (one.name.toLowerCase().startsWith(word) ? 0 : 1);
    const found = word.length < 2 ? [] : words.filter(fits).sort((a, b) => first(a) - first(b)).slice(0, OFFERED);
    chosen = 0;
    list.replaceChildren(...found.map(row));
    list.hidden = found.length === 0;
    mark();
    if (!list.hidden) place();
  }

  function row(one: Known): HTMLLIElement {
    const item = document.createElement("li");
    item.setAttribute("role", "option");
    item.dataset["word"] = one.name;
    const told = document.createElement("span");
    told.textContent = one.told;
    item.append(one.name, told);
    item.addEventListener("mousedown", (event) => {
      event.preventDefault();
      take(one.name);
    });
    return item;
  }

  function mark(): void {
    [...list.children].forEach((item, at) => {
      item.id = `offer-${at}`;
      item.setAttribute("aria-selected", String(at === chosen));
    });
    if (list.hidden) field?.removeAttribute("aria-activedescendant");
    else field?.setAttribute("aria-activedescendant", `offer-${chosen}`);
  }

  /** Puts the words below the place where somebody types. */
  function place(): void {
    const probe = document.createElement("pre");
    const spot = document.createElement("span");
    probe.append(field?.value.slice(0, field.selectionStart - begun().length) ?? "", spot);
    spot.textContent = "|";
    probe.style.visibility = "hidden";
    room?.append(probe);
    list.style.left = `${spot.offsetLeft}px`;
    list.style.top = `${spot.offsetTop + 24 - (field?.scrollTop ?? 0)}px`;
    probe.remove();
  }

  function take(word: string): void {
    if (field === null) return;
    const end = field.selectionStart;
    field.setRangeText(word, end - begun().length, end, "end");
    list.hidden = true;
    mark();
    show();
    field.focus();
  }

  field.addEventListener("input", () => {
    show();
    offer();
  });
  field.addEventListener("scroll", () => (lit.scrollTop = field.scrollTop));
  field.addEventListener("blur", () => {
    list.hidden = true;
    mark();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const word = list.children[chosen];
    if (step !== undefined) chosen = (chosen + step + list.children.length) % list.children.length;
    else if (event.key === "Escape") list.hidden = true;
    else if ((event.key === "Enter" || event.key === "Tab") && word instanceof HTMLElement) take(word.dataset["word"] ?? "");
    else return;
    event.preventDefault();
    mark();
  });
}

function light(lit: HTMLElement, text: string, keywords: Set<string>, verbs: Set<string>, types: Set<string>): void {
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const found of text.matchAll(MARKS)) {
    const [all, note, quoted, parameter, digits, word] = found;
    const upper = word?.toUpperCase() ?? "";
    const kind = note !== undefined ? "c" : quoted !== undefined ? "s" : parameter !== undefined ? "p" : digits !== undefined ? "n"
      : verbs.has(upper) ? "v" : keywords.has(upper) ? "k" : types.has(word ?? "") ? "t" : "";
    if (kind === "") continue;
    const part = document.createElement("span");
    part.className = kind;
    part.textContent = all;
    parts.push(text.slice(at, found.index), part);
    at = found.index + all.length;
  }
  lit.replaceChildren(...parts, text.slice(at), "\n");
}
