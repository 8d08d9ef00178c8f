//! What the doctor is told: the lookup lists, the queue of shares, each peer.

use intel::Sight;
use platform::health::{Component, Health};

use crate::error::CtiError;
use crate::room::Cti;
use crate::store::{contacts, lists, shares};

/// The room's parts. A database that does not answer is itself the answer.
pub(crate) async fn components(cti: &Cti) -> Vec<Component> {
    match read(cti).await {
        Ok(components) => components,
        Err(error) => vec![Component::not_ok(
            "threat intelligence",
            Health::Failed,
            error.to_string(),
            "See the node's log; the database may be damaged or the disk full.",
        )],
    }
}

async fn read(cti: &Cti) -> Result<Vec<Component>, CtiError> {
    let mut sql = cti.platform().db.read().await?;
    let lists = lists::all(&mut sql).await?;
    let held: i64 = lists.iter().map(|list| list.held).sum();
    // The doctor is read under every role.
    let everybody = Sight::up_to(stix::Tlp::Green);
    let named = cti.counted().get(&mut sql, cti.platform().now(), everybody).await?;
    let cause = format!(
        "{held} values of {} list(s), {named} named by objects up to TLP:GREEN",
        lists.len()
    );
    let mut components = vec![Component::ok("threat intelligence", cause)];
    let (queued, failed) = shares::queued(&mut sql).await?;
    components.push(match failed {
        0 => Component::ok("sharing", format!("{queued} share(s) on their way")),
        _ => Component::not_ok(
            "sharing",
            Health::Degraded,
            format!("{failed} of {queued} share(s) wait for a recipient that was not reached"),
            "Nothing is lost: they are delivered when the recipient is back.",
        ),
    });
    let peers = cti.deps().peers.peers().await?;
    for peer in peers.into_iter().filter(|peer| peer.url.is_some()) {
        let contact = contacts::get(&mut sql, &peer.id.to_string()).await?;
        let name = format!("peer {}", peer.name);
        components.push(match (contact.last_try_us, contact.last_error) {
            (None, _) => Component::ok(&name, "not contacted yet"),
            (_, None) => Component::ok(&name, "answers"),
            (_, Some(error)) => Component::not_ok(
                &name,
                Health::Degraded,
                error,
                "Check that the peer runs, that its address is right, and the certificates.",
            ),
        });
    }
    Ok(components)
}
