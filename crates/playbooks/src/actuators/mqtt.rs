//! Actuator `mqtt`: a message to a device over an MQTT 5 broker (OASIS MQTT 5.0), and its answer.
//!
//! Delivered means what the broker says: at least once (QoS 1) or exactly once (QoS 2) up to the broker. The message
//! carries the command's key as correlation data (§4.10): with `response_topic` the answer with that key is waited
//! for. A session does not outlive the command, so an interrupted one is not repeated by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Outcome;
use ports::{Actuator, ActuatorCommand, Planned, PortError, Repeat};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    Packet, PubAckReason, PubRecReason, PublishProperties, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use serde_json::{Value, json};
use uuid::Uuid;

use super::config::Mqtt as Config;
use super::web::{authorities_pem, is_local};
use super::{Outside, needed, text, unsure};
use crate::secrets::Covers;

/// The actuator's name.
pub const NAME: &str = "mqtt";
/// How to have it.
pub(crate) const REMEDY: &str =
    "set playbooks.actuators.mqtt (broker, and the topics that may be published to)";
/// Largest message, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// Longest topic, in bytes.
const MAX_TOPIC_BYTES: usize = 1_024;
/// Messages between client and event loop.
const QUEUE: usize = 8;

/// Publishes.
pub struct Mqtt {
    pub(crate) outside: Arc<Outside>,
    pub(crate) config: Config,
}

/// What is to be published.
struct Message {
    topic: String,
    payload: String,
    qos: QoS,
    retain: bool,
    response_topic: Option<String>,
}

/// How far an exchange came.
#[derive(Default)]
struct Progress {
    /// The message has left.
    sent: bool,
    /// The broker has it.
    taken: bool,
    /// The broker has refused it.
    refused: bool,
    /// The broker says that nobody listens.
    nobody: bool,
    /// What the device answered.
    answer: Option<String>,
}

impl Mqtt {
    fn message(&self, command: &ActuatorCommand) -> Result<Message, PortError> {
        if command.verb != "publish" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let arguments = &command.arguments;
        let topic = topic(needed(NAME, arguments, "topic")?)?;
        if !self.config.topics.iter().any(|filter| matches(filter, &topic)) {
            return Err(PortError::Invalid(format!(
                "the topic {topic} is not among playbooks.actuators.mqtt.topics; add it there"
            )));
        }
        let payload = match arguments.get("payload") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(PortError::Invalid(format!(
                "the payload has {} bytes; at most {MAX_PAYLOAD_BYTES} are sent",
                payload.len()
            )));
        }
        let qos = match arguments
            .get("qos")
            .map(Value::to_string)
            .unwrap_or_default()
            .trim_matches('"')
        {
            "" | "1" => QoS::AtLeastOnce,
            "2" => QoS::ExactlyOnce,
            _ => return Err(PortError::Invalid("qos is 1 or 2: 0 confirms nothing".into())),
        };
        let response_topic = match text(arguments, "response_topic") {
            "" => None,
            text => Some(self::topic(text)?),
        };
        let retain = matches!(arguments.get("retain"), Some(Value::Bool(true)));
        Ok(Message { topic, payload, qos, retain, response_topic })
    }

    async fn options(&self, key: &str, covers: &mut Covers) -> Result<MqttOptions, PortError> {
        let (host, port, tls) = broker(&self.config.broker).map_err(PortError::Invalid)?;
        // The same command is the same client: a broker ends an older session of it.
        let client = Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes()).simple().to_string();
        let mut options = MqttOptions::new(format!("sereno-{}", &client[..16]), &host, port);
        options.set_clean_start(true).set_keep_alive(Duration::from_secs(30));
        options.set_connection_timeout(5);
        let limit = u32::try_from(MAX_PAYLOAD_BYTES * 2).ok();
        options.set_max_packet_size(limit);
        if tls {
            let ca = authorities_pem(self.outside.config()).map_err(PortError::Invalid)?;
            options.set_transport(match ca {
                Some(ca) => {
                    Transport::Tls(TlsConfiguration::Simple { ca, alpn: None, client_auth: None })
                }
                None => Transport::tls_with_default_config(),
            });
        }
        let user = self.config.user.clone().unwrap_or_default();
        let word = match &self.config.secret {
            Some(name) => {
                let secret = self.outside.secrets.open(name, &host).await?;
                covers.add(secret.trim_end_matches(['\r', '\n']));
                secret.trim_end_matches(['\r', '\n']).to_owned()
            }
            None => String::new(),
        };
        if !user.is_empty() || !word.is_empty() {
            options.set_credentials(user, word);
        }
        Ok(options)
    }

    async fn exchange(
        &self,
        command: &ActuatorCommand,
        covers: &mut Covers,
    ) -> Result<Outcome, PortError> {
        let message = self.message(command)?;
        let options = self.options(&command.key, covers).await?;
        let host = options.broker_address().0;
        let (client, mut events) = AsyncClient::new(options, QUEUE);
        let mut progress = Progress::default();
        let limit = self.outside.config().timeout_s;
        let talk = converse(&client, &mut events, &message, &command.key, &mut progress);
        let ended = tokio::time::timeout(Duration::from_secs(limit), talk).await;
        let trouble = match ended {
            Ok(Ok(())) => None,
            Ok(Err(cause)) => Some(cause),
            Err(_) => Some(format!("no answer within {limit} s")),
        };
        let data = json!({ "topic": message.topic, "taken": progress.taken,
            "response": progress.answer });
        let topic = &message.topic;
        match trouble {
            _ if progress.answer.is_some() => {
                Ok(Outcome::Done { summary: format!("{topic}: the device answered"), data })
            }
            _ if progress.taken && progress.nobody => Ok(Outcome::NotEnforced {
                reason: format!("the broker has it, and nobody listens to {topic}"),
                data,
            }),
            Some(cause) if progress.taken => Ok(Outcome::NotEnforced {
                reason: format!("the broker has it, the device has not answered: {cause}"),
                data,
            }),
            None => Ok(Outcome::Done { summary: format!("{host} has taken it for {topic}"), data }),
            Some(cause) if progress.refused => {
                Ok(Outcome::Failed { reason: format!("{host}: {cause}"), retry: false })
            }
            Some(cause) if progress.sent => {
                Err(unsure(format!("{host}: {cause}; whether the message arrived is not known")))
            }
            Some(cause) => Err(PortError::Unavailable(format!("{host}: {cause}"))),
        }
    }
}

/// Connects, subscribes where an answer is wanted, publishes, and listens until all is said.
async fn converse(
    client: &AsyncClient,
    events: &mut EventLoop,
    message: &Message,
    key: &str,
    progress: &mut Progress,
) -> Result<(), String> {
    let said = |cause: ConnectionError| super::web::chain(&cause);
    loop {
        match events.poll().await.map_err(said)? {
            Event::Incoming(Packet::ConnAck(_)) => match &message.response_topic {
                Some(topic) => subscribe(client, topic)?,
                None => publish(client, message, key, progress)?,
            },
            Event::Incoming(Packet::SubAck(ack)) => {
                if !matches!(ack.return_codes.first(), Some(SubscribeReasonCode::Success(_))) {
                    return Err("the broker lets nobody listen to the response topic".into());
                }
                publish(client, message, key, progress)?;
            }
            Event::Incoming(Packet::PubAck(ack)) => {
                progress.nobody = ack.reason == PubAckReason::NoMatchingSubscribers;
                if !progress.nobody && ack.reason != PubAckReason::Success {
                    progress.refused = true;
                    return Err(format!("the broker refuses it: {:?}", ack.reason));
                }
                progress.taken = true;
            }
            Event::Incoming(Packet::PubRec(ack)) => {
                progress.nobody = ack.reason == PubRecReason::NoMatchingSubscribers;
                if !progress.nobody && ack.reason != PubRecReason::Success {
                    progress.refused = true;
                    return Err(format!("the broker refuses it: {:?}", ack.reason));
                }
            }
            Event::Incoming(Packet::PubComp(_)) => progress.taken = true,
            Event::Incoming(Packet::Publish(answer)) => {
                let properties = answer.properties.as_ref();
                let correlation = properties.and_then(|it| it.correlation_data.as_ref());
                if correlation.is_some_and(|it| it.as_ref() == key.as_bytes()) {
                    let text = String::from_utf8_lossy(&answer.payload);
                    progress.answer = Some(text.chars().take(MAX_PAYLOAD_BYTES / 4).collect());
                }
            }
            _ => {}
        }
        let heard = message.response_topic.is_none() || progress.answer.is_some();
        if progress.taken && (heard || progress.nobody) {
            let _ = client.try_disconnect();
            // The farewell is worth one turn, not an error.
            let _ = tokio::time::timeout(Duration::from_millis(200), events.poll()).await;
            return Ok(());
        }
    }
}

fn subscribe(client: &AsyncClient, topic: &str) -> Result<(), String> {
    client.try_subscribe(topic, QoS::AtLeastOnce).map_err(|_| "the queue is full".to_owned())
}

fn publish(
    client: &AsyncClient,
    message: &Message,
    key: &str,
    progress: &mut Progress,
) -> Result<(), String> {
    let properties = PublishProperties {
        payload_format_indicator: Some(1),
        response_topic: message.response_topic.clone(),
        correlation_data: Some(key.as_bytes().to_vec().into()),
        ..PublishProperties::default()
    };
    progress.sent = true;
    client
        .try_publish_with_properties(
            message.topic.as_str(),
            message.qos,
            message.retain,
            message.payload.clone(),
            properties,
        )
        .map_err(|_| "the message cannot be published".to_owned())
}

/// Host, port and whether TLS is spoken.
fn broker(url: &str) -> Result<(String, u16, bool), String> {
    let form = || "playbooks.actuators.mqtt.broker is mqtts://HOST:PORT".to_owned();
    let url = reqwest::Url::parse(url).map_err(|_| form())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(form)?;
    match url.scheme() {
        "mqtts" => Ok((host.to_owned(), url.port().unwrap_or(8883), true)),
        "mqtt" if is_local(host) => Ok((host.to_owned(), url.port().unwrap_or(1883), false)),
        "mqtt" => Err(format!("{host}: without TLS only this machine is spoken with; use mqtts")),
        _ => Err(form()),
    }
}

/// A topic name (§4.7): no wildcard, no byte 0.
fn topic(text: &str) -> Result<String, PortError> {
    if text.len() > MAX_TOPIC_BYTES || text.contains(['+', '#', '\0']) {
        return Err(PortError::Invalid(format!(
            "a topic has no '+', '#' or byte 0, and at most {MAX_TOPIC_BYTES} bytes"
        )));
    }
    Ok(text.to_owned())
}

/// Whether a filter fits a topic (§4.7.1).
fn matches(filter: &str, topic: &str) -> bool {
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(level), Some(name)) if level == name => {}
            _ => return false,
        }
    }
}

#[async_trait]
impl Actuator for Mqtt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("publish", "publishes a message (topic, payload, qos, retain, response_topic)")]
    }

    fn repeat(&self, _: &str, _: &BTreeMap<String, Value>) -> Repeat {
        Repeat::AskPerson
    }

    async fn plan(&self, command: &ActuatorCommand) -> Result<Planned, PortError> {
        let message = self.message(command)?;
        let size = message.payload.len();
        Ok(Planned {
            summary: format!("would publish {size} bytes to {}", message.topic),
            data: json!({ "topic": message.topic, "payload": message.payload,
                "response_topic": message.response_topic, "retain": message.retain }),
        })
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let mut covers = Covers::default();
        let outcome = self.exchange(command, &mut covers).await?;
        Ok(covers.outcome(outcome))
    }

    /// Connects and goes again.
    async fn probe(&self) -> Result<Option<String>, PortError> {
        let key = self.outside.platform.uuid4().to_string();
        let options = self.options(&key, &mut Covers::default()).await?;
        let host = options.broker_address().0;
        let (client, mut events) = AsyncClient::new(options, QUEUE);
        let away = |cause: String| PortError::Unavailable(format!("{host}: {cause}"));
        let polled = tokio::time::timeout(Duration::from_secs(10), events.poll()).await;
        polled
            .map_err(|_| away("no answer within 10 s".into()))?
            .map_err(|cause| away(super::web::chain(&cause)))?;
        let _ = client.try_disconnect();
        let _ = tokio::time::timeout(Duration::from_millis(200), events.poll()).await;
        Ok(Some(format!("{host} lets us in")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_fit_topics_as_the_standard_says() {
        for (filter, topic, fits) in [
            ("city/+/command", "city/lamp-7/command", true),
            ("city/+/command", "city/a/b/command", false),
            ("city/#", "city/a/b", true),
            ("city/#", "city", true),
            ("city/#", "town/a", false),
            ("#", "any/thing", true),
            ("city", "city/a", false),
        ] {
            assert_eq!(matches(filter, topic), fits, "{filter} {topic}");
        }
        assert!(topic("a/+/b").is_err() && topic("a/#").is_err() && topic("a/b").is_ok());
    }

    #[test]
    fn without_tls_only_this_machine_is_spoken_with() {
        assert_eq!(broker("mqtts://b.example"), Ok(("b.example".into(), 8883, true)));
        assert_eq!(broker("mqtt://127.0.0.1:1884"), Ok(("127.0.0.1".into(), 1884, false)));
        assert!(broker("mqtt://b.example").is_err_and(|why| why.contains("use mqtts")));
        assert!(broker("http://b.example").is_err());
    }
}
