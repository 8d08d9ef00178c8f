//! Namespaces of this process and of single threads.

use std::fs;
use std::os::fd::OwnedFd;

use nix::sched::{CloneFlags, CpuSet, sched_getcpu, sched_setaffinity, setns, unshare};
use nix::unistd::{Pid, getgid, getuid};

/// Enters a user namespace in which this user is root, and a network namespace that belongs to it.
/// Must be called before the process has a second thread.
///
/// # Errors
/// The system does not allow it; the text says which switch does.
pub(crate) fn own_namespaces() -> Result<(), String> {
    let (user, group) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|error| {
        format!(
            "user namespaces are not allowed here ({error}): an administrator can allow them with \
             `sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000` (and \
             `kernel.apparmor_restrict_unprivileged_userns=0` on Ubuntu)"
        )
    })?;
    let write = |file: &str, text: &str| {
        fs::write(file, text).map_err(|error| format!("{file} cannot be written: {error}"))
    };
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", &format!("0 {user} 1"))?;
    write("/proc/self/gid_map", &format!("0 {group} 1"))?;
    unshare(CloneFlags::CLONE_NEWNET)
        .map_err(|error| format!("network namespaces are not allowed here: {error}"))?;
    quiet();
    Ok(())
}

/// The kernel shall say nothing by itself on interfaces of this namespace, and pass frames over
/// bridges without looking into them. Where these switches cannot be written, the wires are set
/// quiet one by one and malformed packets may not pass.
pub(super) fn quiet() {
    for (file, value) in [
        ("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"),
        ("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"),
        ("/proc/sys/net/bridge/bridge-nf-call-iptables", "0"),
        ("/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0"),
        ("/proc/sys/net/bridge/bridge-nf-call-arptables", "0"),
    ] {
        if let Err(error) = fs::write(file, value) {
            tracing::debug!(file, %error, "left as it is");
        }
    }
}

/// The network namespace of the calling thread.
pub(super) fn current() -> Result<OwnedFd, String> {
    fs::File::open("/proc/thread-self/ns/net")
        .map(OwnedFd::from)
        .map_err(|error| format!("/proc/thread-self/ns/net: {error}"))
}

/// A new network namespace; it lives as long as the descriptor or anything in it.
pub(super) fn create() -> Result<OwnedFd, String> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET)
                .map_err(|error| format!("no further network namespace: {error}"))?;
            quiet();
            current()
        });
        thread.join().unwrap_or_else(|_| Err("the thread ended badly".to_owned()))
    })
}

/// Does something inside a network namespace, on a thread of its own.
pub(super) fn inside<T: Send>(
    namespace: &OwnedFd,
    work: impl FnOnce() -> Result<T, String> + Send,
) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            setns(namespace, CloneFlags::CLONE_NEWNET)
                .map_err(|error| format!("a network namespace cannot be entered: {error}"))?;
            work()
        });
        thread.join().unwrap_or_else(|_| Err("the thread ended badly".to_owned()))
    })
}

/// Frames of one processor are delivered in the order sent; best effort.
pub(super) fn stay_on_one_processor() {
    let mut set = CpuSet::new();
    let kept = sched_getcpu()
        .and_then(|processor| set.set(processor))
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
    if let Err(error) = kept {
        tracing::debug!(%error, "the sender may move between processors");
    }
}
