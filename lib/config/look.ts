/**
 * The variables that make the pages an organisation's own: its logo, its colour, where members can ask, and what it
 * promises about their data. How the pages use them is up to `pages/`.
 */
import * as v from "valibot";
import { findLogoFault } from "./logo.ts";
import { secureUrl } from "./secure_address.ts";

/** Longer than any address that a person would keep. Every page holds it. */
const MAX_URL_LENGTH = 2_000;
/** The longest address that a mail server takes. RFC 5321 4.5.3.1.3 */
const MAX_EMAIL_LENGTH = 254;
const MAX_PATH_LENGTH = 4_096;

/** An address as browsers write it. It is a link on every page. */
const pageUrl = v.pipe(
  secureUrl,
  v.transform((text) => new URL(text).href),
  // A browser writes a letter beyond ASCII as up to twelve characters.
  v.maxLength(MAX_URL_LENGTH, `must have at most ${MAX_URL_LENGTH} characters`),
);

/** An e-mail address, with or without `mailto:`. It has no parameters: Janus itself writes the subject. RFC 6068 */
const emailUrl = v.pipe(
  v.string(),
  v.trim(),
  v.transform((text) => text.replace(/^mailto:/i, "")),
  v.maxLength(MAX_EMAIL_LENGTH),
  v.email(),
  v.transform((address) => `mailto:${encodeURI(address)}`),
);

/** Where members can ask for help: a URL, `https:` or `mailto:`. */
export const supportUrl = v.union(
  [emailUrl, pageUrl],
  "must be an https URL (http only on loopback) or an e-mail address, without invisible characters",
);

/** The organisation's privacy policy. */
export const privacyUrl = pageUrl;

/**
 * The organisation's colour: the digits of `#rrggbb`. Readers of env files take a `#` for the beginning of a comment, so it
 * may be left out.
 */
export const platformColor = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^#?[0-9a-f]{6}$/i, "must be a colour of six hexadecimal digits"),
  v.transform((text) => text.replace("#", "").toLowerCase()),
);

/** The path of a logo that can be served. */
export const platformLogo = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, "must not be empty"),
  v.maxLength(MAX_PATH_LENGTH, `must have at most ${MAX_PATH_LENGTH} characters`),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? findLogoFault(dataset.value) : undefined;
    if (message !== undefined) addIssue({ message });
  }),
);
