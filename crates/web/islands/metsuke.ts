// The script of every page. Each island finds its own elements and adds to what already works without it.

import { edit } from "./console";
import { move } from "./drawing";
import { remember } from "./history";
import { watch } from "./live";
import { follow } from "./log";
import { palette } from "./palette";
import { comeBack } from "./return";
import { seek } from "./seek";
import { attempt } from "./trial";

/** Sends a form as soon as somebody chooses something in it. */
function sendOnChoice(form: HTMLFormElement): void {
  form.querySelector("[data-without-script]")?.setAttribute("hidden", "");
  form.addEventListener("change", () => form.requestSubmit());
}

/** `/` goes to the field for words, as in many places. */
function keys(event: KeyboardEvent): void {
  const at = event.target;
  const typing = at instanceof HTMLElement && at.closest("input, select, textarea, [contenteditable]") !== null;
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.querySelector<HTMLInputElement>("[data-seek]");
  if (field === null) return;
  event.preventDefault();
  field.focus();
  field.select();
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-send]")) sendOnChoice(form);
for (const list of document.querySelectorAll<HTMLElement>("[data-list]")) seek(list);
for (const log of document.querySelectorAll<HTMLElement>("[data-follow]")) follow(log);
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-console]")) edit(form);
for (const board of document.querySelectorAll<HTMLElement>("[data-graph]")) move(board);
watch();
comeBack();
for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-try]")) attempt(button);
for (const room of document.querySelectorAll<HTMLElement>("[data-history]")) remember(room);
for (const button of document.querySelectorAll<HTMLElement>("[data-palette]")) palette(button);
document.addEventListener("keydown", keys);
