//! Of several that speak in one publisher's name: who is believed.

use super::super::chain::Chain;
use super::super::lawful::{allowed, beyond_sequence};
use super::super::publisher::Publisher;
use super::super::values::Fit;
use super::super::{GooseLaw, GooseMessage};
use super::Stream;

/// Silence of the trusted chain after which a younger one is believed whatever its clock says.
const LONG_SILENCE_US: i64 = 60_000_000;

impl Stream {
    /// Whether a message tells what a trusted state that broke a law from its beginning should have
    /// told.
    pub(super) fn corrects(&self, publisher: &Publisher, message: &GooseMessage<'_>) -> bool {
        let suspect = |trusted: &&Chain| {
            let law = trusted.suspect;
            law.is_some_and(|law| law != GooseLaw::NewValue)
        };
        self.trusted.as_ref().filter(suspect).is_some_and(|trusted| {
            let same = trusted.state == message.state && trusted.t_us == message.t_us;
            let near = message.state == trusted.state
                || (trusted.suspect == Some(GooseLaw::StateNumber)
                    && message.state.checked_add(1) == Some(trusted.state));
            let other = match trusted.suspect {
                Some(GooseLaw::StateNumber) => message.t_us >= trusted.t_us && !same,
                _ => trusted.data != message.data,
            };
            near && other
                && self.fits_age(publisher, message)
                && publisher.values.fit(message.data) != Fit::Contradiction
        })
    }

    /// Of two that tell one state, the one that keeps this publisher's timing is the publisher.
    pub(super) fn outdoes(&self, fork: &Chain) -> bool {
        const ENOUGH: u64 = 3;
        self.trusted.as_ref().is_some_and(|trusted| {
            fork.state == trusted.state
                && fork.messages >= ENOUGH
                && fork.faults == 0
                && trusted.faults > 0
        })
    }

    /// A fork becomes the trusted chain once the trusted one has long been silent, if it is younger
    /// (the publisher was restarted) or the same state at the right place of its sequence.
    pub(super) fn may_take_over(
        &self,
        publisher: &Publisher,
        fork: &Chain,
        message: &GooseMessage<'_>,
    ) -> bool {
        let Some(trusted) = self.trusted.as_ref() else { return true };
        let patience = allowed(publisher, i64::from(message.ttl_ms) * 1_000).saturating_mul(2);
        if fork.messages < 2 || message.ts_us.saturating_sub(trusted.last_us) <= patience {
            return false;
        }
        if fork.t_us > trusted.t_us {
            // A restart begins at small numbers; a clock may have been set; a next state fits.
            let restarted = fork.state < trusted.state && fork.sequence < 8;
            let long = message.ts_us.saturating_sub(trusted.last_us) > LONG_SILENCE_US;
            return restarted || long || self.fits_age(publisher, message);
        }
        trusted.is_state_of(message) && self.off_age(publisher, message, 2, 33)
    }

    pub(super) fn fits_age(&self, publisher: &Publisher, message: &GooseMessage<'_>) -> bool {
        self.off_age(publisher, message, 5, 12)
    }

    /// Whether time of the state, sequence number and capture time agree to `gaps` repetitions and
    /// one part in `share` of the age.
    fn off_age(
        &self,
        publisher: &Publisher,
        message: &GooseMessage<'_>,
        gaps: i64,
        share: i64,
    ) -> bool {
        let (Some((usual, first_age)), Some(rest)) = (self.age, publisher.rest.mean()) else {
            return true;
        };
        let age = message.ts_us.saturating_sub(message.t_us);
        let off = beyond_sequence(publisher, message).saturating_sub(usual).saturating_abs();
        let ages = age.saturating_abs().saturating_add(first_age.saturating_abs());
        off <= rest.saturating_mul(gaps).saturating_add(ages / share)
    }
}
