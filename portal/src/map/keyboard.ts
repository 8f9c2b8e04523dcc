/** The map by keys: arrows move it, plus and minus scale it, Enter picks at a cross-hair in its middle. */
import { text } from "../text/en";
import { panned, zoomed } from "./anchoring";
import type { GestureHost } from "./gestures";

const STEP = 80;
const FINE = 8;
const REST = 250;
let helps = 0;

/** Pixels to move the picture, or the zoom to add, by key. */
const ways: Record<string, [x: number, y: number, zoom: number]> = {
  ArrowLeft: [1, 0, 0],
  ArrowRight: [-1, 0, 0],
  ArrowUp: [0, 1, 0],
  ArrowDown: [0, -1, 0],
  "+": [0, 0, 0.5],
  "=": [0, 0, 0.5],
  "-": [0, 0, -0.5],
  _: [0, 0, -0.5],
};

/** Gives an element keys, a role and a cross-hair; `busy` is called before the camera moves. Returns what undoes it. */
export function keyboard(element: HTMLElement, host: GestureHost, busy: () => void): () => void {
  const off = new AbortController();
  const options = { signal: off.signal };
  const crosshair = new Crosshair(element);
  const undescribe = describe(element);
  let rest = 0;

  const middle = (): [number, number] => {
    const pane = host.projectionAt(element.clientWidth / 2, element.clientHeight / 2);
    const { lon, lat } = host.camera();
    const [x, y] = pane.projection([lon, lat]) ?? [element.clientWidth / 2, element.clientHeight / 2];
    return [pane.left + x, pane.top + y];
  };
  const show = (): void => {
    const [x, y] = middle();
    crosshair.show(x, y);
    host.point(x, y);
    host.taker?.hover(x, y);
  };
  const hide = (): void => {
    if (!crosshair.at) return;
    crosshair.hide();
    host.point(null, null);
  };
  const go = ([x, y, zoom]: [number, number, number], step: number): void => {
    busy();
    const camera = host.camera();
    host.move(zoom ? zoomed(camera, camera.zoom + zoom, null, 0, 0) : panned(camera, x * step, y * step), true);
    clearTimeout(rest);
    rest = window.setTimeout(() => host.move(host.camera(), false), REST);
    show();
  };
  const act = (event: KeyboardEvent): boolean => {
    if (host.taker?.key(event, crosshair.at)) return true;
    const way = ways[event.key];
    if (way) go(way, event.shiftKey && event.key.startsWith("Arrow") ? FINE : STEP);
    else if (event.key === "Home" && host.home) {
      busy();
      host.home();
      show();
    } else if (event.key === "Enter") {
      // the first Enter shows where the next one picks
      if (crosshair.at) host.pick(...crosshair.at);
      else show();
    } else if (event.key === "Escape" && crosshair.at) hide();
    else return false;
    return true;
  };

  element.addEventListener(
    "keydown",
    (event) => {
      // keys for the page and for controls on the map are theirs
      if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (act(event)) event.preventDefault();
    },
    options,
  );
  element.addEventListener("blur", hide, options);
  element.addEventListener("pointerdown", () => crosshair.hide(), options);
  element.addEventListener("pointermove", (event) => event.pointerType === "mouse" && crosshair.hide(), options);
  return () => {
    off.abort();
    clearTimeout(rest);
    crosshair.hide();
    undescribe();
  };
}

/** Says to screen readers what this is and which keys it takes. */
function describe(element: HTMLElement): () => void {
  const before = ["role", "tabindex", "aria-label", "aria-describedby"].map(
    (name) => [name, element.getAttribute(name)] as const,
  );
  const help = document.createElement("p");
  help.id = `map-help-${++helps}`;
  help.className = "unseen";
  help.textContent = text.map.help;
  // also where the page's style sheet does not reach
  help.style.cssText =
    "position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%);white-space:nowrap";
  element.append(help);
  element.setAttribute("role", "application");
  if (element.tabIndex < 0) element.tabIndex = 0;
  if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", text.map.label);
  element.setAttribute("aria-describedby", help.id);
  return () => {
    help.remove();
    for (const [name, value] of before)
      value === null ? element.removeAttribute(name) : element.setAttribute(name, value);
  };
}

/** The mark in the middle; its place is that of the next pick. */
class Crosshair {
  at: [x: number, y: number] | null = null;
  #mark: SVGSVGElement | null = null;

  constructor(private readonly element: HTMLElement) {}

  show(x: number, y: number): void {
    this.at = [x, y];
    this.#mark ??= this.#made();
    this.#mark.style.transform = `translate(${x - 20}px, ${y - 20}px)`;
  }

  hide(): void {
    this.at = null;
    this.#mark?.remove();
    this.#mark = null;
  }

  #made(): SVGSVGElement {
    const space = "http://www.w3.org/2000/svg";
    const mark = document.createElementNS(space, "svg");
    mark.setAttribute("width", "40");
    mark.setAttribute("height", "40");
    mark.setAttribute("aria-hidden", "true");
    mark.dataset.part = "crosshair";
    mark.style.cssText = "position:absolute;left:0;top:0;pointer-events:none;fill:none;z-index:3";
    // a dark line in a light one is seen on any value
    for (const [color, width] of [
      ["#fff", "4"],
      ["#10202c", "1.6"],
    ] as const) {
      const path = document.createElementNS(space, "path");
      path.setAttribute("d", "M20 2v13M20 25v13M2 20h13M25 20h13");
      path.setAttribute("stroke", color);
      path.setAttribute("stroke-width", width);
      path.setAttribute("stroke-linecap", "round");
      mark.append(path);
    }
    this.element.append(mark);
    return mark;
  }
}
