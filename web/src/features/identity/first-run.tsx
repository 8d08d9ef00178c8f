import { PasswordInput, TextInput } from '@mantine/core';
import { ORGANISATION_KINDS, type OrganisationKind } from '@/api/situation-reads';
import { useEffect, useState } from 'react';
import { patch, post } from '@/api/client';
import { useAct } from '@/parts/act';
import { Lantern } from '@/parts/icon';
import { Failed } from '@/parts/page';
import { t, word } from '@/strings/pages';
import '@/app/frame.css';
import './first-run.css';
import { Button } from '@/parts/button';

const MIN_PASSWORD = 12;

export default function FirstRun() {
  const [form, setForm] = useState({ organisation: '', name: '', password: '', again: '' });
  const [kind, setKind] = useState<OrganisationKind>('operator');
  const act = useAct(
    async () => {
      await post('/first-run', { organisation: form.organisation.trim(), name: form.name.trim(), password: form.password });
      // Where the configuration says what the organisation is, the node refuses another word; the account is made all the same.
      await patch('/node', { kind }).catch(() => undefined);
    },
    ['node', 'me'],
  );
  const set = (field: keyof typeof form) => (event: React.ChangeEvent<HTMLInputElement>) => {
    const { value } = event.currentTarget;
    setForm((old) => ({ ...old, [field]: value }));
  };
  const short = form.password !== '' && form.password.length < MIN_PASSWORD;
  const different = form.again !== '' && form.again !== form.password;
  useEffect(() => {
    document.title = t('first_run.tab');
  }, []);
  return (
    <main className="door-page">
      <section className="panel">
        <form
          className="body stack wide"
          onSubmit={(event) => {
            event.preventDefault();
            act.mutate();
          }}
        >
          <div>
            <div style={{ width: 34, marginBottom: 10 }}><Lantern /></div>
            <h1>{t('first_run.title')}</h1>
            <p className="soft">{t('first_run.lead')}</p>
          </div>
          <TextInput label={t('first_run.organisation')} description={t('first_run.organisation_why')} required maxLength={120} autoFocus value={form.organisation} onChange={set('organisation')} />
          <fieldset className="kinds">
            <legend>{t('organisation.ask')}</legend>
            <p className="small quiet">{t('organisation.ask_why')}</p>
            {ORGANISATION_KINDS.map((one) => (
              <label key={one} className={one === kind ? 'chosen' : ''}>
                <input type="radio" name="kind" value={one} checked={one === kind} onChange={() => setKind(one)} />
                <span><b>{word('organisation', one)}</b><span className="small quiet">{word('organisation.why', one)}</span></span>
              </label>
            ))}
          </fieldset>
          <TextInput label={t('first_run.name')} autoComplete="username" required maxLength={64} value={form.name} onChange={set('name')} />
          <PasswordInput label={t('sign_in.password')} description={t('first_run.password_why', { n: MIN_PASSWORD })} autoComplete="new-password" required value={form.password} onChange={set('password')} error={short ? t('first_run.too_short', { n: MIN_PASSWORD }) : null} />
          <PasswordInput label={t('first_run.again')} autoComplete="new-password" required value={form.again} onChange={set('again')} error={different ? t('first_run.different') : null} />
          {act.isError && <Failed error={act.error} />}
          <Button type="submit" wide busy={act.isPending} disabled={form.password.length < MIN_PASSWORD || form.again !== form.password}>{t('first_run.do')}</Button>
        </form>
      </section>
    </main>
  );
}
