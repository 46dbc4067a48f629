/** Pages as a parser and as a reader see them. */
type Element = {
  readonly tag: string;
  readonly attributes: readonly (readonly [string, string])[];
};

/** The elements of a document, or those that a selector finds. */
export async function readElements(html: string, selector = "*"): Promise<readonly Element[]> {
  const elements: Element[] = [];
  const rewriter = new HTMLRewriter().on(selector, {
    element(element) {
      const attributes = [...element.attributes].map(([name = "", value = ""]) => [name, value] as const);
      elements.push({ tag: element.tagName, attributes });
    },
  });
  await rewriter.transform(new Response(html)).text();
  return elements;
}

/** Elements and their attributes, in their order, of each page by its name. */
export async function structuresOf(pages: Readonly<Record<string, string>>) {
  const structures: Record<string, readonly string[]> = {};
  for (const [name, html] of Object.entries(pages)) structures[name] = await structureOf(html);
  return structures;
}

async function structureOf(html: string): Promise<readonly string[]> {
  const elements = await readElements(html);
  return elements.map(({ tag, attributes }) => {
    const known = attributes.filter(([attribute, value]) => !(attribute === "class" && value === "whole"));
    return [tag, ...known.map(([attribute]) => attribute)].join(" ");
  });
}

const ACTIVE_TAGS = ["script", "iframe", "object", "embed", "img", "base", "audio", "video", "template"];

/** Every element and attribute that could run or load something, such as `img` and `img src`. */
export function activeParts(elements: readonly Element[]): readonly string[] {
  return elements.flatMap(({ tag, attributes }) => [
    ...(ACTIVE_TAGS.includes(tag) ? [tag] : []),
    ...attributes
      .filter(([name, value]) => /^on|^style$|^src|^http-equiv$/.test(name) || /^\s*javascript:/i.test(value))
      .map(([name]) => `${tag} ${name}`),
    ...attributes
      .filter(([name, value]) => tag === "link" && name === "href" && !value.startsWith("data:image/"))
      .map(([name]) => `${tag} ${name}`),
  ]);
}

/** The attributes of each element of a tag. */
export function attributesOf(
  elements: readonly Element[],
  tag: string,
): readonly Readonly<Record<string, string>>[] {
  return elements
    .filter((element) => element.tag === tag)
    .map(({ attributes }) => Object.fromEntries(attributes));
}

/** Where the links of a page lead: those of its own part, since every page has the same footer. */
export async function linksOf(
  html: string,
  landmark: "main" | "footer" = "main",
): Promise<readonly string[]> {
  return attributesOf(await readElements(html, `${landmark} a`), "a").map(({ href = "" }) => href);
}

/** Where the forms of a page are sent. */
export async function formsOf(html: string): Promise<readonly string[]> {
  return attributesOf(await readElements(html), "form").map(({ action = "" }) => action);
}

/** What a reader reads: the main landmark without its markup. */
export function textOf(html: string): string {
  const main = html.match(/<main>(.*)<\/main>/s)?.[1] ?? "";
  return main.replaceAll(/<\/?(?:bdi|strong|code|time)[^>]*>/g, "").replaceAll(/(?:<[^>]*>)+/g, "\n");
}
