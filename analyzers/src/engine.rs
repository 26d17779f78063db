//! What everything that reads recordings shares: who reads which chunk when ([`driver`]), what metadata alone decides
//! ([`plans`]) and from a type id to it ([`type_map`]).
//!
//! What is done with the events of a chunk does not belong here: that is up to the consumers, such as
//! `profiles` and `events::read`. Start with [`driver::run`].

pub(crate) mod driver;
pub(crate) mod plans;
pub(crate) mod type_map;
