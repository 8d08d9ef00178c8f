//! What of the facts is not for a reader.

use model::Tlp;
use model::event::room_of;

/// Facts of some rooms, and facts that repeat words of others under some labels. Nothing by default: for the node itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Rooms by name, e.g. `federation`.
    pub rooms: Vec<&'static str>,
    /// Labels beyond the reader's sight.
    pub labels: Vec<Tlp>,
}

impl Hidden {
    /// Whether a fact of this kind, with this label, is not for the reader.
    #[must_use]
    pub fn hides(&self, kind: &str, tlp: Option<Tlp>) -> bool {
        self.rooms.contains(&room_of(kind)) || tlp.is_some_and(|tlp| self.labels.contains(&tlp))
    }

    /// The same as conditions on the columns `kind` and `tlp`, each beginning with `AND`. Rooms and labels are constants of
    /// this program, never input.
    #[must_use]
    pub fn sql(&self) -> String {
        let rooms = self.rooms.iter().map(|room| format!("AND kind NOT LIKE '{room}.%' "));
        let labels = self.labels.iter().map(|tlp| format!("AND COALESCE(tlp, '') <> '{tlp}' "));
        rooms.chain(labels).collect()
    }
}
