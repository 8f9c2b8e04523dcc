/**
 * The elements themselves: attributes in, events out, a shadow root between the page and us. What is shown is made by
 * the site that `src` names, with that site's own files, so that elements of several sites live on one page.
 */
import { root } from "../api/root";
import { show as ownShow } from "./showing";
import { messageOf, text } from "./words";

export type Kind = "map" | "chart" | "legend";

/** The attributes of an element, by name; those that are absent are left out. */
export type Wanted = Record<string, string>;

/** Something shown in a shadow root, until it is destroyed. */
export interface Part {
  change(wanted: Wanted): void;
  destroy(): void;
}

/** What a site's embed.js exports; elements of other versions call it, so it only ever grows. */
export type Show = (
  kind: Kind,
  shadow: ShadowRoot,
  wanted: Wanted,
  tell: (event: string, detail: unknown) => void,
) => Part;

const ATTRIBUTES = ["view", "src", "time", "legend"];

/** The function that shows things of a site. Rejects where there is no such site. */
async function showOf(src: string | undefined): Promise<Show> {
  const site = src === undefined ? root : new URL(src.endsWith("/") ? src : `${src}/`, document.baseURI);
  if (site.href === root.href) return ownShow;
  const module = (await import(/* @vite-ignore */ new URL("portal/embed.js", site).href)) as { show: Show };
  return module.show;
}

abstract class Embedded extends HTMLElement {
  static readonly observedAttributes = ATTRIBUTES;
  abstract readonly kind: Kind;
  #part: Part | null = null;
  /** Grows with every beginning and end: an answer that comes after the next one is not wanted any more. */
  #round = 0;

  connectedCallback(): void {
    void this.#begin();
  }

  disconnectedCallback(): void {
    this.#end();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (!this.isConnected || before === now) return;
    if (name === "src") void this.#begin();
    else this.#part?.change(this.#wanted());
  }

  async #begin(): Promise<void> {
    this.#end();
    const round = this.#round;
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    shadow.replaceChildren();
    try {
      const show = await showOf(this.getAttribute("src") ?? undefined);
      if (round !== this.#round) return;
      this.#part = show(this.kind, shadow, this.#wanted(), (event, detail) => this.#tell(event, detail));
    } catch (error) {
      if (round !== this.#round) return;
      const said = document.createElement("p");
      said.setAttribute("role", "alert");
      said.textContent = text.noSite(this.getAttribute("src") ?? root.href);
      shadow.replaceChildren(said);
      this.#tell("terrella-failed", { message: messageOf(error) });
    }
  }

  #end(): void {
    this.#round++;
    this.#part?.destroy();
    this.#part = null;
  }

  #wanted(): Wanted {
    const given = this.getAttributeNames().map((name) => [name, this.getAttribute(name) ?? ""]);
    return Object.fromEntries(given) as Wanted;
  }

  #tell(event: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(event, { detail, bubbles: true, composed: true }));
  }
}

class TerrellaMap extends Embedded {
  readonly kind = "map";
}
class TerrellaChart extends Embedded {
  readonly kind = "chart";
}
class TerrellaLegend extends Embedded {
  readonly kind = "legend";
}

/** Defines the elements, unless another site's file did so before. */
export function define(): void {
  const all = { "terrella-map": TerrellaMap, "terrella-chart": TerrellaChart, "terrella-legend": TerrellaLegend };
  for (const [name, element] of Object.entries(all))
    if (!customElements.get(name)) customElements.define(name, element);
}
