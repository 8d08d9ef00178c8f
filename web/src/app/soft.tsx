// A part of the frame that comes when it is needed. Where it cannot come, because the node is away, the page stays.
import { lazy, useEffect, type ComponentType, type LazyExoticComponent } from 'react';
import { t } from '@/strings/t';
import { toast } from './undo';

function Missing({ onClose }: { onClose?: () => void }) {
  useEffect(() => {
    toast(t('error.part'), { more: { text: t('newer.reload'), act: () => window.location.reload() } });
    onClose?.();
  }, [onClose]);
  return null;
}

export function soft<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): LazyExoticComponent<ComponentType<P>> {
  return lazy(() => load().catch(() => ({ default: Missing as ComponentType<P> })));
}
