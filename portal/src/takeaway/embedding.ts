/** Lines for a page of somebody's own that show a part of a view of this portal. */
export const ELEMENTS = ["terrella-map", "terrella-chart", "terrella-legend"] as const;
export type ElementName = (typeof ELEMENTS)[number];

const attribute = (value: string): string =>
  value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** `site` with a slash at its end; `view` is the query of an address of Explore, `height` in pixels (0: as it comes). */
export function embedLines(site: string, view: string, element: ElementName = "terrella-map", height = 420): string {
  const style = height ? ` style="display: block; height: ${height}px"` : "";
  return [
    // a script's end must not stand in a component's source
    `<script type="module" src="${attribute(site)}portal/embed.js"></${"script"}>`,
    `<${element} view="${attribute(view)}"${style}></${element}>`,
    "",
  ].join("\n");
}
