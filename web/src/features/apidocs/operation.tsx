// One operation: what it does, who may, what it takes and answers, and a line for a terminal.
import type { AccessRoute } from '@/api/types';
import { Button } from '@/parts/button';
import { Empty, Panel } from '@/parts/page';
import { copy } from '@/parts/value';
import { t, word } from '@/strings/pages';
import { curlOf, typeOf, type Description, type Operation } from './model';
import { Said, Shape } from './shape';

interface Props {
  description: Description;
  operation: Operation;
  /** Who may call it; null while that is not known to this reader. */
  rule: AccessRoute | null;
}

export function OperationView({ description, operation, rule }: Props) {
  const open = rule?.permission === 'public';
  const curl = curlOf(description, operation, window.location.origin, open);
  return (
    <div className="stack wide">
      <Panel title={<><span className={`method ${operation.method}`}>{operation.method}</span> <code className="wrap">{operation.path}</code></>}>
        <p><Said text={operation.summary} /></p>
        {operation.description && <p className="soft lines"><Said text={operation.description} /></p>}
        <Who rule={rule} />
      </Panel>
      <Panel title={t('apidocs.curl')} end={<Button small plain onClick={() => void copy(curl)}>{t('value.copy')}</Button>}>
        <pre className="curl" tabIndex={0} aria-label={t('apidocs.curl')}>{curl}</pre>
        {!open && <p className="small quiet">{t('apidocs.token')} <code>sereno token new</code></p>}
      </Panel>
      {operation.parameters.length > 0 && (
        <Panel title={t('apidocs.parameters')} flush>
          <div className="scroll" tabIndex={0} role="region" aria-label={t('apidocs.parameters')}>
            <table className="data">
              <caption className="hidden-text">{t('apidocs.parameters')}</caption>
              <thead>
                <tr><th scope="col">{t('apidocs.col.key')}</th><th scope="col">{t('apidocs.col.where')}</th><th scope="col">{t('apidocs.col.type')}</th><th scope="col">{t('apidocs.col.meaning')}</th></tr>
              </thead>
              <tbody>
                {operation.parameters.map((one) => (
                  <tr key={`${one.in} ${one.name}`}>
                    <td><code>{one.name}</code>{one.required && <span className="small quiet"> {t('apidocs.required')}</span>}</td>
                    <td>{word('apidocs.in', one.in)}</td>
                    <td><code>{typeOf(description, one.schema ?? {})}</code></td>
                    <td className="wrap"><Said text={one.description} /></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Panel>
      )}
      {operation.body && (
        <Panel title={t('apidocs.body')} end={<code className="small">{operation.body.kind}</code>}>
          <Shape key={operation.id} description={description} schema={operation.body.schema} label={t('apidocs.body')} />
        </Panel>
      )}
      <Panel title={t('apidocs.answers')}>
        {operation.answers.length === 0 && <Empty title={t('apidocs.no_answers')} />}
        {operation.answers.map((answer) => (
          <section key={`${operation.id} ${answer.status}`} className="answer">
            <h3><code>{answer.status}</code> {answer.schema ? <code>{typeOf(description, answer.schema)}</code> : t('apidocs.nothing')} {answer.kind && <span className="small quiet">{answer.kind}</span>}</h3>
            {answer.description && <p className="soft">{answer.description}</p>}
            {answer.schema && <Shape description={description} schema={answer.schema} label={t('apidocs.answer', { status: answer.status })} />}
          </section>
        ))}
        <p className="small quiet">{t('apidocs.problems')}</p>
      </Panel>
    </div>
  );
}

function Who({ rule }: { rule: AccessRoute | null }) {
  if (!rule) return <p className="small quiet">{t('apidocs.who_unknown')}</p>;
  if (rule.permission === 'public') return <p><b>{t('apidocs.who')}</b> {t('apidocs.who_all')}</p>;
  const roles = rule.roles.length > 0 ? rule.roles.map((role) => word('role', role)).join(', ') : t('apidocs.who_none');
  return <p><b>{t('apidocs.who')}</b> {roles} <span className="small quiet">({t('apidocs.permission')} <code>{rule.permission}</code>)</span></p>;
}
