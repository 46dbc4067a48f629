/**
 * The languages of Janus, each by its tag (RFC 5646). A language is a name in this list, a file of texts for its pages in
 * `pages/texts/`, and a message for it in the rules. The types demand both texts.
 */

/** The languages, in the order in which a menu would show them. */
export const LANGUAGES = ["en", "sv", "de"] as const;

/** A language of the pages. */
export type Language = (typeof LANGUAGES)[number];

/** The language of a member who asks for no other. */
export const DEFAULT_LANGUAGE: Language = "en";
