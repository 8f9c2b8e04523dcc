/** The style of embeds: the portal's tokens and a few rules, within the shadow root alone. */
import tokens from "../style/tokens.css?inline";
import own from "./embed.css?inline";

let sheet: CSSStyleSheet | null = null;

export function dress(shadow: ShadowRoot): void {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    // tokens belong to the element here, not to the page; light or dark is the page's choice, or the element's data-scheme
    const ours = tokens
      .replaceAll(/:root(\[[^\]]*\])?/g, (_, attribute?: string) => `:host${attribute ? `(${attribute})` : ""}`)
      .replace(/color-scheme:\s*light dark;?/, "");
    sheet.replaceSync(ours + own);
  }
  shadow.adoptedStyleSheets = [sheet];
}
