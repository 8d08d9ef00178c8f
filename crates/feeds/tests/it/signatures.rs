//! Keys and signatures as GnuPG makes them; skipped where it is not installed.

use std::path::Path;
use std::process::Command;

use feeds::openpgp::{Keyring, Verdict};

struct Gpg(tempfile::TempDir);

impl Gpg {
    fn new() -> Option<Self> {
        Command::new("gpg").arg("--version").output().ok()?;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("doc"), "line\nanother\n").unwrap();
        Some(Self(folder))
    }

    fn run(&self, args: &[&str]) -> Vec<u8> {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", self.0.path()).current_dir(self.0.path());
        command.args(["--batch", "--yes", "--quiet", "--passphrase", "", "--pinentry-mode"]);
        let done = command.arg("loopback").args(args).output().unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    fn fingerprint(&self, name: &str) -> String {
        let listed = String::from_utf8(self.run(&["--with-colons", "--list-keys", name])).unwrap();
        let line = listed.lines().find(|line| line.starts_with("fpr")).unwrap();
        line.split(':').nth(9).unwrap().to_ascii_lowercase()
    }

    fn sign(&self, name: &str, more: &[&str]) -> Vec<u8> {
        let mut args = vec!["--local-user", name, "--output", "sig"];
        args.extend(more);
        args.extend(["--detach-sign", "doc"]);
        self.run(&args);
        self.read("sig")
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap()
    }

    fn ring(&self, name: &str) -> Keyring {
        let mut ring = Keyring::default();
        ring.add(&self.run(&["--armor", "--export", name]), Some(&self.fingerprint(name))).unwrap();
        ring
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let home = Path::new(self.0.path());
        let _ = Command::new("gpgconf").env("GNUPGHOME", home).args(["--kill", "all"]).output();
    }
}

const NOW_S: i64 = 4_000_000_000;

#[test]
fn what_gnupg_signs_is_good_and_what_it_may_not_sign_is_not() {
    let Some(gpg) = Gpg::new() else {
        println!("skipped: gpg is not installed");
        return;
    };
    let doc = gpg.read("doc");
    for (name, algorithm, digest) in [
        ("rsa", "rsa2048", "SHA512"),
        ("p256", "nistp256", "SHA256"),
        ("p384", "nistp384", "SHA384"),
        ("eddsa", "ed25519", "SHA256"),
    ] {
        gpg.run(&["--quick-gen-key", name, algorithm, "sign", "never"]);
        let (ring, good) = (gpg.ring(name), Verdict::Good(gpg.fingerprint(name)));
        for more in [&["--armor"][..], &["--textmode"], &[]] {
            let more: Vec<&str> = more.iter().copied().chain(["--digest-algo", digest]).collect();
            let signature = gpg.sign(name, &more);
            assert_eq!(ring.verify(&signature, &doc, NOW_S), good, "{name} {more:?}");
            let verdict = ring.verify(&signature, b"line\nanother", NOW_S);
            assert!(matches!(verdict, Verdict::Bad(_)), "{name} {more:?}");
        }
    }
    let by_rsa = gpg.sign("rsa", &[]);
    let verdict = gpg.ring("eddsa").verify(&by_rsa, &doc, NOW_S);
    assert!(matches!(&verdict, Verdict::Bad(why) if why.contains("does not list")), "{verdict:?}");
    let weak = gpg.sign("rsa", &["--digest-algo", "SHA1"]);
    let verdict = gpg.ring("rsa").verify(&weak, &doc, NOW_S);
    assert!(matches!(&verdict, Verdict::Unknown(why) if why.contains("SHA-1")), "{verdict:?}");
}

#[test]
fn subkeys_ends_and_revocations_count() {
    let Some(gpg) = Gpg::new() else {
        println!("skipped: gpg is not installed");
        return;
    };
    let doc = gpg.read("doc");
    gpg.run(&["--quick-gen-key", "desk", "ed25519", "cert", "never"]);
    let owner = gpg.fingerprint("desk");
    gpg.run(&["--quick-add-key", &owner, "ed25519", "sign", "1y"]);
    let by_subkey = gpg.sign("desk", &[]);
    let good = Verdict::Good(owner.clone());
    assert_eq!(gpg.ring("desk").verify(&by_subkey, &doc, NOW_S), good);
    // Two years later the subkey has ended: what it signs then counts no more, what it signed before does.
    let later = "20280601T000000!";
    let late = gpg.sign("desk", &["--faked-system-time", "20270301T000000!"]);
    assert_eq!(gpg.ring("desk").verify(&late, &doc, NOW_S), good);
    let mut args = vec!["--local-user", "desk", "--output", "sig", "--faked-system-time", later];
    args.extend(["--detach-sign", "doc"]);
    // GnuPG itself refuses to sign with an ended key.
    let refused = Command::new("gpg")
        .env("GNUPGHOME", gpg.0.path())
        .current_dir(gpg.0.path())
        .args(["--batch", "--yes", "--passphrase", "", "--pinentry-mode", "loopback"])
        .args(&args)
        .output()
        .unwrap();
    assert!(!refused.status.success());
    // A revoked key takes its signatures along.
    let file = gpg.0.path().join("openpgp-revocs.d").join(format!("{}.rev", owner.to_uppercase()));
    let text = std::fs::read_to_string(file).unwrap().replace(":-----BEGIN", "-----BEGIN");
    std::fs::write(gpg.0.path().join("revoke.asc"), text).unwrap();
    gpg.run(&["--import", "revoke.asc"]);
    let verdict = gpg.ring("desk").verify(&by_subkey, &doc, NOW_S);
    assert_eq!(verdict, Verdict::Bad("its key was revoked".into()));
}
