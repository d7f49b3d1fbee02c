// A token that is tried while it stays in its field: the server says what it is good for, and nothing is saved.

/** Makes the form's button for trying ask without sending the form. */
export function attempt(button: HTMLButtonElement): void {
  const form = button.form;
  const told = form?.querySelector<HTMLElement>("[data-tried]");
  if (form === null || !told) return;

  button.addEventListener("click", (event) => {
    const token = form.querySelector<HTMLInputElement>("#api_token");
    // An empty field says so itself.
    if (token === null || !token.reportValidity()) {
      event.preventDefault();
      return;
    }
    event.preventDefault();
    if (button.ariaDisabled !== "true") void ask();
  });

  async function ask(): Promise<void> {
    if (form === null || !told) return;
    // A button that is switched off would lose the focus.
    button.ariaDisabled = "true";
    told.textContent = "Heroku is asked…";
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string") fields.append(name, value);
    }
    fields.append("check", "yes");
    try {
      const answer = await fetch(form.action, { method: "POST", headers: { "X-Part": "tried" }, body: fields });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      told.replaceChildren(...page.body.childNodes);
    } catch {
      told.textContent = "The server does not answer. Try again, or save: the first sync tells what is wrong.";
    } finally {
      button.ariaDisabled = null;
    }
  }
}
