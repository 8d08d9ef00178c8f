//! Actuator `ssh`: a command on another machine (CACAO §5.11).
//!
//! The host's key is pinned: an unknown or changed one is refused before anybody logs in. The script goes to
//! `/bin/sh -s` by its standard input, values before it as quoted assignments: the login shell of the other side
//! never reads a value. Time and output are bounded. What a connection that broke had done, nobody knows: such a
//! command is never repeated by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::Outcome;
use platform::outward;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use russh::client::{self, Handle};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key};
use russh::{Channel, ChannelMsg, Sig};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::output::Output;
use super::{Outside, environment, needed, unsure};
use crate::commands::escape::fill_escaped;
use crate::secrets::Covers;
use crate::secrets::login::{Login, Opened};

/// The actuator's name.
pub const NAME: &str = "ssh";
/// How to have it.
pub(crate) const REMEDY: &str = "name the keys of the hosts in \
     playbooks.actuators.ssh.host_keys (HOST = \"SHA256:…\", as `ssh-keygen -lf` prints it)";

/// Longest wait until a session begins.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs commands on other machines.
pub struct Ssh(pub(crate) Arc<Outside>);

/// What is asked of one host.
struct Job<'a> {
    host: &'a str,
    port: u16,
    /// What the other side starts.
    exec: String,
    /// What it reads.
    input: String,
    login: Login,
}

/// Looks at the host's key.
struct Pin {
    expected: Option<String>,
    seen: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Pin {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        let print = key.fingerprint(HashAlg::Sha256).to_string();
        let fits = self.expected.as_deref() == Some(print.as_str());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(print);
        Ok(fits)
    }
}

impl Ssh {
    /// Over the node's way outside.
    pub const fn new(outside: Arc<Outside>) -> Self {
        Self(outside)
    }

    fn job<'a>(&self, command: &'a ActuatorCommand) -> Result<Job<'a>, PortError> {
        let arguments = &command.arguments;
        let host = needed(NAME, arguments, "host")?;
        let port = arguments.get("port").and_then(Value::as_u64).unwrap_or(22);
        let port = u16::try_from(port)
            .map_err(|_| PortError::Invalid(format!("{port} is no port; ports go up to 65535")))?;
        let login = Login::in_arguments(arguments)?.ok_or_else(|| {
            PortError::Invalid("the actuator ssh needs the credentials of the target".into())
        })?;
        let environment = environment(arguments);
        let raw = &self.0.config().ssh.raw_hosts;
        let (exec, input) = if raw.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            let text = needed(NAME, arguments, "command")?;
            let text = fill_escaped(text, &environment, plain).map_err(PortError::Invalid)?;
            (text, String::new())
        } else {
            let script = needed(NAME, arguments, "script")?;
            ("exec /bin/sh -s".to_owned(), posix(script, &environment))
        };
        Ok(Job { host, port, exec, input, login })
    }

    async fn connect(&self, job: &Job<'_>) -> Result<Handle<Pin>, PortError> {
        let Job { host, port, .. } = *job;
        let away =
            |cause: String| PortError::Unavailable(format!("{host} does not answer: {cause}"));
        let found = outward::addresses(host, port, self.0.web.reach()).await;
        let found = found.map_err(|why| {
            if why.contains("is not found") { away(why) } else { PortError::Invalid(why) }
        })?;
        let stream = TcpStream::connect(found.as_slice()).await;
        let stream = stream.map_err(|cause| away(cause.to_string()))?;
        let place = if port == 22 { host.to_owned() } else { format!("{host}:{port}") };
        let expected = self.0.config().ssh.host_keys.get(&place).cloned();
        let seen = Arc::new(Mutex::new(None));
        let pin = Pin { expected: expected.clone(), seen: Arc::clone(&seen) };
        let config = client::Config {
            inactivity_timeout: Some(Duration::from_secs(self.0.config().timeout_s)),
            ..client::Config::default()
        };
        match client::connect_stream(Arc::new(config), stream, pin).await {
            Ok(handle) => Ok(handle),
            Err(russh::Error::UnknownKey) => {
                let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
                Err(PortError::Invalid(strange_key(&place, expected.as_deref(), seen.as_deref())))
            }
            Err(cause) => Err(away(cause.to_string())),
        }
    }

    async fn run(&self, job: &Job<'_>, covers: &mut Covers) -> Result<Outcome, PortError> {
        let opened = job.login.open(&self.0.secrets, job.host, covers).await?;
        let limit = self.0.config().timeout_s;
        let begun = tokio::time::timeout(CONNECT_TIMEOUT, async {
            let mut handle = self.connect(job).await?;
            log_in(&mut handle, job.host, &opened).await?;
            let channel = handle.channel_open_session().await;
            Ok::<_, PortError>((channel.map_err(|cause| lost(job, &cause))?, handle))
        });
        let (mut channel, handle) = begun.await.map_err(|_| {
            let seconds = CONNECT_TIMEOUT.as_secs();
            PortError::Unavailable(format!("{} lets nobody in within {seconds} s", job.host))
        })??;
        // From here on the command may have begun: what is not known is not repeated.
        let mut output = Output::default();
        let done = tokio::time::timeout(
            Duration::from_secs(limit),
            converse(&mut channel, job, &mut output),
        )
        .await;
        let outcome = match done {
            Ok(Ok(Some(status))) => output.outcome(job.host, status),
            Ok(Ok(None)) => {
                return Err(unknown(job.host, "the connection ended before the command did"));
            }
            Ok(Err(cause)) => return Err(unknown(job.host, &cause.to_string())),
            Err(_) => {
                let _ = channel.signal(Sig::KILL).await;
                let _ = channel.close().await;
                return Err(unknown(
                    job.host,
                    &format!("the command did not end within {limit} s"),
                ));
            }
        };
        let _ = handle.disconnect(russh::Disconnect::ByApplication, "", "en").await;
        Ok(outcome)
    }
}

/// Starts the command, hands it its input and listens until it ends.
async fn converse(
    channel: &mut Channel<client::Msg>,
    job: &Job<'_>,
    output: &mut Output,
) -> Result<Option<u32>, russh::Error> {
    channel.exec(true, job.exec.as_bytes()).await?;
    channel.data_bytes(job.input.clone().into_bytes()).await?;
    channel.eof().await?;
    let mut status = None;
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => output.out(&data),
            ChannelMsg::ExtendedData { data, .. } => output.err(&data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            // 128 and more is what shells make of a signal.
            ChannelMsg::ExitSignal { .. } => status = Some(128),
            ChannelMsg::Failure => return Err(russh::Error::RequestDenied),
            _ => {}
        }
    }
    Ok(status)
}

fn lost(job: &Job<'_>, cause: &russh::Error) -> PortError {
    PortError::Unavailable(format!("{} lets no session begin: {cause}", job.host))
}

fn unknown(host: &str, cause: &str) -> PortError {
    unsure(format!("{host}: {cause}; what it had done by then is not known"))
}

async fn log_in(handle: &mut Handle<Pin>, host: &str, opened: &Opened) -> Result<(), PortError> {
    let user = opened.user.clone();
    let away = |cause: russh::Error| PortError::Unavailable(format!("{host}: {cause}"));
    let result = if opened.secret.contains("PRIVATE KEY-----") {
        let key = decode_secret_key(&opened.secret, None).map_err(|_| {
            PortError::Invalid(
                "the private key cannot be read; Ed25519 and ECDSA keys without a passphrase are \
                 used, in the form of OpenSSH or PKCS#8"
                    .into(),
            )
        })?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        handle.authenticate_publickey(user, key).await.map_err(away)?
    } else {
        handle.authenticate_password(user, opened.word()).await.map_err(away)?
    };
    if result.success() {
        return Ok(());
    }
    let user: String = opened.user.chars().take(64).collect();
    Err(PortError::Invalid(format!(
        "{host} does not let '{user}' in; check the user and set the secret again"
    )))
}

fn strange_key(place: &str, expected: Option<&str>, seen: Option<&str>) -> String {
    let seen = seen.unwrap_or("a certificate, which is not judged here");
    match expected {
        None => format!(
            "the key of {place} is not known here; it showed {seen}. Compare that with what \
             `ssh-keygen -lf` prints on the host itself, then put it into \
             playbooks.actuators.ssh.host_keys"
        ),
        Some(expected) => format!(
            "the key of {place} has changed: {expected} is expected, it showed {seen}. Somebody may \
             stand in between: nothing was sent. If the host really has a new key, put it into \
             playbooks.actuators.ssh.host_keys"
        ),
    }
}

/// The script with its values as quoted assignments (POSIX.1 §2.2.2). The braces have the shell read all of it
/// before it runs any of it, and leave the script itself without input.
fn posix(script: &str, environment: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, value) in environment {
        text.push_str(&format!("{name}='{}'\nexport {name}\n", value.replace('\'', r"'\''")));
    }
    format!("{text}{{\n{script}\n}} </dev/null\n")
}

/// What a host without a shell may be sent as part of a command.
fn plain(name: &str, value: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._:/@%+,-".contains(c);
    if !value.is_empty() && !value.starts_with('-') && value.chars().all(fits) {
        return Ok(value.to_owned());
    }
    Err(format!(
        "the value of {name} may become part of a command on a host without a shell: it may hold \
         letters, digits and ._:/@%+,- only"
    ))
}

#[async_trait]
impl Actuator for Ssh {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("run", "runs a command of the type ssh on its target")]
    }

    fn repeat(&self, _: &str, _: &BTreeMap<String, Value>) -> Repeat {
        Repeat::AskPerson
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        if command.verb != "run" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let job = self.job(command)?;
        let text = needed(NAME, &command.arguments, "command")?;
        let user: String = job.login.user.chars().take(64).collect();
        let shown: String = text.chars().take(200).collect();
        Ok(Planned {
            summary: format!("would run on {} as {user}: {shown}", job.host),
            data: json!({ "host": job.host, "port": job.port, "command": text,
                "login": job.login.shown(),
                "variables": environment(&command.arguments).keys().collect::<Vec<_>>() }),
        })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "run" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let job = self.job(command)?;
        let mut covers = Covers::default();
        let outcome = self.run(&job, &mut covers).await?;
        Ok(covers.outcome(outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_any_posix_shell() {
        let environment = [("__v__".to_owned(), "a'b\"c`d$(e)\n;f".to_owned())].into();
        let text = posix("echo \"${__v__}\"", &environment);
        assert_eq!(
            text,
            "__v__='a'\\''b\"c`d$(e)\n;f'\nexport __v__\n{\necho \"${__v__}\"\n} </dev/null\n"
        );
    }

    #[test]
    fn without_a_shell_only_plain_values_pass() {
        assert!(plain("__v__", "192.0.2.1/32").is_ok());
        for evil in ["", "-rf", "a;b", "a b", "a\nb", "$(x)", "é"] {
            assert!(plain("__v__", evil).is_err(), "{evil:?}");
        }
    }
}
