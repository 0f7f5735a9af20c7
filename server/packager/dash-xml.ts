/** XML as lines of text, enough for a manifest. */

/** Lines of one element and what is in it, indented from its own margin. */
export type Xml = readonly string[];

type Attributes = Readonly<Record<string, string | number | undefined>>;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

// What XML 1.0 (section 2.2) has no place for, not even escaped; line ends would be normalised.
const FORBIDDEN = /[\p{Cc}\ufffe\uffff]+/gu;

/** Escapes any text for an attribute or as content; control characters become spaces. */
export const escapeXml = (text: string): string =>
  text
    .toWellFormed()
    .replace(FORBIDDEN, ' ')
    .replace(/[&<>"]/g, (character) => ENTITIES[character] as string);

/** An element; attributes that are undefined are left out. */
export const element = (
  name: string,
  attributes: Attributes,
  content: readonly Xml[] | string = [],
): Xml => {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
    .join('');
  if (typeof content === 'string') return [`<${name}${written}>${escapeXml(content)}</${name}>`];
  if (content.length === 0) return [`<${name}${written}/>`];
  const inner = content.flat().map((line) => `  ${line}`);
  return [`<${name}${written}>`, ...inner, `</${name}>`];
};
