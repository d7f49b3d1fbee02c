// A picture that can be moved and enlarged, whose groups open in place, and that can be kept as PNG.

/** The largest scale that a picture begins with. */
const LARGEST = 1.25;
/** How much one step enlarges. */
const STEP = 1.25;

/** What of a picture is seen. */
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What stays on the picture when somebody follows it. */
const HERE = "a[data-here], a[href*='open='], a[href*='?at='], a[href*='&at=']";

/** Makes the pictures within an element move; what is opened, chosen or hidden takes the place of what was there. */
export function move(board: HTMLElement): void {
  let seen = start(board);
  board.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<SVGAElement | HTMLAnchorElement>(HERE) : null;
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void open(link.getAttribute("href") ?? "");
  });
  // What stood there before is drawn by the server.
  window.addEventListener("popstate", () => window.location.reload());

  async function open(address: string): Promise<void> {
    const answer = await fetch(address);
    if (!answer.ok) {
      window.location.assign(address);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-graph]");
    if (fresh === null) return;
    board.replaceChildren(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
    window.history.pushState(null, "", address);
    seen = start(board, seen);
    const next = board.querySelector<HTMLElement>("#chosen") ?? board.querySelector<HTMLElement>(".chip, [data-hand] a");
    next?.focus({ preventScroll: true });
  }
}

/** Makes a picture move; one of the same size is seen as it was before. */
function start(board: HTMLElement, before?: () => { whole: Box; seen: Box }): (() => { whole: Box; seen: Box }) | undefined {
  const canvas = board.querySelector<HTMLElement>(".canvas");
  const picture = canvas?.querySelector("svg");
  if (!canvas || !picture) return undefined;
  const whole: Box = { x: 0, y: 0, width: picture.viewBox.baseVal.width, height: picture.viewBox.baseVal.height };
  canvas.classList.add("moved");
  picture.style.height = `${Math.min(Math.max(whole.height * LARGEST, 240), 576)}px`;
  // A small picture stays small, in the middle.
  const fitted = (): Box => {
    const width = Math.max(whole.width, picture.clientWidth / LARGEST);
    const height = Math.max(whole.height, picture.clientHeight / LARGEST);
    return { x: (whole.width - width) / 2, y: (whole.height - height) / 2, width, height };
  };
  const last = before?.();
  let seen = last !== undefined && last.whole.width === whole.width && last.whole.height === whole.height ? last.seen : fitted();
  const show = (): void => picture.setAttribute("viewBox", `${seen.x} ${seen.y} ${seen.width} ${seen.height}`);
  const scale = (): number => Math.max(seen.width / picture.clientWidth, seen.height / picture.clientHeight);
  show();

  function zoom(by: number, x = 0.5, y = 0.5): void {
    const width = Math.min(Math.max(seen.width / by, 200), whole.width * 4);
    const height = (width * seen.height) / seen.width;
    seen = { x: seen.x + (seen.width - width) * x, y: seen.y + (seen.height - height) * y, width, height };
    show();
  }

  const bar = document.createElement("div");
  bar.className = "zoom";
  const button = (name: string, label: string, act: () => void): void => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "small";
    made.textContent = name;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    bar.append(made);
  };
  button("+", "Larger", () => zoom(STEP));
  button("−", "Smaller", () => zoom(1 / STEP));
  button("Fit", "Fit all of it", () => {
    seen = fitted();
    show();
  });
  button("PNG", "Keep as PNG", () => void keep(whole.width, whole.height));
  canvas.append(bar);

  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = picture.getBoundingClientRect();
      zoom(event.deltaY < 0 ? STEP : 1 / STEP, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    },
    { passive: false },
  );
  let from: { x: number; y: number } | undefined;
  let far = false;
  picture.addEventListener("dragstart", (event) => event.preventDefault());
  picture.addEventListener("pointerdown", (event) => {
    from = { x: event.clientX, y: event.clientY };
    far = false;
  });
  window.addEventListener("pointermove", (event) => {
    if (from === undefined) return;
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    if (!far && Math.hypot(x, y) < 4) return;
    far = true;
    seen = { ...seen, x: seen.x - x * scale(), y: seen.y - y * scale() };
    from = { x: event.clientX, y: event.clientY };
    show();
  });
  window.addEventListener("pointerup", () => (from = undefined));
  // Whoever has moved the picture has not meant the thing below the pointer.
  picture.addEventListener(
    "click",
    (event) => {
      if (!far) return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
  return () => ({ whole, seen });
}

/** Draws the picture's file and lets the browser keep that. */
async function keep(width: number, height: number): Promise<void> {
  const address = new URL(window.location.href);
  address.searchParams.set("format", "svg");
  const image = new Image();
  image.src = address.href;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * 2;
  canvas.height = height * 2;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => {
    if (blob === null) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "graph.png";
    link.click();
    URL.revokeObjectURL(link.href);
  });
}
