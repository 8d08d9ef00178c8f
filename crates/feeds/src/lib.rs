//! Feeds: bytes in, records and rejects out. No I/O beyond the `Read` it is given, no SQL, no HTTP.
pub mod value;
