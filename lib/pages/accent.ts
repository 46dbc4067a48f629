/**
 * The organisation's colour in each theme. Few colours can be read both on a light page and on a dark one. So each theme
 * gets the nearest shade that can: a darker one on the light page, a lighter one on the dark page.
 */

/** The shades of a theme, as `#rrggbb`. */
export type Accent = {
  /** Of the button, of links, of the mark, and of the ring around what has the focus. */
  readonly accent: string;
  /** Of the button under the pointer. */
  readonly hover: string;
};

/** A theme: what the accent stands on, and the ends of the scale. */
type Theme = { readonly card: string; readonly away: string; readonly back: string };

const BLACK = "#000000";
const WHITE = "#ffffff";

/** The themes. `card` is as in `style.css`. */
export const THEMES = {
  light: { card: "#ffffff", away: BLACK, back: WHITE },
  dark: { card: "#1c1f2b", away: WHITE, back: BLACK },
} as const;

/**
 * The contrast that WCAG 2.2 AA demands between a text and its background. A shade that reaches it on the card also
 * reaches it under `--on-accent`, and the 3 that AA demands between a button and `--page`.
 * https://www.w3.org/TR/WCAG22/#contrast-minimum https://www.w3.org/TR/WCAG22/#non-text-contrast
 */
export const LEAST_CONTRAST = 4.5;

const STEPS = 100;
const HOVER_SHARE = 0.25;
/** Below this nobody sees that the button has changed. */
const LEAST_CHANGE = 1.1;

/** The nearest shades of a colour that can be read in a theme. */
export function findAccent(color: string, { card, away, back }: Theme): Accent {
  const shades = Array.from({ length: STEPS + 1 }, (_, step) => mix(color, away, step / STEPS));
  const accent = shades.find((shade) => contrastOf(shade, card) >= LEAST_CONTRAST) ?? away;
  const further = mix(accent, away, HOVER_SHARE);
  const hover = contrastOf(further, accent) < LEAST_CHANGE ? mix(accent, back, HOVER_SHARE) : further;
  return { accent, hover };
}

/** The contrast ratio of two colours, from 1 to 21. https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrastOf(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminanceOf(color: string): number {
  const [red = 0, green = 0, blue = 0] = channelsOf(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mix(color: string, end: string, share: number): string {
  const ends = channelsOf(end);
  const channels = channelsOf(color).map(
    (channel, at) => channel + ((ends[at] ?? channel) - channel) * share,
  );
  return `#${channels.map((channel) => Math.round(channel).toString(16).padStart(2, "0")).join("")}`;
}

const channelsOf = (color: string): readonly number[] =>
  [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
