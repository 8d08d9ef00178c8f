//! Organisations: this node's own, one for each peer, and those that have no node.

use model::{NodeId, OrganisationId, PeerId};
use platform::peers::Peer;
use ports::disclosure::Recipient;

use crate::error::CommunityError;
use crate::members::checked_text;
use crate::room::Communities;
use crate::store::organisations::{self, Nodeless, Noted};

/// Kinds of organisation a policy may speak of.
pub(crate) const KINDS: [&str; 5] = ["operator", "cert", "authority", "vendor", "other"];
const MAX_SECTOR: usize = 80;
const MAX_NOTE: usize = 2_000;

/// Which organisation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// This node's own.
    Own(NodeId),
    /// That of a peer.
    Peer(NodeId, PeerId),
    /// One without a node.
    Nodeless(OrganisationId),
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Organisation {
    pub(crate) who: Who,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) sector: String,
    pub(crate) country: String,
    pub(crate) note: String,
}

/// What changes; what is absent stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) kind: Option<String>,
    pub(crate) sector: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) note: Option<String>,
}

impl Organisation {
    pub(crate) fn of_peer(peer: &Peer, noted: Noted) -> Self {
        Self {
            who: Who::Peer(peer.node, peer.id),
            name: peer.name.clone(),
            kind: noted.kind.unwrap_or_else(|| peer.kind.clone()),
            sector: noted.sector,
            country: noted.country,
            note: noted.note,
        }
    }

    /// The id by which policies and people name it: that of its node, or its own where it has none.
    pub(crate) fn id(&self) -> String {
        match self.who {
            Who::Own(node) | Who::Peer(node, _) => node.to_string(),
            Who::Nodeless(id) => id.to_string(),
        }
    }

    /// Our id of the peer.
    pub(crate) fn peer(&self) -> Option<PeerId> {
        match self.who {
            Who::Peer(_, peer) => Some(peer),
            _ => None,
        }
    }

    /// As somebody who would receive something; our own receives nothing.
    pub(crate) fn recipient(&self) -> Option<Recipient> {
        match self.who {
            Who::Own(_) => None,
            Who::Peer(_, peer) => Some(Recipient::Peer(peer)),
            Who::Nodeless(id) => Some(Recipient::Organisation(id)),
        }
    }

    /// Brings a change in; what cannot stand there is refused.
    pub(crate) fn change(&mut self, change: Change) -> Result<(), CommunityError> {
        if let Some(kind) = change.kind {
            if !KINDS.contains(&kind.as_str()) {
                let text = format!("kind '{}' is none of {}", clip(&kind), KINDS.join(", "));
                return Err(CommunityError::invalid(text, "Choose one of them."));
            }
            self.kind = kind;
        }
        if let Some(country) = &change.country {
            self.country = checked_country(country)?;
        }
        if let Some(sector) = &change.sector {
            self.sector = checked_text("sector", sector, 0, MAX_SECTOR)?;
        }
        if let Some(note) = &change.note {
            self.note = checked_text("note", note, 0, MAX_NOTE)?;
        }
        Ok(())
    }
}

impl From<Nodeless> for Organisation {
    fn from(it: Nodeless) -> Self {
        Self {
            who: Who::Nodeless(it.id),
            name: it.name,
            kind: it.kind,
            sector: it.sector,
            country: it.country,
            note: it.note,
        }
    }
}

impl Communities {
    fn own(&self, noted: Noted) -> Organisation {
        let node = &self.platform().node;
        Organisation {
            who: Who::Own(node.id),
            name: node.name.clone(),
            kind: noted.kind.unwrap_or_else(|| node.kind.clone()),
            sector: noted.sector,
            country: noted.country,
            note: noted.note,
        }
    }

    /// All, our own first, the others by name.
    pub(crate) async fn organisations(&self) -> Result<Vec<Organisation>, CommunityError> {
        let peers = self.peers().peers().await?;
        let mut sql = self.platform().db.read().await?;
        let mut noted = organisations::all(&mut sql).await?;
        let mut others: Vec<Organisation> = peers
            .iter()
            .map(|peer| Organisation::of_peer(peer, noted.remove(&peer.node).unwrap_or_default()))
            .collect();
        others.extend(organisations::nodeless(&mut sql).await?.into_iter().map(Into::into));
        others.sort_by_cached_key(|it| (it.name.clone(), it.id()));
        let own = self.own(noted.remove(&self.platform().node.id).unwrap_or_default());
        Ok(std::iter::once(own).chain(others).collect())
    }

    /// The organisation of a peer.
    pub(crate) async fn organisation_of(
        &self,
        sql: &mut sqlx::AnyConnection,
        peer: &Peer,
    ) -> Result<Organisation, CommunityError> {
        Ok(Organisation::of_peer(peer, organisations::get(sql, peer.node).await?))
    }

    /// Changes what is noted of one, by its id.
    pub(crate) async fn change_organisation(
        &self,
        id: &str,
        change: Change,
    ) -> Result<Organisation, CommunityError> {
        let all = self.organisations().await?;
        let found = all.into_iter().find(|known| known.id() == id);
        let mut found = found.ok_or_else(|| CommunityError::unknown("organisation", id))?;
        // Our own kind stands in the configuration.
        if matches!(found.who, Who::Own(_)) && change.kind.is_some() {
            return Err(CommunityError::invalid(
                "the kind of this node's own organisation is node.kind",
                "Set it in the configuration.",
            ));
        }
        let kind = change.kind.clone();
        found.change(change)?;
        match found.who {
            Who::Nodeless(id) => self.change_nodeless(id, &found).await?,
            Who::Own(node) | Who::Peer(node, _) => self.note_of(node, kind, &found).await?,
        }
        Ok(found)
    }

    async fn note_of(
        &self,
        node: NodeId,
        kind: Option<String>,
        now: &Organisation,
    ) -> Result<(), CommunityError> {
        let (sector, country, note) = (now.sector.clone(), now.country.clone(), now.note.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let before = organisations::get(tx.sql(), node).await?;
                    // A kind that nobody sets stays what the exchange of certificates says.
                    let noted = Noted { kind: kind.or(before.kind), sector, country, note };
                    let now_us = tx.now().as_micros();
                    Ok(organisations::put(tx.sql(), node, &noted, now_us).await?)
                })
            })
            .await
    }
}

/// Another organisation by name or id; our own receives nothing and is not found.
pub(crate) fn one_of<'o>(
    all: &'o [Organisation],
    name: &str,
) -> Result<&'o Organisation, CommunityError> {
    let fits = |it: &Organisation| {
        it.name == name || it.id() == name || it.peer().is_some_and(|peer| peer.to_string() == name)
    };
    let mut found = all.iter().filter(|it| it.recipient().is_some() && fits(it));
    let first = found.next().ok_or_else(|| CommunityError::unknown("organisation", name))?;
    if found.next().is_some() {
        return Err(CommunityError::conflict(
            format!("several organisations are called '{}'", first.name),
            "Name it by the id that `sereno organisation list` shows.",
        ));
    }
    Ok(first)
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A country by ISO 3166-1 alpha-2 in upper case, or nothing.
fn checked_country(text: &str) -> Result<String, CommunityError> {
    let upper = text.trim().to_ascii_uppercase();
    let known = COUNTRIES.split_ascii_whitespace().any(|code| code == upper);
    if upper.is_empty() || known {
        return Ok(upper);
    }
    Err(CommunityError::invalid(
        format!("country '{}' is no code of ISO 3166-1 alpha-2", clip(text)),
        "Write two letters, like PT or GR; an empty text forgets it.",
    ))
}

/// ISO 3166-1 alpha-2, officially assigned (249).
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
    FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS \
    IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN \
    MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW \
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN \
    TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn countries_are_those_of_the_standard() {
        let codes: Vec<&str> = COUNTRIES.split_ascii_whitespace().collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.iter().all(|code| code.len() == 2), "two letters each");
        assert!(codes.is_sorted_by(|a, b| a < b), "each once");
        assert_eq!(checked_country(" pt ").unwrap(), "PT");
        assert_eq!(checked_country("").unwrap(), "");
        for wrong in ["XX", "P", "PRT", "EU", "UK", "ΠΤ"] {
            assert!(checked_country(wrong).is_err(), "{wrong}");
        }
    }
}
