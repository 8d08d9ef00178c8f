import { FileInput, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { post } from '@/api/client';
import type { MudReading } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { Banner, Failed } from '@/parts/page';
import { t, tn } from '@/strings/pages';
import { namesOf } from './allow-draft';
import { serviceText } from './flow';
import { listed } from './order-draft';

interface MudFormProps {
  gateway: string;
  device: string;
  frozen: boolean;
}

/** What the maker says the device needs (RFC 8520): looked at first, taken over by a second press. */
export function MudForm({ gateway, device, frozen }: MudFormProps) {
  const [file, setFile] = useState<File | null>(null);
  const [local, setLocal] = useState('10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16');
  const [names, setNames] = useState('');
  const [controllers, setControllers] = useState('');
  // Until somebody says otherwise, a list that is enforced stays so.
  const [chosen, setChosen] = useState<boolean | null>(null);
  const freeze = chosen ?? frozen;
  const send = async (preview: boolean): Promise<MudReading> => {
    const mud: unknown = JSON.parse(await (file as File).text());
    return post<MudReading>(`/gateways/${encodeURIComponent(gateway)}/allow/${encodeURIComponent(device)}/mud`, { mud, local: listed(local), controllers: listed(controllers), names: namesOf(names), freeze, preview });
  };
  const look = useAct(() => send(true), []);
  const take = useAct(() => send(false), ['gateways', 'ledger'], () => look.reset());
  const change = (run: () => void) => {
    look.reset();
    take.reset();
    run();
  };
  const reading = look.data;
  return (
    <form
      className="stack"
      aria-label={t('gw.mud')}
      onSubmit={(event) => {
        event.preventDefault();
        look.mutate();
      }}
    >
      <h3>{t('gw.mud')}</h3>
      <div className="fields">
        <FileInput label={t('gw.mud_file')} accept=".json,application/json,application/mud+json" value={file} placeholder="device.json" w={260} onChange={(one) => change(() => setFile(one))} />
        <TextInput label={t('gw.mud_local')} w={380} spellCheck={false} value={local} onChange={(event) => { const text = event.currentTarget.value; change(() => setLocal(text)); }} />
        <TextInput label={t('gw.mud_controllers')} w={220} spellCheck={false} value={controllers} onChange={(event) => { const text = event.currentTarget.value; change(() => setControllers(text)); }} />
      </div>
      <Textarea label={t('gw.mud_names')} description={t('gw.mud_names_lead')} autosize minRows={1} maxRows={6} spellCheck={false} value={names} placeholder="test.example.com=192.0.2.7" onChange={(event) => { const text = event.currentTarget.value; change(() => setNames(text)); }} />
      <Check checked={freeze} onChange={(value) => change(() => setChosen(value))}>{t('gw.mud_freeze')}</Check>
      {frozen && !freeze && <Banner tone="medium" icon="info">{t('gw.mud_thaws')}</Banner>}
      <div className="row"><Button type="submit" small plain disabled={!file} busy={look.isPending}>{t('gw.mud_look')}</Button></div>
      {look.isError && <Failed error={look.error} />}
      {reading && (
        <div className="stack">
          <p>{t('gw.mud_says', { system: reading.system || reading.url })} {tn('gw.mud_entries', reading.entries.length)}</p>
          <ul className="stack tight small">{reading.entries.map((one) => <li key={JSON.stringify(one)}><span className="mono">{one.peer}</span> · {serviceText(one)}</li>)}</ul>
          {reading.left_out.length > 0 && (
            <Banner tone="medium" icon="info">
              {t('gw.mud_left_out')}
              <ul className="small soft">{reading.left_out.map((line) => <li key={line}>{line}</li>)}</ul>
            </Banner>
          )}
          <div className="row"><Button small busy={take.isPending} onClick={() => take.mutate()}>{t(freeze ? 'gw.mud_take_freeze' : 'gw.mud_take')}</Button></div>
        </div>
      )}
      {take.isError && <Failed error={take.error} />}
      {take.data && <p role="status" className="small">{tn('gw.mud_taken', take.data.entries.length)}</p>}
    </form>
  );
}
