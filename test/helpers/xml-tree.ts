/** A small strict XML parser for judging manifests: elements, attributes, text; nothing else. */

/** One element. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
};

const NAME = '[A-Za-z_][\\w.:-]*';
const TOKEN = new RegExp(`<(/?)(${NAME})((?:\\s+${NAME}="[^"<]*")*)\\s*(/?)>|([^<>]+)`, 'y');
const ATTRIBUTE = new RegExp(`(${NAME})="([^"]*)"`, 'g');
const ENTITY = /&(amp|lt|gt|quot|apos);|&/g;
const PLAIN: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

const unescaped = (text: string): string => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are what XML forbids
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text) || !text.isWellFormed())
    throw new SyntaxError('XML has no place for this character.');
  return text.replace(ENTITY, (_, name: string | undefined) => {
    if (name === undefined) throw new SyntaxError('A & that begins no entity.');
    return PLAIN[name] as string;
  });
};

/**
 * Parses a document.
 *
 * @throws {SyntaxError} when it is not well formed.
 */
export const parseXml = (text: string): XmlElement => {
  const declaration = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/.exec(text)?.[0] ?? '';
  const root: XmlElement = { name: '', attributes: new Map(), children: [], text: '' };
  const open: XmlElement[] = [root];
  TOKEN.lastIndex = declaration.length;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError(`Not XML at ${at}: ${text.slice(at, at + 40)}`);
    const [, closing, name = '', written = '', empty, content] = match;
    const parent = open.at(-1) as XmlElement;
    if (content !== undefined) parent.text += unescaped(content);
    else if (closing === '/') {
      if (open.pop()?.name !== name || open.length === 0)
        throw new SyntaxError(`</${name}> closes nothing.`);
    } else {
      const attributes = new Map<string, string>();
      for (const [, key = '', value = ''] of written.matchAll(ATTRIBUTE)) {
        if (attributes.has(key)) throw new SyntaxError(`${key} stands twice in ${name}.`);
        attributes.set(key, unescaped(value));
      }
      const element: XmlElement = { name, attributes, children: [], text: '' };
      parent.children.push(element);
      if (empty !== '/') open.push(element);
    }
  }
  const [only] = root.children;
  if (
    open.length !== 1 ||
    only === undefined ||
    root.children.length !== 1 ||
    root.text.trim() !== ''
  )
    throw new SyntaxError('There is not exactly one root.');
  return only;
};

/** Children of one name. */
export const childrenOf = (element: XmlElement | undefined, name: string): XmlElement[] =>
  element?.children.filter((child) => child.name === name) ?? [];

/** An attribute, '' when missing. */
export const attributeOf = (element: XmlElement | undefined, name: string): string =>
  element?.attributes.get(name) ?? '';
