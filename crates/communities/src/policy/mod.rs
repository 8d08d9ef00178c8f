//! Sharing policies: what may leave, to whom. The built-in ones stand in `policies/sharing.cedar`; own ones are kept in
//! the database and can narrow them or permit more, but never override a built-in `forbid`.

pub(crate) mod desk;
pub(crate) mod engine;
pub(crate) mod facts;
mod phrases;
pub(crate) mod trial;
pub(crate) mod words;
