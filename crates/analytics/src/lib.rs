//! Windows, metrics, random neural networks, thresholds, explanation. No input or output.
//!
//! The way of a packet: [`windows::Windower`] cuts the stream into [`record::WindowRecord`]s, one
//! per device and window (the wire form between probe and node). [`train`] turns the records of a
//! benign time into a [`model_file::ModelFile`]; [`detector::Detector`] judges later records with it.
//!
//! Invariants:
//! - nothing here reads a clock or draws randomness by itself: the same records and the same seed
//!   give the same bytes;
//! - everything that grows has a named bound, and what falls beyond it is counted;
//! - an alert never hangs on the network alone: every metric also has a range of its own.

pub mod arnn;
mod as_list;
pub mod commands;
pub mod detector;
pub mod distinct;
mod draw;
pub mod features;
pub mod goose;
pub mod guard;
pub mod host;
pub mod inventory;
mod lately;
pub mod laws;
mod lesson;
mod memo;
pub mod metrics;
mod minute;
pub mod mms;
pub mod model;
pub mod model_file;
pub mod models;
pub mod network;
pub mod novelty;
pub mod operations;
pub mod pace;
pub mod paper;
pub mod policy;
pub mod preparation;
pub mod record;
pub mod ridge;
pub mod rnn;
pub mod rows;
mod tails;
pub mod talk;
pub mod textbook;
pub mod threshold;
pub mod train;
pub mod windows;
pub mod zeta;
