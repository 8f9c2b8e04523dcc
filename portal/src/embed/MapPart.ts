/**
 * `<terrella-map>`: a view on a map that can be moved. It tells of itself by events of the element:
 *
 *   terrella-camera   {lon, lat, zoom, projection, view}: moved; `view` is the query of what is seen now
 *   terrella-value    {lon, lat, values: [{collection, variable, title, units, value}]}, or null beside the Earth:
 *                     under the pointer; value null is no data, undefined not loaded yet
 *   terrella-pick     {lon, lat}: clicked
 *   terrella-failed   {message}
 */
import { root } from "../api/root";
import { inkOf } from "../chart/colors";
import { drawnPanes, sceneOf, type Drawn } from "../explore/scene";
import { MapView } from "../map/MapView";
import type { MapEvents, Sketch } from "../map/types";
import { colorOf, nameOf } from "../probe/shapes";
import { written } from "../state/address";
import type { View } from "../state/view";
import type { Part, Wanted } from "./elements";
import { Holdings, viewOf } from "./holdings";
import { legends, made } from "./legends";
import { messageOf, text } from "./words";

export class MapPart implements Part {
  readonly #box = made("div", "map");
  readonly #legend = made("div", "key");
  readonly #said = made("p", "said");
  readonly #open = made("a", "open", text.open);
  readonly #holdings = new Holdings(() => this.#draw());
  readonly #map: MapView;
  #wanted: Wanted;
  #view: View;
  #panes: Drawn[][] = [];
  #load: MapEvents["load"] = { pending: 0, failed: 0, message: null };
  #isLost = false;
  #lastFault = "";

  constructor(
    shadow: ShadowRoot,
    wanted: Wanted,
    private readonly tell: (event: string, detail: unknown) => void,
  ) {
    this.#wanted = wanted;
    this.#view = viewOf(wanted);
    this.#box.tabIndex = 0;
    this.#box.setAttribute("role", "application");
    this.#box.setAttribute("aria-label", text.map);
    this.#said.setAttribute("role", "status");
    this.#open.target = "_blank";
    this.#open.rel = "noopener";
    shadow.replaceChildren(this.#box, this.#legend, this.#open, this.#said);
    this.#map = new MapView(this.#box, {
      yields: true,
      events: {
        camera: (camera) => this.#moved(camera),
        point: (point) => this.#pointed(point),
        pick: ({ at }) => this.tell("terrella-pick", { lon: at[0], lat: at[1] }),
        load: (load) => {
          this.#load = load;
          this.#say();
        },
        lost: (isLost) => {
          this.#isLost = isLost;
          this.#say();
        },
      },
    });
    this.#draw();
  }

  change(wanted: Wanted): void {
    const isMoved = viewOf(wanted).camera;
    const before = viewOf(this.#wanted).camera;
    const { camera } = this.#view;
    this.#wanted = wanted;
    this.#view = viewOf(wanted);
    // where the reader has gone stays, unless the page itself goes elsewhere
    if (JSON.stringify(isMoved) === JSON.stringify(before)) this.#view.camera = camera;
    this.#draw();
  }

  destroy(): void {
    this.#map.destroy();
  }

  #draw(): void {
    this.#holdings.want(this.#view);
    const { known } = this.#holdings;
    this.#panes = drawnPanes(this.#view, known);
    this.#map.show(sceneOf(this.#view, known, this.#panes));
    this.#map.sketches(this.#sketches());
    this.#legend.hidden = this.#wanted.legend === "off";
    this.#legend.replaceChildren(...legends(this.#drawn));
    this.#link();
    this.#say();
  }

  /** Every layer once. */
  get #drawn(): Drawn[] {
    return [...new Map(this.#panes.flat().map((one) => [one.key, one])).values()];
  }

  /** The places, lines and areas that the view probes; named regions are the portal's to draw. */
  #sketches(): Sketch[] {
    const { lines } = inkOf("page", this.#box);
    return this.#view.probes.flatMap((probe) => {
      const color = lines[colorOf(probe) % lines.length]!;
      return probe.geometry ? [{ key: probe.id, geometry: probe.geometry, color, label: nameOf(probe) }] : [];
    });
  }

  #moved(camera: MapEvents["camera"]): void {
    this.#view.camera = { ...camera };
    this.#link();
    this.tell("terrella-camera", { ...camera, view: written(this.#view) });
  }

  #pointed(point: MapEvents["point"]): void {
    if (!point) return this.tell("terrella-value", null);
    const drawn = new Map(this.#drawn.map((one) => [one.key, one]));
    const values = this.#map.read(point.at).flatMap(({ key, pane, value }) => {
      const one = drawn.get(key);
      if (!one || pane !== point.pane) return [];
      const { variable, tileset } = one;
      return [{ collection: tileset.id, variable: variable.name, title: variable.title, units: variable.units, value }];
    });
    this.tell("terrella-value", { lon: point.at[0], lat: point.at[1], values });
  }

  #link(): void {
    this.#open.href = new URL(`explore?${written(this.#view)}`, root).href;
  }

  /** What is wrong, in place, with a way on. */
  #say(): void {
    const { error } = this.#holdings;
    const { failed, message } = this.#load;
    let fault = "";
    if (this.#isLost) fault = text.noWebGL;
    else if (error !== null) fault = messageOf(error);
    else if (failed > 0) fault = [text.failed(failed), message].filter(Boolean).join(" ");
    else if (!this.#view.layers.length) fault = text.nothing;
    if (fault === this.#lastFault) return;
    this.#lastFault = fault;
    this.#said.replaceChildren(fault);
    if (!fault) return;
    if (error !== null || failed > 0) this.#said.append(this.#again());
    this.tell("terrella-failed", { message: fault });
  }

  #again(): HTMLElement {
    const button = made("button", "", text.again);
    button.type = "button";
    button.addEventListener("click", () => {
      this.#holdings.again(this.#view);
      this.#map.retry();
    });
    return button;
  }
}
