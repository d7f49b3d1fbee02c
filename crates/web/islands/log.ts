// A log that grows while a connector syncs, and a page that shows anew what came of it.

import { refresh } from "./live";

interface Line {
  sequence: number;
  at: string;
  level: string;
  text: string;
}

/** Lines that are kept on the page. */
const MOST = 500;

/** Follows the log that the element names. */
export function follow(log: HTMLElement): void {
  const address = log.dataset["follow"];
  if (address === undefined) return;
  const lines = log.querySelector("ol");
  if (lines === null) return;
  let last = Number(log.dataset["after"] ?? "0");
  const source = new EventSource(`${address}?after=${last}`);
  let still = 0;

  source.addEventListener("log", (event) => {
    const line = JSON.parse(String(event.data)) as Line;
    if (line.sequence <= last) return;
    last = line.sequence;
    const down = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    lines.append(row(line));
    while (lines.children.length > MOST) lines.firstElementChild?.remove();
    if (down) log.scrollTop = log.scrollHeight;
    window.clearTimeout(still);
    still = window.setTimeout(() => void refresh(), 700);
  });
}

function row(line: Line): HTMLLIElement {
  const item = document.createElement("li");
  const parts: [string, string][] = [
    ["time", line.at.slice(11, 19)],
    ["span", line.level],
    ["bdi", line.text],
  ];
  for (const [name, text] of parts) {
    const part = document.createElement(name);
    part.textContent = text;
    if (name === "span") part.className = `level ${line.level}`;
    item.append(part);
  }
  return item;
}
