/**
 * The one file that pages of others load:
 *
 *   <script type="module" src="https://site/portal/embed.js"></script>
 *   <terrella-map src="https://site/" view="at=10,50,3,globe&l=c=t2m"></terrella-map>
 *
 * It defines the elements, and shows what they ask for when this is the site that they name.
 */
import { define } from "./elements";

export { show } from "./showing";
define();
