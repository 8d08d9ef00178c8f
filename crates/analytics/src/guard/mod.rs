//! Guards around learning in operation: who may teach a model, how much, and what it looks like when
//! somebody tries to teach it wrong.
//!
//! Each guard is pure: state in, window in, verdict out; the state serialises, so that a restart
//! changes nothing. `detection` keeps the state and acts on the verdicts.
//!
//! | attack (MITRE ATLAS) | guard |
//! |---|---|
//! | slow poisoning (AML.T0020) | [`trust`], [`keys`], [`poison`] |
//! | evasion in normal volumes (AML.T0015) | [`mimicry`], beside novelty and the network |
//! | flooding that starves the detector (AML.T0029) | [`flood`] |
//! | a jump that would be learned silently | [`drift`] |

pub mod drift;
pub mod flood;
pub mod keys;
pub mod learning;
pub mod mimicry;
pub mod poison;
pub mod trust;

#[cfg(test)]
mod attacks;

/// A technique of MITRE ATLAS: external id and name as published (release 2025 and later).
pub type AtlasTechnique = (&'static str, &'static str);

/// Somebody shapes what is learned.
pub const POISON_TRAINING_DATA: AtlasTechnique = ("AML.T0020", "Poison Training Data");
/// Somebody hides from the judges.
pub const EVADE_MODEL: AtlasTechnique = ("AML.T0015", "Evade AI Model");
/// Somebody keeps the detector busy.
pub const DENIAL_OF_SERVICE: AtlasTechnique = ("AML.T0029", "Denial of AI Service");
