//! The node's side of the edge protocol, spoken by a stand-in edge over the real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod corpus;
mod http;
mod link;
mod openc2;
mod policy;
mod stand_in;
mod suspect;
