//! Actuator `mail`: a message by SMTP (RFC 5321, RFC 3207), to configured recipients only.
//!
//! The Message-ID is made of the command's key: where a message went twice, mail programs show that it is one. SMTP
//! itself promises nothing when a connection breaks after the text was sent, so an interrupted command asks a person.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use model::Outcome;
use platform::outward;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use uuid::Uuid;

use super::config::Mail as Config;
use super::web::{authorities_pem, is_local};
use super::{Outside, text, unsure};
use crate::secrets::Covers;

/// The actuator's name.
pub const NAME: &str = "mail";
/// How to have it.
pub(crate) const REMEDY: &str = "set playbooks.actuators.mail (server, from, and the addresses or domains that may be written to)";
/// Recipients of one message.
pub const MAX_RECIPIENTS: usize = 20;
/// Longest subject, in characters.
pub const MAX_SUBJECT_CHARS: usize = 300;
/// Longest text, in characters.
pub const MAX_TEXT_CHARS: usize = 64_000;

/// Writes mail.
pub struct Mail {
    pub(crate) outside: Arc<Outside>,
    pub(crate) config: Config,
}

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

impl Mail {
    fn recipients(&self, arguments: &BTreeMap<String, Value>) -> Result<Vec<Mailbox>, PortError> {
        let listed = match arguments.get("to") {
            Some(Value::Array(items)) => {
                items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Some(Value::String(text)) => text.split(',').map(str::to_owned).collect(),
            _ => Vec::<String>::new(),
        };
        let mut all = Vec::new();
        for word in listed.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
            let shown: String = word.chars().take(100).collect();
            let mailbox: Mailbox = word.parse().map_err(|_| {
                PortError::Invalid(format!("'{}' is no address of mail", shown.escape_debug()))
            })?;
            let address = mailbox.email.to_string().to_ascii_lowercase();
            let fits = |allowed: &String| {
                let allowed = allowed.to_ascii_lowercase();
                address == allowed || (allowed.starts_with('@') && address.ends_with(&allowed))
            };
            if !self.config.to.iter().any(fits) {
                return Err(PortError::Invalid(format!(
                    "{address} is not among playbooks.actuators.mail.to; add it there"
                )));
            }
            all.push(mailbox);
        }
        match all.len() {
            0 => Err(PortError::Invalid("a mail needs 'to'".into())),
            1..=MAX_RECIPIENTS => Ok(all),
            more => Err(PortError::Invalid(format!(
                "{more} recipients; one mail goes to at most {MAX_RECIPIENTS}"
            ))),
        }
    }

    fn message(
        &self,
        key: &str,
        arguments: &BTreeMap<String, Value>,
    ) -> Result<Message, PortError> {
        let recipients = self.recipients(arguments)?;
        let from: Mailbox = self.config.from.parse().map_err(|_| {
            PortError::Invalid("playbooks.actuators.mail.from is no address of mail".into())
        })?;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes());
        let micros = u64::try_from(self.outside.platform.now().as_micros()).unwrap_or(0);
        let mut builder = Message::builder()
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            .date(UNIX_EPOCH + Duration::from_micros(micros))
            .subject(subject(arguments))
            .from(from);
        for recipient in recipients {
            builder = builder.to(recipient);
        }
        let text: String = text(arguments, "text").chars().take(MAX_TEXT_CHARS).collect();
        builder
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|cause| PortError::Invalid(format!("the mail cannot be made: {cause}")))
    }

    fn known(&self, command: &ActuatorCommand) -> Result<(), PortError> {
        match command.verb.as_str() {
            "send" => Ok(()),
            other => Err(super::unknown_verb(self, other)),
        }
    }

    /// Sends one mail (`to`, `subject`, `text`); the same key is the same Message-ID.
    ///
    /// # Errors
    /// It cannot be sent, the server is away, or whether it left is not known.
    pub(crate) async fn send(
        &self,
        key: &str,
        arguments: &BTreeMap<String, Value>,
    ) -> Result<Outcome, PortError> {
        let message = self.message(key, arguments)?;
        let to: Vec<String> =
            self.recipients(arguments)?.iter().map(|it| it.email.to_string()).collect();
        let mut covers = Covers::default();
        let (transport, host) = self.transport(&mut covers).await?;
        let said = |cause: &lettre::transport::smtp::Error| {
            covers.text(&format!("{host}: {}", super::web::chain(cause)))
        };
        // Whether it lets us in is known before anything is sent.
        match transport.test_connection().await {
            Ok(true) => {}
            Ok(false) => return Err(PortError::Unavailable(format!("{host} is not ready"))),
            Err(cause) if cause.is_permanent() => return Err(PortError::Invalid(said(&cause))),
            Err(cause) => return Err(PortError::Unavailable(said(&cause))),
        }
        let id = message.headers().get_raw("Message-ID").unwrap_or_default().to_owned();
        Ok(match transport.send(message).await {
            Ok(_) => Outcome::Done {
                summary: format!("{host} has taken the mail to {}", to.join(", ")),
                data: json!({ "to": to, "message_id": id }),
            },
            Err(cause) if cause.is_permanent() => {
                Outcome::Failed { reason: said(&cause), retry: false }
            }
            Err(cause) if cause.is_transient() => {
                Outcome::Failed { reason: said(&cause), retry: true }
            }
            Err(cause) => {
                return Err(unsure(format!(
                    "{}; whether the mail left is not known",
                    said(&cause)
                )));
            }
        })
    }

    async fn transport(&self, covers: &mut Covers) -> Result<(Smtp, String), PortError> {
        let (host, port, at_once) = server(&self.config.server).map_err(PortError::Invalid)?;
        let found = outward::addresses(&host, port, self.outside.web.reach()).await;
        let found = found.map_err(|why| {
            if why.contains("is not found") {
                PortError::Unavailable(why)
            } else {
                PortError::Invalid(why)
            }
        })?;
        // The name was judged: the connection goes to what it stood for then.
        let address = found.first().map_or(host.clone(), |found| found.ip().to_string());
        let tls = match (at_once, is_local(&host)) {
            (true, _) => Tls::Wrapper(self.tls(&host)?),
            (false, false) => Tls::Required(self.tls(&host)?),
            (false, true) => Tls::None,
        };
        let limit = Duration::from_secs(self.outside.config().timeout_s);
        let mut builder = Smtp::builder_dangerous(address).port(port).tls(tls).timeout(Some(limit));
        if let Some(name) = &self.config.secret {
            let secret = self.outside.secrets.open(name, &host).await?;
            let word = secret.trim_end_matches(['\r', '\n']);
            covers.add(word);
            let user = self.config.user.clone().unwrap_or_default();
            builder = builder.credentials(Credentials::new(user, word.to_owned()));
        }
        Ok((builder.build(), host))
    }

    fn tls(&self, host: &str) -> Result<TlsParameters, PortError> {
        let mut builder = TlsParameters::builder(host.to_owned());
        let pem = authorities_pem(self.outside.config()).map_err(PortError::Invalid)?;
        for der in pem.iter().flat_map(|pem| CertificateDer::pem_slice_iter(pem)) {
            let failed = |cause: String| PortError::Invalid(format!("ca_file: {cause}"));
            let der = der.map_err(|cause| failed(cause.to_string()))?;
            let certificate = Certificate::from_der(der.to_vec());
            builder = builder
                .add_root_certificate(certificate.map_err(|cause| failed(cause.to_string()))?);
        }
        builder
            .build_rustls()
            .map_err(|cause| PortError::Internal(format!("no TLS for mail: {cause}")))
    }
}

/// One line: what would begin another header becomes a blank.
fn subject(arguments: &BTreeMap<String, Value>) -> String {
    let text = text(arguments, "subject").chars().take(MAX_SUBJECT_CHARS);
    text.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Host, port and whether TLS is spoken from the first byte.
fn server(url: &str) -> Result<(String, u16, bool), String> {
    let form =
        || "playbooks.actuators.mail.server is smtps://HOST:PORT or smtp://HOST:PORT".to_owned();
    let url = reqwest::Url::parse(url).map_err(|_| form())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(form)?;
    match url.scheme() {
        "smtps" => Ok((host.to_owned(), url.port().unwrap_or(465), true)),
        "smtp" => Ok((host.to_owned(), url.port().unwrap_or(587), false)),
        _ => Err(form()),
    }
}

#[async_trait]
impl Actuator for Mail {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("send", "sends a mail to configured recipients (to, subject, text)")]
    }

    fn repeat(&self, _: &str, _: &BTreeMap<String, Value>) -> Repeat {
        Repeat::AskPerson
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        self.known(command)?;
        let to: Vec<String> =
            self.recipients(&command.arguments)?.iter().map(|it| it.email.to_string()).collect();
        self.message(&command.key, &command.arguments)?;
        let subject = subject(&command.arguments);
        Ok(Planned {
            summary: format!("would write to {}: {subject}", to.join(", ")),
            data: json!({ "to": to, "subject": subject, "text": text(&command.arguments, "text") }),
        })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        self.known(command)?;
        self.send(&command.key, &command.arguments).await
    }

    async fn probe(&self) -> Result<Option<String>, PortError> {
        let mut covers = Covers::default();
        let (transport, host) = self.transport(&mut covers).await?;
        match transport.test_connection().await {
            Ok(true) => Ok(Some(format!("{host} lets us in"))),
            Ok(false) => Err(PortError::Unavailable(format!("{host} is not ready"))),
            Err(cause) => Err(PortError::Unavailable(
                covers.text(&format!("{host}: {}", super::web::chain(&cause))),
            )),
        }
    }
}
