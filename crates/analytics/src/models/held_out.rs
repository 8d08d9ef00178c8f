//! Errors of training rows, each measured by a model that never saw the row's block of time.

use std::ops::Range;

use crate::network::Scaled;
use crate::threshold::{BLOCKS, block_of};

/// The contiguous blocks of `total` rows.
pub(crate) fn blocks(total: usize) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::with_capacity(BLOCKS);
    for place in 0..total {
        let block = block_of(place, total);
        match blocks.get_mut(block) {
            Some(range) => range.end = place + 1,
            None => blocks.push(place..place + 1),
        }
    }
    blocks
}

/// Fits on the rows outside each block and hands each row inside to `measure`, in order.
pub(crate) fn held_out<M>(
    rows: &[Scaled],
    mut fit: impl FnMut(&[&Scaled]) -> M,
    mut measure: impl FnMut(&M, &Scaled),
) {
    for block in blocks(rows.len()) {
        let others: Vec<&Scaled> = rows[..block.start].iter().chain(&rows[block.end..]).collect();
        let model = fit(&others);
        rows[block].iter().for_each(|row| measure(&model, row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_row_once() {
        for total in 0..40 {
            let blocks = blocks(total);
            assert_eq!(blocks.len(), BLOCKS.min(total));
            assert_eq!(blocks.iter().map(ExactSizeIterator::len).sum::<usize>(), total);
        }
    }
}
