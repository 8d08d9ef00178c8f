//! Machines repeat themselves: the judgement of a window with the very same metrics is remembered.

use crate::features::Values;
use crate::host::mix;
use crate::model::Judgement;

/// Remembered judgements (about half a megabyte). A place holds the last judgement that fell on it.
const PLACES: usize = 1_024;

#[derive(Clone, Debug)]
struct Entry {
    model: usize,
    values: Values,
    judgement: Judgement,
}

/// Judgements by model and exact values. Only a cache: it never changes an answer.
#[derive(Debug)]
pub(crate) struct Memo(Vec<Option<Entry>>);

impl Memo {
    pub(crate) fn new() -> Self {
        Self(vec![None; PLACES])
    }

    /// The remembered judgement, or the one `judge` makes.
    pub(crate) fn get_or(
        &mut self,
        model: usize,
        values: &Values,
        judge: impl FnOnce() -> Judgement,
    ) -> Judgement {
        let digest = values.iter().fold(model as u64, |digest, value| {
            (digest.rotate_left(5) ^ value.to_bits()).wrapping_mul(0x517c_c1b7_2722_0a95)
        });
        let place = mix(digest) as usize % PLACES;
        if let Some(Some(entry)) = self.0.get(place)
            && entry.model == model
            && entry.values == *values
        {
            return entry.judgement;
        }
        let judgement = judge();
        if let Some(entry) = self.0.get_mut(place) {
            *entry = Some(Entry { model, values: *values, judgement });
        }
        judgement
    }
}
