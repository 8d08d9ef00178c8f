//! The back-end over a btrfs subvolume, on a file system in a file.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::checkpoint_kit::{Ground, now, read};

/// The smallest that mkfs.btrfs takes, with room to spare.
const VOLUME_BYTES: u64 = 256 << 20;

/// A mounted file system; taken away when dropped.
struct Volume(PathBuf);

impl Volume {
    /// Makes one at `at`; the reason, where this machine does not let it.
    fn create(at: &Path, image: &Path) -> Result<Self, String> {
        let run = |program: &str, words: &[&Path]| {
            let done = Command::new(program).args(words).output();
            let done = done.map_err(|cause| format!("{program}: {cause}"))?;
            let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
            done.status.success().then_some(()).ok_or(format!("{program}: {said}"))
        };
        let file = std::fs::File::create(image).map_err(|cause| cause.to_string())?;
        file.set_len(VOLUME_BYTES).map_err(|cause| cause.to_string())?;
        std::fs::create_dir(at).map_err(|cause| cause.to_string())?;
        run("mkfs.btrfs", &[Path::new("-q"), image])?;
        run("mount", &[Path::new("-o"), Path::new("loop"), image, at])?;
        Ok(Self(at.to_owned()))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const SERVICE: &str = "[[service]]\nname = 'web'\nmin_interval_s = 3600\n\
    keep = { backend = 'btrfs', subvolume = 'AT/volume/state' }\ncommand = ['/bin/sh', '-c', '''\n\
    cd AT; while :; do cat volume/state/behaviour > seen.new; mv seen.new seen; sleep 0.02; done\n''']\n";

#[test]
fn a_subvolume_goes_back_to_its_snapshot() {
    let mut ground = Ground::new(SERVICE);
    let volume = match Volume::create(&ground.path("volume"), &ground.path("image")) {
        Ok(volume) => volume,
        Err(why) => return eprintln!("skipped: back-end btrfs ({why})"),
    };
    let state = ground.path("volume/state");
    let made = Command::new("btrfs").args(["subvolume", "create"]).arg(&state).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::write(state.join("behaviour"), "good").unwrap();
    std::fs::create_dir(state.join("pages")).unwrap();
    std::fs::write(state.join("pages/a"), "a").unwrap();
    ground.start();
    ground.until("it works", |own| read(&own.path("seen")) == "good");
    let taken = ground.reply("take", &["web"]);
    assert_eq!(taken["reply"], "done", "{taken}");
    let at = now();
    std::fs::write(state.join("behaviour"), "evil").unwrap();
    std::fs::remove_dir_all(state.join("pages")).unwrap();
    ground.until("it is infected", |own| read(&own.path("seen")) == "evil");
    let reply = ground.reply("restore", &["web", "--before", &at]);
    assert_eq!(reply["reply"], "done", "{reply}");
    ground.until("as before", |own| read(&own.path("seen")) == "good");
    assert_eq!(read(&state.join("pages/a")), "a", "what was deleted is back");
    let listed =
        Command::new("btrfs").args(["subvolume", "list"]).arg(ground.path("volume")).output();
    let listed = String::from_utf8_lossy(&listed.unwrap().stdout).lines().count();
    assert_eq!(listed, 1, "no snapshot is left behind");
    ground.stop();
    drop(volume);
}
