// Lists as the node answers them: the description, values with counts, pages.
const field = (name, kind, help, words = [], facet = true) => ({ name, kind, help, words, has_order: ['rank', 'number', 'time'].includes(kind), facet });
const SEVERITY = ['low', 'medium', 'high', 'critical'];
const AGO = ['-1h', '-24h', '-7d', '-30d'];
const FIELDS = {
  incidents: [field('is', 'flag', 'open, closed, acknowledged, unacknowledged, received or own', ['open', 'closed', 'acknowledged', 'unacknowledged', 'received', 'own'], false), field('state', 'word', 'a state, e.g. new,triaged', ['new', 'triaged', 'contained', 'closed', 'false_alarm']), field('severity', 'rank', 'low, medium, high or critical; also < <= > >=', SEVERITY), field('owner', 'text', 'a name, me, or none'), field('device', 'phrase', 'words of a device’s name', [], false), field('opened', 'time', 'a day, a time, or -7d; with < <= > >=', AGO, false)],
  findings: [field('severity', 'rank', 'low, medium, high or critical; also < <= > >=', SEVERITY), field('kind', 'word', 'a kind of attack, e.g. scan', ['scan', 'flood', 'command_and_control']), field('device', 'phrase', 'words of a device’s name', [], false), field('peer', 'value', 'a remote address'), field('score', 'number', 'a number; also < <= > >= and 2..5', [], false)],
};
const SORTS = { incidents: ['opened', 'updated', 'happened', 'severity', 'findings'], findings: ['known', 'last', 'first', 'severity', 'score', 'windows'] };

export const describe = (noun) => ({ fields: FIELDS[noun], sorts: SORTS[noun].map((name) => ({ name })) });

/** A page; the mock reads no query but `is:closed`, and refuses one field that there is not. */
export function list(noun, rows, url, refuse) {
  const q = url.searchParams.get('q') ?? '';
  const wrong = q.indexOf('colour:');
  if (wrong >= 0) return refuse(400, 'Bad request', `the query cannot be read at character ${[...q.slice(0, wrong)].length + 1}: there is no field \`colour\``, `fields are ${FIELDS[noun].map((one) => one.name).join(', ')}; quotes make a text a phrase.`);
  const items = q.includes('is:closed') || url.searchParams.get('state') === 'closed' ? [] : rows;
  return { items, next: null, total: items.length, more_than_total: false };
}

export function facets(rows, url) {
  const one = (name) => {
    const counts = new Map();
    for (const row of rows) counts.set(row[name] ?? 'none', (counts.get(row[name] ?? 'none') ?? 0) + 1);
    return { field: name, values: [...counts].map(([value, count]) => ({ value, count })) };
  };
  return { facets: (url.searchParams.get('fields') ?? '').split(',').filter(Boolean).map(one), rows: 10_000, age_ms: 0 };
}
