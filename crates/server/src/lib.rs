//! Composition only: wires the rooms, merges their routers, answers for the node as a whole
//! (identity, live events, health, description), and opens the doors.
//!
//! Entry points: [`wire::Node::open`] (rooms over a data folder), [`app::router`], [`listen`].

pub mod app;
pub mod config;
pub mod console;
pub mod http;
pub mod linger;
pub mod listen;
pub mod measure;
pub mod traffic;
pub mod wire;
