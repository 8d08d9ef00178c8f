//! Messages of conversations, counted in the open windows of their two ends.

use protocols::flow::{End, Sighting};

use super::{Place, Windower};
use crate::talk::{Note, hears};

impl Windower {
    /// Counts a message for the devices at its ends. Give each packet to [`Windower::push`] before
    /// its messages are told, so that their windows are open.
    ///
    /// A message that was read to its end so late that its window is closed (bytes before it were
    /// missing, and given up) is counted as late and in no window.
    pub fn hear(&mut self, sighting: &Sighting<'_>) {
        if !hears(sighting.protocol) {
            return;
        }
        let Some(note) = Note::of(sighting) else { return };
        let at_us = sighting.ts_ns.div_euclid(1_000);
        let (sent, received) = note.concerns();
        let find = |end: &End| self.devices.find(end.ip, end.mac);
        let sender = sent.then(|| find(&sighting.from)).flatten();
        let receiver = received.then(|| find(&sighting.to)).flatten();
        let mut heard = false;
        for (slot, is_sender) in
            [(sender, true), (receiver.filter(|to| Some(*to) != sender), false)]
        {
            let Some(slot) = slot else { continue };
            heard |= self.note(slot, at_us, &note, is_sender);
        }
        if sender.is_some() || receiver.is_some() {
            self.stats.messages += u64::from(heard);
            self.stats.late_messages += u64::from(!heard);
        }
    }

    /// Adds to the window of a device a message belongs to; `false` where that is closed.
    fn note(&mut self, slot: u32, at_us: i64, note: &Note<'_>, is_sender: bool) -> bool {
        let Some(place) = self.still_open(at_us) else { return false };
        let Some(device) = self.devices.get_mut(slot) else { return false };
        let open = match place {
            Place::Current => &mut device.current,
            Place::Previous => &mut device.previous,
        };
        // Only windows with traffic exist.
        if open.is_empty() {
            return false;
        }
        if is_sender {
            note.sent(open.talk());
        } else {
            note.received(open.talk());
        }
        true
    }

    fn still_open(&self, at_us: i64) -> Option<Place> {
        if !self.started {
            return None;
        }
        if at_us >= self.start_us {
            return Some(Place::Current);
        }
        let in_previous = at_us >= self.start_us.saturating_sub(self.window_us);
        (self.previous_open && in_previous).then_some(Place::Previous)
    }
}
