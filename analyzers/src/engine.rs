//! What everything that reads recordings shares: who reads which chunk when ([`driver`]), how a chunk is read for several
//! at once ([`consumer`]), what metadata alone decides ([`plans`], [`stack_plans`]), which profile an event counts in
//! ([`routing`]), and what stack traces and methods mean ([`stacks`], [`functions`]).
//!
//! What is made of the events of a chunk does not belong here: that is up to the consumers, `profiles` and `events::read`.
//! Start with [`consumer`].

pub(crate) mod consumer;
pub(crate) mod driver;
pub(crate) mod functions;
mod memo;
pub(crate) mod plans;
pub(crate) mod routing;
pub(crate) mod stack_plans;
pub(crate) mod stacks;
pub(crate) mod type_map;
