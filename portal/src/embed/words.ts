/** The words of embeds, and what to say about an error. */
import { text as all } from "../text/en";

export const text = all.embed;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
