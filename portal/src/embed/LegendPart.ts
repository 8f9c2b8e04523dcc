/** `<terrella-legend>`: the legend of a view without its map, for a place of its own on a page. */
import { drawnPanes } from "../explore/scene";
import type { Part, Wanted } from "./elements";
import { Holdings, viewOf } from "./holdings";
import { legends, made } from "./legends";
import { messageOf } from "./words";

export class LegendPart implements Part {
  readonly #box = made("div", "key alone");
  readonly #holdings = new Holdings(() => this.#draw());
  #wanted: Wanted;

  constructor(
    shadow: ShadowRoot,
    wanted: Wanted,
    private readonly tell: (event: string, detail: unknown) => void,
  ) {
    this.#wanted = wanted;
    shadow.replaceChildren(this.#box);
    this.#draw();
  }

  change(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#draw();
  }

  destroy(): void {
    this.#box.remove();
  }

  #draw(): void {
    const view = viewOf(this.#wanted);
    this.#holdings.want(view);
    const { error, known } = this.#holdings;
    this.#box.replaceChildren(...legends(drawnPanes(view, known).flat()));
    if (error === null) return;
    const said = made("p", "", messageOf(error));
    said.setAttribute("role", "alert");
    this.#box.append(said);
    this.tell("terrella-failed", { message: messageOf(error) });
  }
}
