// Where somebody was who sent a form by keyboard: on the page that answers, the focus goes back there.

/** The place in which it is kept from one page to the next. */
const KEPT = "metsuke-at";

/** Keeps where a form is sent from, and goes back to where the last one was sent from. */
export function comeBack(): void {
  let keyed = false;
  document.addEventListener("keydown", () => (keyed = true), true);
  document.addEventListener("pointerdown", () => (keyed = false), true);
  document.addEventListener("submit", ({ target, submitter }) => {
    const at = submitter ?? document.activeElement;
    if (keyed && target instanceof HTMLFormElement && at instanceof HTMLElement) {
      sessionStorage.setItem(KEPT, JSON.stringify(place(target, at)));
    }
  });

  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  // A page that says itself where to look is not contradicted.
  if (kept === null || window.location.hash !== "" || document.querySelector("[autofocus]") !== null) return;
  find(JSON.parse(kept) as string[])?.focus();
}

/** A form, and what of it had the focus: the form's path, then a name and a value. */
function place(form: HTMLFormElement, at: HTMLElement): string[] {
  return [path(form), at.getAttribute("name") ?? "", at.getAttribute("value") ?? ""];
}

function path(form: HTMLFormElement): string {
  return new URL(form.getAttribute("action") ?? "", window.location.href).pathname;
}

/** The same thing on this page: in the same form, of the same name, of the same value where there are several. */
function find([of, name, value]: string[]): HTMLElement | undefined {
  const forms = [...document.querySelectorAll<HTMLFormElement>("form")].filter((form) => path(form) === of);
  const all = forms.flatMap((form) => [...form.querySelectorAll<HTMLElement>("button, select, input:not([type=hidden])")]);
  const named = all.filter((one) => (one.getAttribute("name") ?? "") === name);
  return named.find((one) => (one.getAttribute("value") ?? "") === value) ?? named[0];
}
