import { Modal } from '@mantine/core';
import { t } from '@/strings/t';

const KEYS = [
  ['/', t('help.search')],
  ['Ctrl K', t('help.commands')],
  ['j', t('help.down')],
  ['k', t('help.up')],
  ['Enter', t('help.enter')],
  ['a', t('help.acknowledge')],
  ['e', t('help.state')],
  ['p', t('help.pause')],
  ['?', t('help.this')],
  ['Esc', t('help.escape')],
] as const;

export default function Help({ onClose }: { onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={t('help.title')} closeButtonProps={{ 'aria-label': t('page.close') }} transitionProps={{ duration: 100 }}>
      <dl className="keys">
        {KEYS.map(([key, text]) => (
          <div key={key} style={{ display: 'contents' }}>
            <dt><kbd>{key}</kbd></dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
