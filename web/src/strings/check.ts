// What a language lacks, has too much, or would say wrongly.

export interface Report {
  missing: string[];
  surplus: string[];
  /** Keys whose places are not those of the English text. */
  broken: string[];
}

type Texts = Record<string, string>;

const places = (text: string): string => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]))].sort().join();

/** The English key behind a plural form that English does not have. */
function model(key: string, english: Texts): string {
  return key in english ? key : key.replace(/_(zero|two|few|many)$/, '_other');
}

export function check(english: Texts, own: Texts): Report {
  const keys = Object.keys(own);
  return {
    missing: Object.keys(english).filter((key) => !(key in own)),
    surplus: keys.filter((key) => !(model(key, english) in english)),
    // A singular may leave its number out: "one incident".
    broken: keys.filter((key) => {
      const text = english[model(key, english)];
      if (text === undefined) return false;
      const [said, asked] = [places(own[key] ?? ''), places(text)];
      return said !== asked && !(key.endsWith('_one') && said === places(text.replaceAll('{n}', '')));
    }),
  };
}
