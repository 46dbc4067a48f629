/**
 * What the operator has chosen for every page: the logo, the accent, where members can ask, and the privacy policy. It is
 * worked out once for each configuration, with the style and its hash, so that the policy allows exactly that style.
 */
import { createHash } from "node:crypto";
import type { Config } from "../config/load.ts";
import type { Logo } from "../config/logo.ts";
import type { Accent } from "./accent.ts";
import { findAccent, THEMES } from "./accent.ts";
import baseCss from "./style.css" with { type: "text" };

/** The variables that a look is made of. */
type Choices = Pick<Config, "platformLogo" | "platformColor" | "supportUrl" | "privacyUrl">;

/** The look of every page of one configuration. */
export type Look = {
  /** The one style of every page. */
  readonly css: string;
  /** In base64, for the policy. */
  readonly cssHash: string;
  /** The mark on a browser's tab, as a `data:` URL. */
  readonly icon: string;
  readonly logo: ServedLogo | undefined;
  readonly supportUrl: string | undefined;
  readonly privacyUrl: string | undefined;
};

/** A logo under an address that changes with its content, so that browsers can keep it for good. */
export type ServedLogo = Logo & { readonly path: string };

const EXTENSIONS: Readonly<Record<Logo["type"], string>> = {
  "image/png": "png",
  "image/webp": "webp",
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
};
/** 64 bits: enough to tell the logos of one organisation apart. */
const HASH_LENGTH = 16;
const JANUS_COLOR = "#6d78ea";

/** The two faces of Janus, looking away from each other, in a square of 24. */
export const MARK_PATH = "M11 2a10 10 0 0 0 0 20zM13 5a7 7 0 0 1 0 14z";

const looks = new WeakMap<Choices, Look>();

/** The look of a configuration. */
export function lookOf(config: Choices): Look {
  const look = looks.get(config) ?? createLook(config);
  looks.set(config, look);
  return look;
}

/** Works out a look. */
export function createLook({ platformLogo, platformColor, supportUrl, privacyUrl }: Choices): Look {
  const themes = platformColor === undefined ? undefined : accentsOf(platformColor);
  const css = themes === undefined ? baseCss : baseCss + accentCss(themes);
  return {
    css,
    cssHash: createHash("sha256").update(css).digest("base64"),
    icon: drawIcon(themes?.light.accent ?? JANUS_COLOR, themes?.dark.accent ?? JANUS_COLOR),
    logo: platformLogo === undefined ? undefined : { ...platformLogo, path: pathOf(platformLogo) },
    supportUrl,
    privacyUrl,
  };
}

/**
 * The Content-Security-Policy of a page. `imageOrigin` is the origin, as `URL.origin` writes it, that the page may show
 * images from; it must never be text from outside. `img-src data:` is for the icon: without an icon, browsers ask for
 * /favicon.ico. Browsers apply `form-action` to redirects too, so answer a form with a page or a redirect to Janus.
 * https://www.w3.org/TR/CSP3/
 */
export function pageCsp({ cssHash, logo }: Pick<Look, "cssHash" | "logo">, imageOrigin?: string): string {
  const images = [
    "data:",
    ...(logo === undefined ? [] : ["'self'"]),
    ...(imageOrigin === undefined ? [] : [imageOrigin]),
  ];
  return [
    "default-src 'none'",
    `style-src 'sha256-${cssHash}'`,
    `img-src ${images.join(" ")}`,
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

function drawIcon(light: string, dark: string): string {
  const style = `<style>@media (prefers-color-scheme:dark){path{fill:${dark}}}</style>`;
  const path = `<path fill="${light}" d="${MARK_PATH}"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">${style}${path}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

function pathOf({ bytes, type }: Logo): string {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, HASH_LENGTH);
  return `/assets/logo-${hash}.${EXTENSIONS[type]}`;
}

type Accents = { readonly light: Accent; readonly dark: Accent };

const accentsOf = (color: string): Accents => ({
  light: findAccent(color, THEMES.light),
  dark: findAccent(color, THEMES.dark),
});

/** Replaces the accent of `style.css`. It comes last, so it wins there. */
const accentCss = ({ light, dark }: Accents): string =>
  `:root{${declare(light)}}@media (prefers-color-scheme:dark){:root{${declare(dark)}}}`;

const declare = ({ accent, hover }: Accent): string => `--accent:${accent};--accent-hover:${hover}`;
