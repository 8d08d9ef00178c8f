import { Modal } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { t } from '@/strings/t';
import { BINDINGS, isOn } from './keys';

export default function Help({ onClose }: { onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={t('help.title')} size="lg" closeButtonProps={{ 'aria-label': t('page.close') }} transitionProps={{ duration: 100 }}>
      <dl className="keys">
        {BINDINGS.filter(isOn).map(({ keys, text }) => (
          <div key={keys} style={{ display: 'contents' }}>
            <dt>{keys.split(' ').map((key) => <kbd key={key}>{key}</kbd>).reduce((all, one) => <>{all} {one}</>)}</dt>
            <dd>{keys.startsWith('g ') ? t('palette.go', { place: t(text) }) : t(text)}</dd>
          </div>
        ))}
      </dl>
      <p className="small" style={{ marginTop: 12 }}><Link to="/preferences" onClick={onClose}>{t('help.switch')}</Link></p>
    </Modal>
  );
}
