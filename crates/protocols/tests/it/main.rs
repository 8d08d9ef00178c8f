//! Capture files and packets: hand-made bytes, laws, the fuzz corpus, agreement with tshark.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod agreement;
mod app_it;
mod app_it_laws;
mod app_it_telnet;
mod app_it_tshark;
mod app_ot;
mod captures;
mod classic;
mod corpus;
mod data;
mod flow;
mod hostile;
mod laws;
mod links;
mod networks;
mod ng;
mod packed;
mod stream;
mod transports;
mod tshark;
mod wire;
