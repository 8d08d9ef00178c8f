//! When this process ends: on a signal, or with the process that started it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::getppid;

/// How often the parent is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The signals that end the edge.
fn signals() -> SigSet {
    let mut set = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        set.add(signal);
    }
    set
}

/// Keeps the ending signals until [`stop_on`] waits for them; call it before the first thread.
pub(crate) fn block_signals() -> Result<SigSet> {
    let set = signals();
    set.thread_block().context("signals cannot be blocked")?;
    Ok(set)
}

/// The kernel ends this process when its parent ends.
pub(crate) fn die_with_parent() -> Result<()> {
    prctl::set_pdeathsig(Signal::SIGTERM).context("the parent's end cannot be watched")
}

/// A flag that is set when it is time to end. `with_parent`: also when the parent has ended; looked
/// for by its number, since the kernel's own notice would come already when the parent's thread ends.
pub(crate) fn stop_on(signals: SigSet, with_parent: bool) -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let on_signal = stop.clone();
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        if let Ok(signal) = signals.wait() {
            tracing::info!(%signal, "ending");
        }
        on_signal.store(true, Ordering::Relaxed);
    })?;
    if with_parent {
        let (parent, on_orphaned) = (getppid(), stop.clone());
        std::thread::Builder::new().name("parent".into()).spawn(move || {
            while getppid() == parent {
                std::thread::sleep(LOOK_EVERY);
            }
            tracing::info!("the process that started this one has ended; ending");
            on_orphaned.store(true, Ordering::Relaxed);
        })?;
    }
    Ok(stop)
}
