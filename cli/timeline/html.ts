// HTML from templates in which nothing becomes markup that was not written here: every value is escaped unless it is
// Markup itself.
export interface Markup {
  readonly markup: string;
}

export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Markup | readonly Markup[])[]
): Markup {
  let text = parts[0]!;
  for (const [n, value] of values.entries()) text += rendered(value) + parts[n + 1]!;
  return { markup: text };
}

function rendered(value: string | number | Markup | readonly Markup[]): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escaped(value);
  if ('markup' in value) return value.markup;
  return value.map((one) => one.markup).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control and formatting characters are shown as their code: they could turn text round or hide it. */
const escaped = (text: string): string =>
  text
    .replace(/[&<>"']/g, (c) => entities[c]!)
    .replace(/[\p{Cc}\p{Cf}]/gu, (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`);
